/**
 * What all servers together see of a client: verbs, storage indexes, share numbers, lengths and times,
 * and nothing that depends on what is stored (docs/threats.md, "What servers see"). Two clients with other secrets store
 * other contents; the traces must not differ but in the names of objects.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { compareBytes } from '../../src/base/bytes.ts'
import { permuted } from '../../src/node/placement/placement.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import type { StorageIndex } from '../../src/storage/peer.ts'
import type { StreamRef } from '../../src/tree/stream-row.ts'
import type { ObjectRef } from '../../src/tree/refs.ts'
import { AttackedGrid, content, range } from './attacked-grid.ts'

/** One line for each request that any server sees, with objects and servers by number. */
class Witness {
  readonly lines: string[] = []
  readonly #attacked: AttackedGrid
  /** Storage indexes in the order in which they were first seen. */
  readonly #seen: string[] = []

  constructor(attacked: AttackedGrid) {
    this.#attacked = attacked
    attacked.corrupt(range(0, 10), (i) => this.#watching(`s${i}`))
  }

  #watching(id: string): Fault {
    return {
      have: ({ asked: [indexes], honest }) => {
        this.#note(id, 'have', indexes, [])
        return honest()
      },
      putShare: async ({ asked: [storageIndex, shareNumber, share], honest }) => {
        this.#note(id, 'putShare', [storageIndex], [shareNumber, share.shareBytes])
        return honest()
      },
      getBlocks: ({ asked: [request], honest }) => {
        const { storageIndex, shareNumber, firstSegment, segmentCount, maxBytes } = request
        const facts = [shareNumber ?? -1, firstSegment, segmentCount, maxBytes]
        this.#note(id, 'getBlocks', [storageIndex], facts)
        return honest()
      },
      prove: ({ asked: [storageIndex, shareNumber, nonce], honest }) => {
        this.#note(id, 'prove', [storageIndex], [shareNumber, nonce.length])
        return honest()
      },
    }
  }

  /** A server is called by its place in the order that the storage index gives. */
  #note(id: string, verb: string, indexes: readonly StorageIndex[], facts: number[]): void {
    const { clock, servers } = this.#attacked
    const names = indexes.map((index) => this.#numberOf(index))
    const sites = servers.map((server) => ({ id: server.id }))
    const rank = permuted(indexes[0], sites).findIndex((site) => site.id === id)
    const elapsedMs = Math.round(clock.monotonicMs())
    this.lines.push([elapsedMs, `server ${rank}`, verb, ...names, ...facts].join(' '))
  }

  #numberOf(index: StorageIndex): string {
    const name = toBase32(index)
    if (!this.#seen.includes(name)) this.#seen.push(name)
    return `object ${this.#seen.indexOf(name)}`
  }
}

/** Puts, puts again, reads whole and in part; what was seen. */
async function traceOf(secret: number, bytes: Uint8Array): Promise<string[]> {
  const attacked = AttackedGrid.of()
  attacked.grid = attacked.newClient(secret)
  const { lines } = new Witness(attacked)
  const { cap } = await attacked.put(bytes)
  await attacked.put(bytes)
  attacked.grid = attacked.newClient(secret)
  await attacked.get(cap)
  attacked.grid = attacked.newClient(secret)
  await attacked.get(cap, { start: 100, end: 200 })
  return lines
}

describe('what servers see', () => {
  for (const length of [1000, 100_000, 300_000]) {
    it(`server 40: two contents of ${length} bytes under two secrets leave one trace, but for the names`, async () => {
      const first = await traceOf(1, content(length))
      assert.ok(first.length > 20)
      assert.deepEqual(await traceOf(2, content(length, 77)), first)
      assert.deepEqual(await traceOf(3, new Uint8Array(length)), first)
    })
  }

  it('server 40: lengths are seen rounded up, and not to the byte', async () => {
    const lengths = [5000, 5010, 5050].map((length) => content(length))
    const [first, ...others] = await Promise.all(lengths.map((bytes) => traceOf(1, bytes)))
    for (const other of others) assert.deepEqual(other, first)
    assert.notDeepEqual(await traceOf(1, content(6000)), first)
  })

  it('server 40: an audit asks for objects in the order of their names, whatever order they have', async () => {
    const attacked = AttackedGrid.of()
    const objects: ObjectRef[] = []
    for (const salt of range(0, 12)) {
      const put = attacked.grid.trees.putContent({ stream: [content(1000, salt)] })
      objects.push(((await attacked.run(put)).content as StreamRef).object)
    }
    const asked: (readonly StorageIndex[])[] = []
    attacked.corrupt(range(0, 10), () => ({
      have: ({ asked: [indexes], honest }) => {
        asked.push(indexes)
        return honest()
      },
    }))
    for (const order of [objects, [...objects].reverse()]) {
      const { objects: audited } = await attacked.run(attacked.grid.trees.audit(order))
      assert.deepEqual(
        audited.map(({ object, servers }) => [object, servers]),
        order.map((object) => [object, 10]),
      )
    }
    assert.equal(asked.length, 20)
    for (const indexes of asked) assert.deepEqual(indexes, [...indexes].sort(compareBytes))
  })
})
