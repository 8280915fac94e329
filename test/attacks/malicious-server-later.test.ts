/** Servers that keep to their word at first, or for some. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { sleep } from '../../src/base/clock.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { storageIndexOf } from '../../src/encoding/descriptor.ts'
import { faults } from '../../src/storage/faults.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { BlocksRequest } from '../../src/storage/peer.ts'
import type { ObjectRef } from '../../src/tree/refs.ts'
import type { StreamRef } from '../../src/tree/stream-row.ts'
import { AttackedGrid, content, indexOfCap, notEnoughShares, range } from './attacked-grid.ts'

const bytes = content(300_000)
const redundancy = { k: 3, happy: 7, n: 10 }
const laterMs = 5 * 60_000
/** Where a share has the suite of its descriptor. */
const suiteAt = 8 + 4

/** Puts `bytes` so that its object can be audited too. */
async function putObject(attacked: AttackedGrid, content = bytes): Promise<ObjectRef> {
  const stream = { stream: [content], sizeBytes: content.length }
  const file = await attacked.run(attacked.grid.trees.putContent(stream, { redundancy }))
  return (file.content as StreamRef).object
}

async function audited(attacked: AttackedGrid, object: ObjectRef) {
  const { objects } = await attacked.run(attacked.grid.trees.audit([object]))
  return objects[0]
}

/** What a server sees of a request for blocks, but for which object and which segment it is about. */
function shapeOf({ storageIndex, firstSegment, ...shape }: BlocksRequest): string {
  return JSON.stringify({ ...shape, bytes: storageIndex.length, whole: firstSegment % 1 === 0 })
}

describe('malicious server, later', () => {
  it('server 15: shares that are deleted later are missed by an audit, and placed elsewhere by the next put', async () => {
    const attacked = AttackedGrid.of({ servers: 17 })
    attacked.corrupt(range(0, 17), () => faults.deletesLater(laterMs))
    const object = await putObject(attacked)
    assert.equal((await audited(attacked, object)).servers, 10)
    const holders: number[] = []
    for (const [i, server] of attacked.servers.entries()) {
      const [held] = await attacked.run(server.have([storageIndexOf(object.root)]))
      if (held.length > 0) holders.push(i)
    }
    const liars = new Set(holders.slice(0, 7))
    for (const [i, server] of attacked.servers.entries())
      if (!liars.has(i)) server.fault = undefined
    await attacked.run(sleep(attacked.clock, laterMs))
    const after = await audited(attacked, object)
    assert.deepEqual([after.servers, after.shares], [3, 3])
    // three of ten are left: it is still read, and the next put makes it ten again
    const again = await putObject(attacked)
    assert.deepEqual(again, object)
    const mended = await audited(attacked, object)
    assert.deepEqual([mended.servers, mended.shares], [10, 10])
  })

  it('server 16: an audit asks in the words of who reads a few bytes, so that nobody can answer audits only', async () => {
    const attacked = AttackedGrid.of()
    const large = content(1_000_000)
    const object = await putObject(attacked, large)
    const { cap } = await attacked.put(large)
    const seen: { audits: Set<string>; reads: Set<string> } = {
      audits: new Set(),
      reads: new Set(),
    }
    const segments = new Set<number>()
    let now: Set<string> = seen.audits
    attacked.corrupt(range(0, 10), () => ({
      getBlocks: ({ asked: [request], honest }) => {
        now.add(shapeOf(request))
        if (now === seen.audits) segments.add(request.firstSegment)
        return honest()
      },
    }))
    for (let i = 0; i < 60; i++) assert.equal((await audited(attacked, object)).block, 'good')
    now = seen.reads
    for (const start of [0, 400_000, 999_000]) {
      attacked.grid = attacked.newClient()
      await attacked.get(cap, { start, end: start + 10 })
    }
    assert.deepEqual([...seen.audits], [...seen.reads])
    assert.equal(seen.audits.size, 1)
    assert.deepEqual([...segments].sort(), range(0, Math.ceil(object.ciphertextBytes / 2 ** 17)))
  })

  it('server 16: who gives one block at a time and no whole share costs a reader no byte', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(content(1_000_000))
    const answersAudits = (): Fault => ({
      getBlocks: ({ asked: [request], honest }) =>
        request.segmentCount > 1 ? Promise.reject(new GridError('E_ABSENT', 'no')) : honest(),
    })
    for (const first of range(0, 4)) {
      attacked.grid = attacked.newClient()
      attacked.corrupt(range(first, first + 7), answersAudits)
      assert.deepEqual(await attacked.get(cap), content(1_000_000))
    }
    attacked.corrupt(range(0, 8), answersAudits)
    const liars = await notEnoughShares(attacked.get(cap))
    assert.equal(new Set(liars.map(({ peerId }) => peerId)).size, 8)
  })

  /** Gives what a later version would: another suite, and who knows what behind it. */
  const later = (): Fault => ({
    getBlocks: async ({ honest }) => {
      const reply = { ...(await honest()) }
      reply.header = reply.header.slice()
      reply.header[suiteAt] = 2
      reply.header[suiteAt + 20] ^= 1
      return reply
    },
  })

  it('server 35: shares of a later suite are called newer and not damaged, and others are read', async () => {
    const attacked = AttackedGrid.of()
    const object = await putObject(attacked)
    const { cap } = await attacked.put(bytes)
    attacked.corrupt(range(0, 7), later)
    assert.deepEqual(await attacked.get(cap), bytes)
    attacked.corrupt(range(0, 10), later)
    assert.equal((await audited(attacked, object)).block, 'unanswered')
    attacked.grid = attacked.newClient()
    const error: unknown = await attacked.get(cap).catch((reason: unknown) => reason)
    assert.ok(isGridError(error, 'E_VERSION'), String(error))
    assert.match(error.message, /newer format/)
    assert.match(error.hint ?? '', /upgrade/)
  })

  it('server 35: a bit that is lost in the suite is damage, and fewer servers than make a file cannot pass it off as newer', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(bytes)
    attacked.corrupt(range(0, 8), (i) => (i < 2 ? later() : faults.forgets()))
    const verdicts = await notEnoughShares(attacked.get(cap))
    const newer = verdicts.filter(({ code }) => code === 'E_VERSION')
    assert.deepEqual(new Set(newer.map(({ peerId }) => peerId)), new Set(['s0', 's1']))
    attacked.corrupt(range(0, 10), () => faults.flipsBit(suiteAt))
    attacked.grid = attacked.newClient()
    const damaged = await notEnoughShares(attacked.get(cap))
    assert.ok(damaged.length > 0 && damaged.every(({ code }) => code === 'E_SHARE'))
  })

  it('server 41: a server that is full every other time is passed by, and nothing goes round in circles', async () => {
    const attacked = AttackedGrid.of()
    let asked = 0
    const flaps = (): Fault => {
      let turn = 0
      return {
        putShare: ({ honest }) => {
          asked++
          return turn++ % 2 === 0 ? Promise.reject(new GridError('E_FULL', 'no room')) : honest()
        },
      }
    }
    attacked.corrupt(range(0, 3), flaps)
    for (let i = 0; i < 20; i++) {
      const { servers, cap } = await attacked.put(content(1000, i))
      assert.ok(servers >= 7)
      assert.deepEqual(await attacked.get(cap), content(1000, i))
    }
    assert.ok(asked <= 20 * 3, `${asked} questions`)
    asked = 0
    attacked.corrupt(range(0, 10), flaps)
    let failed = 0
    for (let i = 0; i < 20; i++) {
      const startMs = attacked.clock.monotonicMs()
      const put = attacked.put(content(1000, 100 + i))
      failed += await put.then(
        () => 0,
        (error: unknown) => (isGridError(error, 'E_FULL') ? 1 : assert.fail(String(error))),
      )
      assert.ok(attacked.clock.monotonicMs() - startMs < 10_000)
    }
    assert.ok(failed > 0 && failed < 20, `${failed} failed`)
    assert.ok(asked <= 20 * 20, `${asked} questions`)
  })

  it('server 38: shares that are spoilt only when a repair reads them are not spread', async () => {
    const stores = range(0, 10).map(() => new MemoryStore())
    const attacked = AttackedGrid.of({ store: (i) => stores[i] })
    const { cap } = await attacked.put(bytes)
    const index = indexOfCap(cap)
    const lost = range(0, 5)
    const lose = async (): Promise<void> => {
      for (const i of lost)
        for (const number of await stores[i].list(index)) await stores[i].remove(index, number)
    }
    const repaired = async (): Promise<{ outcome: string; servers: number }[]> => {
      const found: { outcome: string; servers: number }[] = []
      const work = async (): Promise<void> => {
        for await (const batch of attacked.grid.upkeep.repair([parseCap(cap)]))
          found.push(...batch.map(({ outcome, servers }) => ({ outcome, servers })))
      }
      await attacked.run(work())
      return found
    }
    await lose()
    attacked.corrupt([5, 6], () => faults.flipsBit(2000))
    await repaired()
    // what was made anew is read alone, and right
    attacked.corrupt(range(5, 10), () => faults.forgets())
    attacked.grid = attacked.newClient()
    assert.deepEqual(await attacked.get(cap), bytes)
    // with too few good ones nothing is made at all
    await lose()
    attacked.grid = attacked.newClient()
    attacked.corrupt([5, 6, 7], () => faults.flipsBit(2000))
    const [{ outcome }] = await repaired()
    assert.notEqual(outcome, 'mended')
    for (const i of lost) assert.deepEqual(await stores[i].list(index), [])
  })
})
