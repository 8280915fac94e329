/** What a server takes, and from whom (attacks of malicious clients). */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { beforeEach, describe, it } from 'mocha'
import { compareBytes, concat, utf8 } from '../../src/base/bytes.ts'
import { signMessage } from '../../src/base/ed25519.ts'
import type { ErrorCode } from '../../src/base/errors.ts'
import {
  bodyHashOf,
  type EntryHeader,
  entryIdOf,
  entryKinds,
  formatHeader,
  placeOf,
  signHeader,
  skipOf,
} from '../../src/log/entry.ts'
import { signCertificate } from '../../src/log/certificate.ts'
import { formatCheckpoint } from '../../src/log/checkpoint.ts'
import { encodeCbor } from '../../src/base/cbor.ts'
import { formatConfigBody } from '../../src/log/log-config.ts'
import type { HandedEntry } from '../../src/log/log-peer.ts'
import { LogState } from '../../src/log/log-state.ts'
import { signReceipt } from '../../src/log/receipt.ts'
import { formatRelease } from '../../src/log/release.ts'
import { formatRevocation } from '../../src/log/revocation.ts'
import { keyOf, plenty, seedOf, World } from './world.ts'

const world = new World(4)
const { logId, log } = world
const nowMs = world.clock.nowMs()
const signers = new Map([['admin', { seed: log.keys.signSeed, author: log.keys.adminKey }]])

function signerOf(name: string): { seed: Uint8Array; author: Uint8Array } {
  return signers.get(name) ?? { seed: seedOf(name), author: keyOf(name) }
}

/** A state, and what is needed to put the next entry of anybody behind it. */
class Desk {
  readonly state: LogState = new LogState(logId, log.genesis)
  serial = 0

  next(
    name: string,
    changed: Partial<EntryHeader> = {},
    body: Uint8Array = utf8('b'),
  ): HandedEntry {
    const { seed, author } = signerOf(name)
    const chain = this.state.chainOf(author)
    const seq = changed.seq ?? (chain?.seq ?? 0) + 1
    const idAt = (at: number): Uint8Array =>
      chain !== undefined && at <= chain.seq ? chain.idAt(at).slice() : logId
    const header = formatHeader({
      logId,
      author,
      seq,
      prev: idAt(seq - 1),
      skip: idAt(skipOf(seq)),
      acks: [],
      clientMs: nowMs,
      kind: 'snapshot',
      bodyHash: bodyHashOf(body),
      bodyBytes: body.length,
      ...changed,
    })
    return { header, signature: signHeader(header, seed), body, receipts: [] }
  }

  put(entry: HandedEntry, atMs: number = nowMs): string {
    const found = this.state.check(entry, atMs)
    if (found.outcome === 'refused') return found.code
    if (found.outcome !== 'take') return found.outcome
    const { late } = found
    this.state.take(found.entry, entry.body, { receivedMs: atMs, late })
    return late ? 'late' : 'stored'
  }

  admin(kind: EntryHeader['kind'], body: Uint8Array): string {
    return this.put(this.next('admin', { kind }, body))
  }

  certify(name: string, rightBits = 1, limits = plenty, serial: number = ++this.serial): string {
    const statement = { logId, subject: keyOf(name), rightBits, limits, label: name, serial }
    return this.admin('certificate', signCertificate(statement, log.keys.signSeed))
  }
}

let desk: Desk
const refuses = (code: ErrorCode, entry: HandedEntry): void => {
  assert.equal(desk.put(entry), code)
}

describe('acceptance', () => {
  beforeEach(() => {
    desk = new Desk()
    assert.equal(desk.certify('a'), 'stored')
  })

  it('takes a certified chain in order, and gives had for what it holds', () => {
    const first = desk.next('a')
    assert.equal(desk.put(first), 'stored')
    for (let i = 0; i < 40; i++) assert.equal(desk.put(desk.next('a')), 'stored')
    assert.equal(desk.put(first), 'had')
  })

  it('refuses a forged entry: by whom it does not name, or by nobody', () => {
    const { header, body } = desk.next('a')
    const forgers = [signHeader(header, seedOf('b')), new Uint8Array(64)]
    const otherContext = signMessage(seedOf('a'), concat(utf8('grid/v1/cert'), header))
    for (const signature of [...forgers, otherContext, signMessage(seedOf('a'), header)]) {
      refuses('E_SIGNATURE', { header, signature, body, receipts: [] })
    }
  })

  it('refuses a foreign entry, of another log', () => {
    refuses('E_ENTRY', desk.next('a', { logId: seedOf('other log') }))
  })

  it('refuses one who has no certificate, or the wrong one', () => {
    refuses('E_CERTIFICATE', desk.next('stranger'))
    desk.certify('prune', 4)
    refuses('E_CERTIFICATE', desk.next('prune'))
    refuses('E_CERTIFICATE', desk.next('admin'))
    for (const kind of ['certificate', 'revocation', 'config', 'release', 'checkpoint'] as const) {
      refuses('E_CERTIFICATE', desk.next('a', { kind }))
    }
  })

  it('takes a release from who may sign one', () => {
    desk.certify('prune', 4)
    const release = { server: undefined, releaseSeq: 1, cutoffMs: 1, storageIndexes: [] }
    const body = formatRelease({ ...release, account: logId })
    assert.equal(desk.put(desk.next('prune', { kind: 'release' }, body)), 'stored')
    const other = formatRelease({ ...release, account: seedOf('x') })
    refuses('E_ENTRY', desk.next('prune', { kind: 'release' }, other))
  })

  it('refuses re-ordered entries: a gap, a wrong link, a wrong skip', () => {
    for (let i = 0; i < 3; i++) desk.put(desk.next('a'))
    const found = desk.state.check(desk.next('a', { seq: 9 }), nowMs)
    assert.deepEqual(found, { outcome: 'gap', headSeq: 3 })
    refuses('E_LINK', desk.next('a', { prev: seedOf('x') }))
    refuses('E_LINK', desk.next('a', { skip: desk.state.chainOf(keyOf('a'))!.idAt(2).slice() }))
  })

  it('keeps another entry of a held number as a conflict, however old', () => {
    for (let i = 0; i < 3; i++) desk.put(desk.next('a'))
    for (const seq of [1, 2, 3]) {
      assert.equal(desk.put(desk.next('a', { seq, clientMs: 1 })), 'conflict')
    }
    assert.equal(desk.state.chainOf(keyOf('a'))?.seq, 3)
  })

  it('refuses a body that is missing, or another than the header names', () => {
    const entry = desk.next('a')
    refuses('E_ENTRY', { ...entry, body: undefined })
    refuses('E_ENTRY', { ...entry, body: utf8('c') })
    refuses('E_ENTRY', { ...entry, body: utf8('b ') })
  })

  it('holds each author to his limits, by day and by thirty days', () => {
    desk.certify('slow', 1, { bytesPer30Days: 2 ** 40, entriesPerDay: 2 })
    assert.equal(desk.put(desk.next('slow')), 'stored')
    assert.equal(desk.put(desk.next('slow')), 'stored')
    refuses('E_RATE', desk.next('slow'))
    const dayMs = 24 * 3600 * 1000
    assert.equal(desk.put(desk.next('slow'), nowMs + dayMs), 'stored')

    desk.certify('small', 1, { bytesPer30Days: 1000, entriesPerDay: 100 })
    const big = new Uint8Array(400)
    assert.equal(desk.put(desk.next('small', {}, big)), 'stored')
    refuses('E_RATE', desk.next('small', {}, big))
    assert.equal(desk.put(desk.next('small', {}, big), nowMs + 29 * dayMs), 'E_RATE')
    assert.equal(desk.put(desk.next('small', {}, big), nowMs + 30 * dayMs), 'stored')
  })

  it('counts no entry that f + 1 servers vouch for, and marks it late', () => {
    desk.certify('none', 1, { bytesPer30Days: 0, entriesPerDay: 0 })
    const entry = desk.next('none')
    const receipt = (name: string, id: Uint8Array = entryIdOf(entry.header)) => {
      const nodeKey = { seed: seedOf(name), publicKey: keyOf(name) }
      return signReceipt({ logId, id }, { receivedMs: 1, late: false }, nodeKey)
    }
    const one = receipt('server 0')
    const stranger = receipt('stranger')
    const ofAnother = receipt('server 1', seedOf('x'))
    for (const receipts of [[], [one], [one, one], [one, stranger], [one, ofAnother]]) {
      refuses('E_RATE', { ...entry, receipts })
    }
    assert.equal(desk.put({ ...entry, receipts: [one, receipt('server 3')] }), 'late')
  })

  it('takes nothing beyond a revocation, and all before it', () => {
    for (let i = 0; i < 2; i++) desk.put(desk.next('a'))
    const lagging = new Desk()
    const lastGoodId = desk.state.chainOf(keyOf('a'))!.headId.slice()
    const body = formatRevocation({ author: keyOf('a'), lastGoodSeq: 2, lastGoodId })
    lagging.certify('a')
    assert.equal(lagging.admin('revocation', body), 'stored')
    assert.equal(lagging.put(lagging.next('a')), 'stored')
    assert.equal(lagging.put(lagging.next('a')), 'stored')
    assert.equal(lagging.put(lagging.next('a')), 'E_REVOKED')
    assert.equal(lagging.certify('a'), 'E_CERTIFICATE')
  })

  it('refuses a certificate that is forged, replayed, foreign, or takes a right away', () => {
    const statement = { logId, subject: keyOf('b'), rightBits: 1, limits: plenty, label: '' }
    const byOther = signCertificate({ ...statement, serial: 9 }, seedOf('b'))
    assert.equal(desk.admin('certificate', byOther), 'E_CERTIFICATE')
    const foreign = { ...statement, logId: seedOf('x'), serial: 9 }
    const foreignBytes = signCertificate(foreign, log.keys.signSeed)
    assert.equal(desk.admin('certificate', foreignBytes), 'E_CERTIFICATE')
    assert.equal(desk.certify('b', 1, plenty, 1), 'E_CERTIFICATE')
    assert.equal(desk.certify('b', 3), 'stored')
    assert.equal(desk.certify('b', 1), 'E_CERTIFICATE')
    assert.equal(desk.certify('b', 7), 'stored')
  })

  it('takes configs one epoch after the other', () => {
    const servers = [keyOf('server 0')]
    assert.equal(desk.admin('config', formatConfigBody({ epoch: 2, servers })), 'E_ENTRY')
    assert.equal(desk.admin('config', formatConfigBody({ epoch: 1, servers })), 'stored')
    assert.equal(desk.admin('config', formatConfigBody({ epoch: 1, servers })), 'E_ENTRY')
  })

  it('takes new entries at no server that a later config has replaced', () => {
    const state = new LogState(logId, log.genesis, keyOf('server 3'))
    Object.assign(desk, { state, serial: 0 })
    assert.equal(desk.certify('a'), 'stored')
    assert.equal(desk.put(desk.next('a')), 'stored')
    const servers = [keyOf('server 0')]
    assert.equal(desk.admin('config', formatConfigBody({ epoch: 1, servers })), 'stored')
    refuses('E_READ_ONLY', desk.next('a'))
  })

  it('comes to the same state when it replays what it holds', () => {
    const again = new LogState(logId, log.genesis)
    const held = [
      desk.next(
        'admin',
        { kind: 'config' },
        formatConfigBody({ epoch: 1, servers: [keyOf('server 1')] }),
      ),
    ]
    desk.put(held[0])
    const fresh = new Desk()
    const certificate = fresh.next('admin', { kind: 'certificate' }, certificateOf('a'))
    for (const entry of [certificate, held[0]])
      again.replay(entry, { receivedMs: nowMs, late: false })
    assert.deepEqual(again.heads, desk.state.heads)
    assert.deepEqual(again.rules.config, desk.state.rules.config)
    assert.throws(
      () => again.replay(certificate, { receivedMs: nowMs, late: false }),
      /out of place/,
    )
  })
})

function certificateOf(name: string): Uint8Array {
  const statement = { logId, subject: keyOf(name), rightBits: 1, limits: plenty, label: name }
  return signCertificate({ ...statement, serial: 1 }, log.keys.signSeed)
}

describe('acceptance of hostile bytes', () => {
  it('is total', () => {
    const { state } = new Desk()
    const bytes = fc.uint8Array({ maxLength: 600 })
    fc.assert(
      fc.property(bytes, bytes, bytes, (header, signature, body) => {
        const found = state.check({ header, signature, body, receipts: [] }, nowMs)
        assert.equal(found.outcome, 'refused')
      }),
    )
  })

  it('refuses an entry with any bit of its header or signature changed', () => {
    const fresh = new Desk()
    fresh.certify('a')
    const entry = fresh.next('a')
    for (const part of ['header', 'signature'] as const) {
      for (let at = 0; at < entry[part].length; at++) {
        const bytes = entry[part].slice()
        bytes[at] ^= 1 << (at & 7)
        const found = fresh.state.check({ ...entry, [part]: bytes }, nowMs)
        assert.notEqual(found.outcome, 'take', `${part} ${at}`)
      }
    }
  })

  it('refuses a header of another version, suite, kind or order of acks', () => {
    const fresh = new Desk()
    fresh.certify('a')
    const signed = (values: unknown[]): HandedEntry => {
      const header = encodeCbor(values as never)
      return { header, signature: signHeader(header, seedOf('a')), body: utf8('b'), receipts: [] }
    }
    const fields = { logId, author: keyOf('a'), seq: 1, prev: logId, skip: logId, clientMs: 0 }
    const ack = (byte: number) => [new Uint8Array(8).fill(byte), 1, logId]
    const values = (at: number, value: unknown): unknown[] => {
      const place = placeOf({ ...fields, acks: [], kind: 'snapshot' })
      const whole: unknown[] = [...place, bodyHashOf(utf8('b')), 1]
      whole[at] = value
      return whole
    }
    assert.equal(fresh.put(signed(values(0, 2))), 'E_ENTRY')
    assert.equal(fresh.put(signed(values(1, 2))), 'E_VERSION')
    assert.equal(fresh.put(signed(values(9, 7))), 'E_ENTRY')
    assert.equal(fresh.put(signed(values(9, 0))), 'E_ENTRY')
    assert.equal(fresh.put(signed(values(4, 0))), 'E_ENTRY')
    assert.equal(fresh.put(signed(values(11, 65_537))), 'E_ENTRY')
    assert.equal(fresh.put(signed(values(7, [ack(2), ack(1)]))), 'E_ENTRY')
    assert.equal(fresh.put(signed(values(7, [ack(1), ack(1)]))), 'E_ENTRY')
    const own = [keyOf('a').slice(0, 8), 1, logId]
    assert.equal(fresh.put(signed(values(7, [own]))), 'E_ENTRY')
    assert.equal(fresh.put(signed([...values(0, 1), 1])), 'E_ENTRY')
    assert.equal(fresh.put(signed(values(7, [ack(1), ack(2)]))), 'stored')
    assert.deepEqual(Object.values(entryKinds), [1, 2, 3, 4, 5, 6])
  })
})

describe('what a server keeps in mind', () => {
  it('does not grow with checkpoints and configs that whoever began the log writes', () => {
    const desk = new Desk()
    const heads = Array.from({ length: 512 }, (_, i) => keyOf(`device ${i}`))
      .sort(compareBytes)
      .map((author) => ({ author, seq: 1, id: author }))
    const body = formatCheckpoint({ heads, tested: [] })
    for (let epoch = 1; epoch <= 5; epoch++) {
      assert.equal(desk.admin('checkpoint', body), 'stored')
      const config = { epoch, servers: [keyOf(`server ${epoch}`)] }
      assert.equal(desk.admin('config', formatConfigBody(config)), 'stored')
    }
    const { checkpoints, configs } = desk.state.rules
    assert.deepEqual([checkpoints.length, configs.length], [0, 1])
  })
})
