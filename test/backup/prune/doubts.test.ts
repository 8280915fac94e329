/** What a prune asks about first, whatever servers and thieves say. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { dayMs } from '../../../src/backup/prune/calendar.ts'
import { type Doubt, doubtsOf } from '../../../src/backup/prune/doubts.ts'
import { Garbage, type HeldShare } from '../../../src/backup/prune/garbage.ts'
import { indexKey } from '../../../src/backup/prune/index-set.ts'
import type { Prunable } from '../../../src/backup/prune/prunable.ts'
import { GridError } from '../../../src/base/errors.ts'
import type { HeldObject } from '../../../src/node/logs/log-account.ts'

const nowMs = 1000 * dayMs
const gigabyte = 1e9

function indexOf(number: number): Uint8Array {
  return new Uint8Array(20).fill(number)
}

function held(number: number, chargedBytes = 1e6): HeldObject {
  return { storageIndex: indexOf(number), touchedMs: 1, chargedBytes }
}

function snapshot(seq: number, said: Partial<Prunable['totals']> & { added?: number }): Prunable {
  const { added, ...totals } = said
  return {
    ...{ id: `s${seq}`, chain: 'laptop', seq, series: '', receivedMs: nowMs - (9 - seq) * dayMs },
    ...{ tags: [], seen: [], shortId: '', device: '', author: new Uint8Array(32) },
    top: {
      object: { root: new Uint8Array(32), k: 1, n: 1 },
      offset: 0,
      verifyKey: new Uint8Array(32),
    },
    totals: { bytes: gigabyte, files: 100, directories: 1, objects: 1, ...totals },
    addedBytes: added,
  }
}

/** Of three snapshots, the first of which is dropped: what the last one says, and what it really added. */
function doubtsAbout(
  last: Parameters<typeof snapshot>[1],
  addedBytes: number,
  servers: HeldShare[] = [],
): Doubt['kind'][] {
  const snapshots = [snapshot(1, {}), snapshot(2, {}), snapshot(3, last)]
  const kept = ['s2', 's3'].map((id) => ({ id, reasons: ['recent' as const] }))
  const plan = { kept, dropped: ['s1'], refusal: undefined }
  const newBytes = new Map([['s3', addedBytes]])
  return doubtsOf({ nowMs, snapshots, plan, newBytes, servers }).map(({ kind }) => kind)
}

describe('doubts of a prune', () => {
  it('are none about a backup that adds what it says', () => {
    assert.deepEqual(doubtsAbout({ added: 1e8 }, 1e8), [])
    // three times as much as before, and all that was there still is
    const grown = doubtsAbout({ bytes: 1.4 * gigabyte, added: 0.4 * gigabyte }, 0.4 * gigabyte)
    assert.deepEqual(grown, [])
  })

  it('come of what a snapshot replaced, however large it says it is', () => {
    for (const bytes of [gigabyte, 2 ** 50, Number.MAX_SAFE_INTEGER])
      for (const added of [undefined, 0, Number.MAX_SAFE_INTEGER])
        assert.deepEqual(doubtsAbout({ bytes, files: 2 ** 50, added }, gigabyte), ['replaced'])
    assert.deepEqual(doubtsAbout({ files: 60 }, 0), ['replaced'])
  })

  it('come of much that goes, though one server says that it holds far more', () => {
    const most = { heldBytes: 100, freedBytes: 60 }
    const liar = { heldBytes: 2 ** 50, freedBytes: 0 }
    assert.deepEqual(doubtsAbout({}, 0, [most, liar, most]), ['shrinks'])
    const few = { heldBytes: 100, freedBytes: 40 }
    assert.deepEqual(doubtsAbout({}, 0, [few, few, few]), [])
  })
})

describe('garbage', () => {
  const objects = new Map([1, 2, 3].map((number) => [indexKey(indexOf(number)), 3]))

  it('is what is not marked and was not touched of late', async () => {
    const garbage = new Garbage({ objects }, 10)
    await garbage.add([[held(1), held(4), { ...held(5), touchedMs: 10 }], [held(6, 0)]])
    assert.deepEqual(garbage.released, [indexOf(4), indexOf(6)])
    assert.deepEqual([garbage.heldBytes, garbage.freedBytes], [3_004_096, 1_004_096])
  })

  it('knows what kept snapshots want, and believes no server that fails half-way', async () => {
    const garbage = new Garbage({ objects }, 10)
    const all = [1, 2, 3].map((number) => held(number))
    await garbage.add([all])
    await garbage.add([all.slice(0, 2)])
    async function* broken(): AsyncGenerator<HeldObject[]> {
      yield [...all, held(9)]
      throw new GridError('E_CLOSED', 'gone')
    }
    await assert.rejects(garbage.add(broken()))
    assert.deepEqual(garbage.wanting, [indexOf(3)])
    assert.deepEqual(garbage.released, [])
  })
})
