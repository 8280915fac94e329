import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { GridError } from '../../../src/base/errors.ts'
import type { StreamRef } from '../../../src/tree/stream-row.ts'
import type { ObjectRef } from '../../../src/tree/refs.ts'
import { content, MemoryGrid } from '../memory-grid.ts'

const redundancy = { k: 2, happy: 4, n: 4 }

describe('audit', () => {
  let memory: MemoryGrid
  let objects: ObjectRef[]

  beforeEach(async () => {
    memory = await MemoryGrid.of(4)
    objects = []
    for (const length of [100, 5000, 400_000]) {
      const file = await memory.grid.trees.putContent({ stream: [content(length)] }, { redundancy })
      objects.push((file.content as StreamRef).object)
    }
  })

  it('finds what is there with one question to each server, and without keys', async () => {
    const asked = [0, 0]
    for (let i = 0; i < 4; i++) {
      memory.wrap(i, (peer) => ({
        have: (...args) => {
          asked[0]++
          return peer.have(...args)
        },
        getBlocks: (...args) => {
          asked[1]++
          return peer.getBlocks(...args)
        },
      }))
    }
    const { objects: audited, silent } = await memory.grid.trees.audit(objects)
    assert.deepEqual(
      audited,
      objects.map((object) => ({ object, servers: 4, shares: 4, block: 'good' })),
    )
    assert.deepEqual(silent, [])
    assert.deepEqual(asked, [4, 3])
  })

  it('counts nothing that nobody answers for', async () => {
    const missing = { ...objects[0], root: new Uint8Array(32).fill(9) }
    const { objects: audited } = await memory.grid.trees.audit([missing])
    assert.deepEqual(audited, [{ object: missing, servers: 0, shares: 0, block: 'unanswered' }])
    for (let i = 0; i < 3; i++)
      memory.wrap(i, () => ({ have: () => Promise.reject(new GridError('E_TIMEOUT', 'late')) }))
    memory.wrap(3, () => ({ getBlocks: () => Promise.reject(new GridError('E_TIMEOUT', 'late')) }))
    const report = await memory.grid.trees.audit(objects)
    assert.deepEqual(
      report.objects.map(({ servers, shares, block }) => [servers, shares, block]),
      objects.map(() => [1, 1, 'unanswered']),
    )
    assert.deepEqual(
      report.silent.map(({ code }) => code),
      ['E_TIMEOUT', 'E_TIMEOUT', 'E_TIMEOUT'],
    )
  })

  it('is not taken in by servers that lie', async () => {
    const lies = [
      // says that it has everything
      () => ({ have: async (indexes: readonly unknown[]) => indexes.map(() => [0, 1, 2, 3, 200]) }),
      // has lost what it says it has
      () => ({ getBlocks: () => Promise.reject(new GridError('E_ABSENT', 'no')) }),
    ]
    for (const lie of lies) {
      for (let i = 0; i < 4; i++) memory.wrap(i, lie)
      const { objects: audited } = await memory.grid.trees.audit(objects)
      for (const { servers, shares } of audited) assert.deepEqual([servers, shares], [4, 4])
    }
    assert.ok(
      (await memory.grid.trees.audit(objects)).objects.every(({ block }) => block === 'bad'),
    )
  })

  it('sees a block that is damaged, another share and another object', async () => {
    const spoilers: ((reply: { header: Uint8Array; blocks: Uint8Array }) => void)[] = [
      ({ blocks }) => (blocks[blocks.length - 1] ^= 1),
      ({ header }) => (header[4] ^= 1),
      ({ header }) => (header[40] ^= 1),
    ]
    for (const spoil of spoilers) {
      const spoilt = await MemoryGrid.of(0)
      spoilt.candidates.push(...memory.candidates)
      for (let i = 0; i < 4; i++) {
        spoilt.wrap(i, (peer) => ({
          getBlocks: async (...args) => {
            const reply = await peer.getBlocks(...args)
            const own = { ...reply, header: reply.header.slice(), blocks: reply.blocks.slice() }
            spoil(own)
            return own
          },
        }))
      }
      const { objects: audited } = await spoilt.grid.trees.audit(objects)
      assert.ok(audited.every(({ block }) => block === 'bad'))
    }
    const longer = { ...objects[0], ciphertextBytes: 200_000 }
    const { objects: audited } = await memory.grid.trees.audit([longer])
    assert.equal(audited[0].block, 'bad')
  })

  it('ends when it is told to', async () => {
    memory.wrap(0, () => ({ have: () => new Promise(() => undefined) }))
    const stop = new AbortController()
    const reason = new Error('enough')
    const audit = memory.grid.trees.audit(objects, { signal: stop.signal })
    stop.abort(reason)
    await assert.rejects(audit, reason)
  })
})
