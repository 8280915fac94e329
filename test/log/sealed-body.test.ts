/** Bodies that only their readers open, each in its place. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { concat, u32be } from '../../src/base/bytes.ts'
import { decodeCbor, encodeCbor } from '../../src/base/cbor.ts'
import { isGridError } from '../../src/base/errors.ts'
import { logKemSeedOf } from '../../src/caps/keys.ts'
import { sealTo } from '../../src/log/hpke.ts'
import { kemPublicKeyOf } from '../../src/log/x-wing.ts'
import { logKeysOf } from '../../src/log/log-keys.ts'
import { type EntryPlace, openBody, sealBody, sealContextOf } from '../../src/log/sealed-body.ts'
import {
  formatSnapshot,
  formatSnapshotCheck,
  readSnapshot,
  readSnapshotCheck,
} from '../../src/log/snapshot-body.ts'
import { CountingRandom, keyOf, seedOf, snapshotOf } from './world.ts'

const keys = logKeysOf(seedOf('admin'))
const publicKeys = { reader: keys.readerKey, verifier: keys.verifierKey }
const logId = seedOf('log')
const place: EntryPlace = {
  logId,
  author: keyOf('laptop'),
  seq: 2,
  prev: seedOf('prev'),
  skip: logId,
  acks: [],
  clientMs: 1,
  kind: 'snapshot',
}
const random = new CountingRandom()
const plaintexts = { reader: seedOf('reader'), verifier: seedOf('verifier') }
const body = sealBody(place, publicKeys, plaintexts, random)
const unopened = (error: unknown): boolean => isGridError(error, 'E_SEAL')
const malformed = (error: unknown): boolean => isGridError(error, 'E_ENTRY')
const unreadable = (error: unknown): boolean => isGridError(error, 'E_ENTRY', 'E_VERSION')

describe('sealed body', () => {
  it('gives each role its half', () => {
    assert.deepEqual(openBody(place, 'reader', keys.readSeed, body), plaintexts.reader)
    assert.deepEqual(openBody(place, 'verifier', keys.verifySeed, body), plaintexts.verifier)
  })

  it('opens at no other place: of a replay, a foreign log, another author', () => {
    const others: Partial<EntryPlace>[] = [
      { seq: 3 },
      { prev: seedOf('x') },
      { skip: seedOf('x') },
      { author: keyOf('desk') },
      { logId: seedOf('x') },
      { clientMs: 2 },
      { acks: [{ authorPrefix: new Uint8Array(8), seq: 1, id: logId }] },
      { kind: 'release' },
    ]
    for (const changed of others) {
      const elsewhere = { ...place, ...changed }
      assert.throws(() => openBody(elsewhere, 'reader', keys.readSeed, body), unopened)
    }
  })

  it('opens no half as the other role', () => {
    const [reader, verifier] = decodeCbor(body, {
      depth: 1,
      items: 3,
      bytes: 2 ** 16,
    }) as Uint8Array[]
    const swapped = encodeCbor([verifier, reader])
    assert.throws(() => openBody(place, 'reader', keys.readSeed, swapped), unopened)
    assert.throws(() => openBody(place, 'verifier', keys.verifySeed, swapped), unopened)
  })

  it('has lengths that tell nothing finer than 512 bytes', () => {
    const lengthOf = (bytes: number): number =>
      sealBody(place, publicKeys, { reader: new Uint8Array(bytes), verifier: seedOf('v') }, random)
        .length
    assert.equal(lengthOf(0), lengthOf(508))
    assert.equal(lengthOf(509), lengthOf(508) + 512)
  })

  it('is never longer than a body may be', () => {
    const long = { reader: new Uint8Array(70_000), verifier: new Uint8Array(0) }
    assert.throws(() => sealBody(place, publicKeys, long, random), RangeError)
  })

  it('refuses padding that hides something', () => {
    const key = kemPublicKeyOf(logKemSeedOf(keys.readSeed))
    const context = sealContextOf(place, 'reader')
    const dirty = new Uint8Array(508)
    dirty[507] = 1
    const wrong = [
      concat(u32be(9), dirty),
      concat(u32be(509), new Uint8Array(508)),
      concat(u32be(2), new Uint8Array(2)),
      new Uint8Array(0),
      u32be(0),
    ]
    for (const padded of wrong) {
      const half = sealTo(key, context, padded, random)
      const forged = encodeCbor([half, half])
      assert.throws(() => openBody(place, 'reader', keys.readSeed, forged), malformed)
    }
  })

  it('is total on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        assert.throws(() => openBody(place, 'reader', keys.readSeed, bytes), malformed)
        assert.throws(() => readSnapshot(bytes), unreadable)
        assert.throws(() => readSnapshotCheck(bytes), unreadable)
      }),
    )
  })
})

describe('snapshot', () => {
  it('is read as it was written', () => {
    const [snapshot, check] = snapshotOf('a', [seedOf('one'), seedOf('two')])
    assert.deepEqual(readSnapshot(formatSnapshot(snapshot)), snapshot)
    assert.deepEqual(readSnapshotCheck(formatSnapshotCheck(check)), check)
  })

  it('tells how a backup came about', () => {
    const [snapshot] = snapshotOf('a')
    const root = Uint8Array.of(0x2f, 0xff)
    const run = { root, tags: ['weekly'], startedMs: 1, addedBytes: 2, sentBytes: 3 }
    assert.deepEqual(readSnapshot(formatSnapshot({ ...snapshot, run })), { ...snapshot, run })
    const long = { ...run, tags: ['x'.repeat(65)] }
    assert.throws(() => readSnapshot(formatSnapshot({ ...snapshot, run: long })), {
      code: 'E_ENTRY',
    })
  })

  it('of a newer version is read as far as this one knows it', () => {
    const run = { root: seedOf('r'), tags: [], startedMs: 1, addedBytes: 2, sentBytes: 3 }
    const snapshot = { ...snapshotOf('a')[0], run }
    const value = decodeCbor(formatSnapshot(snapshot), { depth: 6, items: 99, bytes: 4096 })
    const [version, cap, parents, facts] = value as [number, Uint8Array, [], (string | number)[]]
    const newer = encodeCbor([version, cap, parents, [...facts, 'a new fact', 7]])
    assert.deepEqual(readSnapshot(newer), snapshot)
  })

  it('is refused with a cap of another kind', () => {
    const [snapshot, check] = snapshotOf('a')
    const mixed = { ...snapshot, cap: check.cap as unknown as typeof snapshot.cap }
    assert.throws(() => readSnapshot(formatSnapshot(mixed)), malformed)
    const damaged = formatSnapshot(snapshot)
    damaged[5] ^= 1
    damaged[3] = 1
    assert.throws(() => readSnapshot(damaged), malformed)
  })

  it('that a later version wrote is no malformed one', () => {
    const [snapshot, check] = snapshotOf('a')
    const isLater = { code: 'E_VERSION' }
    for (const version of [2, 23, 24, 1000]) {
      assert.throws(() => readSnapshot(encodeCbor([version])), isLater)
      assert.throws(() => readSnapshotCheck(encodeCbor([version, 'what', [['ever']]])), isLater)
    }
    for (const other of [[], [0], [-2], ['2'], [[2]], 2]) {
      assert.throws(() => readSnapshot(encodeCbor(other)), malformed)
    }
    const unknownCap = formatSnapshot(snapshot)
    unknownCap[4] = 99
    assert.throws(() => readSnapshot(unknownCap), isLater)
    assert.deepEqual(readSnapshotCheck(formatSnapshotCheck(check)), check)
  })
})
