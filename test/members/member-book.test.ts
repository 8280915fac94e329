import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { isGridError } from '../../src/base/errors.ts'
import { type KeptAt, replaceKept } from '../../src/base/kept-file.ts'
import { type Member, MemberBook } from '../../src/members/member-book.ts'
import { readMemberCertificate } from '../../src/members/member-certificate.ts'
import { graceMs } from '../../src/members/membership.ts'
import { maxRevokedSerials, signRevocationList } from '../../src/members/revocation-list.ts'
import { Revocations } from '../../src/members/revocations.ts'
import { Machine } from '../storage/machine.ts'

const gridSeed = new Uint8Array(32).fill(1)
const gridId = publicKeyOfSeed(gridSeed)
const [attic, laptop] = [2, 3].map((i) => publicKeyOfSeed(new Uint8Array(32).fill(i)))
const dayMs = 24 * 3600 * 1000

describe('member book', () => {
  let machine: Machine
  let bookAt: KeptAt
  let revocations: Revocations
  let book: MemberBook

  beforeEach(async () => {
    machine = await new Machine('members').init()
    bookAt = { disk: machine.disk.mount(machine.clock), path: 'home/members' }
    await open()
  })

  /** As after a start of the node. */
  async function open(): Promise<void> {
    const listAt = { ...bookAt, path: 'home/revoked' }
    revocations = await machine.run(Revocations.open({ gridId, keptAt: listAt }))
    const { clock } = machine
    book = await machine.run(MemberBook.open({ keptAt: bookAt, gridSeed, clock, revocations }))
  }

  async function issue(name: string, publicKey: Uint8Array, days = 1): Promise<number> {
    const notAfterMs = machine.clock.nowMs() + days * dayMs
    const given = { name, publicKey, kindBits: 3, quotaBytes: 0, notAfterMs }
    const certificate = await machine.run(book.issue(given))
    return readMemberCertificate(certificate, gridId).serial
  }

  const revoke = (which: string): Promise<Member> => machine.run(book.revoke(which))

  it('has the members still, and who is out, after a start', async () => {
    const [first, second] = [await issue('attic', attic), await issue('laptop', laptop)]
    assert.ok(second > first)
    assert.equal((await revoke('attic')).isRevoked, true)
    await open()
    assert.deepEqual(
      book.list().map(({ serial, name, isRevoked }) => [serial, name, isRevoked]),
      [
        [first, 'attic', true],
        [second, 'laptop', false],
      ],
    )
    assert.deepEqual(revocations.serials, [first])
  })

  it('puts out every certificate of a key, and none that it is given afterwards', async () => {
    const serials = [await issue('attic', attic), await issue('attic', attic)]
    await revoke('attic')
    assert.deepEqual(revocations.serials, serials)
    const anew = await issue('attic', attic)
    assert.equal(revocations.isRevoked(anew), false)
    await revoke('attic')
    assert.deepEqual(revocations.serials, [...serials, anew])
  })

  it('carries out a revocation that a crash cut short after the book', async () => {
    const serial = await issue('attic', attic)
    await revoke('attic')
    await machine.run(bookAt.disk.unlink('home/revoked'))
    await open()
    assert.deepEqual(revocations.serials, [serial])
  })

  it('puts out again who is out, since an answer may have been lost', async () => {
    const serial = await issue('attic', attic)
    await revoke('attic')
    const { seq } = revocations
    assert.equal((await revoke('attic')).serial, serial)
    assert.equal((await revoke(String(serial))).serial, serial)
    assert.equal(revocations.seq, seq, 'nothing new to tell')
  })

  it('lets nobody in again whom a newer list names, though its book is an older copy', async () => {
    const serial = await issue('laptop', laptop)
    const other = signRevocationList({ seq: 2 ** 45, serials: [7, serial] }, gridSeed)
    await machine.run(revocations.take(other))
    assert.equal(book.list()[0].isRevoked, true)
    const mine = await issue('attic', attic)
    await revoke('attic')
    assert.deepEqual(revocations.serials, [7, serial, mine])
    assert.equal(revocations.seq, 2 ** 45 + 1)
  })

  it('takes a serial before a name, which a member has chosen itself', async () => {
    const serial = await issue('attic', attic)
    await issue(String(serial), laptop)
    assert.equal((await revoke(String(serial))).name, 'attic')
    assert.deepEqual(revocations.serials, [serial])
  })

  it('asks which, where several have the name', async () => {
    await issue('attic', attic)
    await issue('attic', laptop)
    await assert.rejects(revoke('attic'), (error) => isGridError(error, 'E_USAGE'))
    await assert.rejects(revoke('shed'), (error) => isGridError(error, 'E_ABSENT'))
    assert.equal(revocations.seq, 0)
  })

  it('lets those go from a full list that ended longest before, and nobody else', async () => {
    const ended = await issue('attic', attic)
    await revoke('attic')
    const all = Array.from({ length: maxRevokedSerials - 1 }, (_, i) => i + 1)
    const list = signRevocationList({ seq: 2 ** 45, serials: [...all, ended] }, gridSeed)
    await machine.run(revocations.take(list))
    const standing = await issue('laptop', laptop, 3650)
    await assert.rejects(revoke('laptop'), (error) => isGridError(error, 'E_FULL'))
    assert.equal(book.list()[1].isRevoked, false)
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + dayMs + graceMs })
    await revoke('laptop')
    assert.deepEqual(revocations.serials, [...all, standing])
    const { seq } = revocations
    await open()
    assert.equal(revocations.seq, seq, 'and that is the end of it')
  })

  it('does not open a damaged book, since it would not know whom to put out', async () => {
    await issue('attic', attic)
    await machine.run(replaceKept(bookAt, Uint8Array.of(1, 2, 3)))
    await assert.rejects(open(), (error) => isGridError(error, 'E_CONFIG'))
  })
})
