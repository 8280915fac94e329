import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { GridError } from '../../../src/base/errors.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { parseCap } from '../../../src/caps/parse.ts'
import { PeerHealth } from '../../../src/node/peers/peer-health.ts'
import { type DrainReport, drainStore } from '../../../src/node/repair/drain-store.ts'
import type { ShareEntry } from '../../../src/storage/share-store.ts'
import { clock, content, MemoryGrid } from '../memory-grid.ts'

const redundancy = { k: 3, happy: 7, n: 10 }
const files = [1000, 70_000, 400_000]

let memory: MemoryGrid
let caps: string[]

function drain(i: number): Promise<DrainReport> {
  const context = { clock, random: new SystemRandom(), health: new PeerHealth(clock) }
  const others = memory.candidates.filter((_, other) => other !== i)
  return drainStore(context, memory.stores[i], others)
}

function counts({ shares, moved, there, stuck, damaged, failed }: DrainReport): number[] {
  return [shares, moved, there, stuck, damaged, failed]
}

/** A server that has a share of each file. */
async function fullServer(): Promise<number> {
  for (const [i, store] of memory.stores.entries())
    if ((await store.totals()).shareCount === files.length) return i
  throw new Error('there is none')
}

describe('drain', () => {
  let own: number

  beforeEach(async () => {
    memory = await MemoryGrid.of(12)
    caps = []
    for (const [i, length] of files.entries())
      caps.push((await memory.put(content(length, i), { redundancy })).cap)
    own = await fullServer()
  })

  it('puts every share onto a server that has none of the object, and does it once', async () => {
    assert.deepEqual(counts(await drain(own)), [3, 3, 0, 0, 0, 0])
    assert.deepEqual(counts(await drain(own)), [3, 0, 3, 0, 0, 0])
    memory.candidates.splice(own, 1)
    for (const [i, cap] of caps.entries()) {
      const states: string[] = []
      for await (const batch of memory.grid.upkeep.check([parseCap(cap)]))
        states.push(...batch.map(({ state }) => state))
      assert.deepEqual(states, ['healthy'])
      assert.deepEqual(await memory.get(cap), content(files[i], i))
    }
  })

  it('believes no server that only says that it has a share', async () => {
    for (let i = 0; i < 12; i++) {
      if ((await memory.stores[i].totals()).shareCount > 0) continue
      memory.wrap(i, () => ({
        have: async (indexes) => indexes.map(() => [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        prove: async () => new Uint8Array(32),
      }))
    }
    const [shares, moved, there, stuck] = counts(await drain(own))
    assert.deepEqual([shares, there, moved + stuck], [3, 0, 3])
  })

  it('counts on no share of a server that takes no more: it may be about to go, too', async () => {
    const entries = memory.stores[own].entries()[Symbol.asyncIterator]()
    const { storageIndex, shareNumber, shareBytes } = (await entries.next()).value as ShareEntry
    const share = await (await memory.stores[own].read(storageIndex, shareNumber))!.read(
      0,
      shareBytes,
    )
    let twin = -1
    for (const [i, store] of memory.stores.entries())
      if ((await store.list(storageIndex)).length === 0) twin = i
    const writer = await memory.stores[twin].create(storageIndex, shareNumber, shareBytes)
    await writer.write([share])
    await writer.commit()
    for (const i of [own, twin]) memory.candidates[i] = { ...memory.candidates[i], accepts: false }
    await drain(own)
    await drain(twin)
    const left = memory.stores.filter((_, i) => i !== own && i !== twin)
    const numbers = await Promise.all(left.map((store) => store.list(storageIndex)))
    assert.ok(numbers.flat().includes(shareNumber))
  })

  it('says which shares no other server can take', async () => {
    memory = await MemoryGrid.of(10)
    caps = [(await memory.put(content(5000), { redundancy })).cap]
    assert.deepEqual(counts(await drain(0)), [1, 0, 0, 1, 0, 0])
  })

  it('hands on no damaged share, and tries the next server where one fails', async () => {
    for (let i = 0; i < 12; i += 2)
      memory.wrap(i, () => ({ putShare: () => Promise.reject(new GridError('E_FULL', 'no')) }))
    const report = await drain(own)
    assert.equal(report.moved + report.failed, 3)
    await memory.spoil(own, (share) => (share[share.length - 1] ^= 1))
    for (let i = 0; i < 12; i++)
      if (i !== own) memory.wrap(i, () => ({ have: async (indexes) => indexes.map(() => []) }))
    const [, moved, , , damaged] = counts(await drain(own))
    assert.deepEqual([moved, damaged], [0, 3])
  })
})
