import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../../src/base/base32.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { noTrace } from '../../../src/base/trace.ts'
import type { MemberBook } from '../../../src/members/member-book.ts'
import { readMemberCertificate } from '../../../src/members/member-certificate.ts'
import { parseConfig } from '../../../src/node/home/config.ts'
import { type GridMembership, openMembership } from '../../../src/node/home/grid-membership.ts'
import { homeAt } from '../../../src/node/home/home.ts'
import { openFounding } from '../../../src/node/running/founding.ts'
import { Machine } from '../../storage/machine.ts'

const gridSeed = new Uint8Array(32).fill(1)
const gridId = publicKeyOfSeed(gridSeed)
const secrets = {
  gridSeed,
  identitySeed: new Uint8Array(32).fill(2),
  convergenceSecret: new Uint8Array(32).fill(3),
}

describe('founding home', () => {
  let machine: Machine

  beforeEach(async () => {
    machine = await new Machine('founding').init()
  })

  /** As at a start of the node. */
  async function start(
    given = secrets,
  ): Promise<{ book: MemberBook | undefined; member: GridMembership; serial: number }> {
    const { clock } = machine
    const disk = machine.disk.mount(clock)
    const home = { ...homeAt('home'), path: 'home', private: 'home', cache: 'home' }
    const text = `[grid]\nmembership = "signed"\nkey = "${toBase32(gridId)}"`
    const parts = { home, config: parseConfig(text, [], '/home'), clock, disk, trace: noTrace }
    const member = await machine.run(openMembership(parts))
    const book = await machine.run(openFounding({ ...parts, secrets: given }, member))
    return { book, member, serial: readMemberCertificate(member.certificate!, gridId).serial }
  }

  it('is a member itself, and the same one after each start', async () => {
    const { serial, book } = await start()
    assert.equal(book?.list()[0].name, 'founder')
    assert.equal((await start()).serial, serial)
  })

  it('is a member again after it has put itself out', async () => {
    const { serial, book } = await start()
    await machine.run(book!.revoke('founder'))
    const again = await start()
    assert.ok(again.serial > serial)
    assert.equal(again.member.revocations?.isRevoked(again.serial), false)
  })

  it('does not start with the key of another grid', async () => {
    const wrong = { ...secrets, gridSeed: new Uint8Array(32).fill(9) }
    await assert.rejects(start(wrong), (error) => isGridError(error, 'E_CONFIG'))
  })
})
