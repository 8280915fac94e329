import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { orAbort } from '../../src/base/deadline.ts'
import { type ErrorCode, GridError, isGridError } from '../../src/base/errors.ts'
import type { ChkCap } from '../../src/caps/cap.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import { storageIndexOf } from '../../src/encoding/descriptor.ts'
import { content, MemoryGrid } from './memory-grid.ts'

function hasCode(...codes: ErrorCode[]) {
  return (error: unknown): boolean => isGridError(error, ...codes)
}

const never = (options?: { signal?: AbortSignal }): Promise<never> => {
  return new Promise((_, reject) =>
    options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error)),
  )
}

describe('grid', () => {
  it('gives back what was put, at every size that changes the shape', async () => {
    const memory = await MemoryGrid.of(10)
    for (const length of [0, 1, 64, 65, 1000, 131_040, 131_041, 300_000, 5_000_000]) {
      const { cap, sizeBytes, servers } = await memory.put(content(length))
      assert.equal(sizeBytes, length)
      assert.equal(servers, length > 64 ? 10 : 0)
      assert.deepEqual(await memory.get(cap), content(length))
    }
  })

  it('reads any range', async () => {
    const memory = await MemoryGrid.of(10)
    const bytes = content(5_000_000)
    const { cap } = await memory.put(bytes)
    for (const [start, end] of [
      [0, 0],
      [0, 1],
      [4_999_999, 5_000_000],
      [131_040, 131_041],
      [2_097_151, 2_097_153],
      [100_000, 4_500_000],
      [5_000_000, 5_000_000],
    ] as const) {
      assert.deepEqual(await memory.get(cap, { start, end }), bytes.subarray(start, end))
    }
    assert.deepEqual(await memory.get(cap, { start: 4_999_000 }), bytes.subarray(4_999_000))
    await assert.rejects(memory.get(cap, { start: -1 }), hasCode('E_USAGE'))
    await assert.rejects(memory.get(cap, { start: 6_000_000 }), hasCode('E_USAGE'))
  })

  it('asks any number of servers how they are, and Node warns of no leak', async () => {
    const memory = await MemoryGrid.of(25)
    const servers = [...memory.candidates.entries()]
    for (const [i] of servers)
      memory.wrap(i, (peer) => ({ status: (options) => orAbort(peer.status(), options?.signal) }))
    const warnings: Error[] = []
    const note = (warning: Error): void => void warnings.push(warning)
    process.on('warning', note)
    try {
      const stop = new AbortController()
      const reports = await memory.grid.status({ signal: stop.signal })
      assert.equal(reports.filter(({ status }) => status !== undefined).length, servers.length)
      // warnings come a turn later
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(warnings, [])
      for (const [i] of servers) memory.wrap(i, () => ({ status: never }))
      const hanging = memory.grid.status({ signal: stop.signal })
      await new Promise((resolve) => setImmediate(resolve))
      stop.abort(new GridError('E_INTERRUPTED', 'enough'))
      const errors = (await hanging).map(({ error }) => error)
      assert.deepEqual(new Set(errors), new Set(['enough']))
    } finally {
      process.off('warning', note)
    }
  })

  it('survives the loss of any seven of ten servers', async () => {
    const memory = await MemoryGrid.of(10)
    const { cap } = await memory.put(content(300_000))
    const all = [...memory.candidates]
    for (let first = 0; first < 10; first++) {
      memory.candidates.splice(0, 10, ...[0, 1, 2].map((i) => all[(first + i * 3) % 10]))
      assert.deepEqual(await memory.get(cap), content(300_000))
    }
    memory.candidates.splice(2)
    await assert.rejects(memory.get(cap), hasCode('E_NOT_ENOUGH_SHARES'))
  })

  it('gives equal content one cap, and sends it once', async () => {
    const memory = await MemoryGrid.of(10)
    const first = await memory.put(content(300_000))
    const second = await memory.put(content(300_000))
    assert.equal(second.cap, first.cap)
    assert.equal(second.sentBytes, 0)
    assert.equal(second.hadBytes, first.sentBytes)
    const random = await memory.put(content(300_000), { convergence: 'random' })
    assert.notEqual(random.cap, first.cap)
    const stranger = await MemoryGrid.of(10, new Uint8Array(32).fill(2))
    assert.notEqual((await stranger.put(content(300_000))).cap, first.cap)
  })

  it('says what to run when fewer servers than there are shares took one', async () => {
    const memory = await MemoryGrid.of(8)
    const { notes } = await memory.put(content(1000), { redundancy: { k: 3, happy: 7, n: 10 } })
    assert.match(notes.join(), /^2 shares of 1 objects found no server: .*, run: grid repair CAP$/)
    const all = await memory.put(content(1000), { redundancy: { k: 3, happy: 7, n: 8 } })
    assert.deepEqual(all.notes, [])
  })

  it('lowers the redundancy for a small grid, and says so', async () => {
    const memory = await MemoryGrid.of(4)
    const { cap, redundancy, notes } = await memory.put(content(1000))
    assert.deepEqual(redundancy, { k: 2, happy: 3, n: 4 })
    assert.equal(notes.length, 1)
    assert.deepEqual(await memory.get(cap), content(1000))
  })

  it('makes no cap unless happy servers confirmed', async () => {
    const memory = await MemoryGrid.of(10)
    const full = (): Promise<never> => Promise.reject(new Error('full'))
    for (let i = 0; i < 3; i++) memory.wrap(i, () => ({ putShare: full }))
    assert.equal((await memory.put(content(1000))).servers, 7)
    memory.wrap(3, () => ({ putShare: full }))
    await assert.rejects(memory.put(content(2000)), hasCode('E_NOT_ENOUGH_SERVERS'))
    const nobody = await MemoryGrid.of(0)
    await assert.rejects(nobody.put(content(1000)), hasCode('E_NOT_ENOUGH_SERVERS'))
  })

  it('puts a share elsewhere when its server fails', async () => {
    const memory = await MemoryGrid.of(13)
    for (let i = 0; i < 3; i++)
      memory.wrap(i, () => ({ putShare: () => Promise.reject(new Error('broken')) }))
    assert.equal((await memory.put(content(1000))).servers, 10)
  })

  it('asks nobody about small shares, and finds out all the same who has them', async () => {
    const memory = await MemoryGrid.of(10)
    const asked = (): Promise<never> => Promise.reject(new Error('asked'))
    for (let i = 0; i < 10; i++) memory.wrap(i, () => ({ have: asked }))
    assert.equal((await memory.put(content(1000))).servers, 10)
    const again = await memory.put(content(1000))
    assert.deepEqual([again.sharesStored, again.sentBytes], [10, 0])
  })

  it('comes back to a server that missed the survey when another fails', async () => {
    const memory = await MemoryGrid.of(10)
    const fails = (): Promise<never> => Promise.reject(new GridError('E_CLOSED', 'reset'))
    for (const i of [0, 1]) memory.wrap(i, () => ({ have: fails, putShare: fails }))
    memory.wrap(2, () => ({ have: fails }))
    memory.wrap(3, () => ({ putShare: fails }))
    assert.equal((await memory.put(content(1000))).servers, 7)
    memory.wrap(4, () => ({ putShare: fails }))
    await assert.rejects(memory.put(content(2000)), hasCode('E_NOT_ENOUGH_SERVERS'))
  })

  for (const verb of ['have', 'putShare'] as const) {
    it(`goes on without a server that never answers ${verb}`, async () => {
      const memory = await MemoryGrid.of(10)
      memory.wrap(4, () => ({
        [verb]: (...args: unknown[]) => never(args.at(-1) as { signal: AbortSignal }),
      }))
      const { servers } = await memory.put(content(300_000))
      assert.equal(servers, 9)
    })
  }

  it('reads past servers that never answer, lie or fail', async () => {
    const memory = await MemoryGrid.of(10)
    const { cap } = await memory.put(content(300_000))
    for (let i = 0; i < 3; i++)
      memory.wrap(i, () => ({ getBlocks: (_, options) => never(options) }))
    for (let i = 3; i < 7; i++) {
      memory.wrap(i, (peer) => ({
        getBlocks: async (request, options) => {
          const reply = await peer.getBlocks(request, options)
          reply.blocks[i] ^= 1
          return reply
        },
      }))
    }
    assert.deepEqual(await memory.get(cap), content(300_000))
  })

  describe('with two shares on one server', () => {
    /** Servers 0 (with share 1 as well) and 2 of a 3-of-10 grid, and as many that hold nothing. */
    async function doubled(): Promise<{ memory: MemoryGrid; cap: string }> {
      const memory = await MemoryGrid.of(10)
      const { cap } = await memory.put(content(1000))
      const { peer: other } = memory.candidates[1]
      memory.wrap(0, (peer) => ({
        have: async (indexes) =>
          (await peer.have(indexes)).map((held, i) => [...held, ...otherHeld[i]]),
        getBlocks: async (request, options) => {
          const [held] = await other.have([request.storageIndex])
          const isOther = request.shareNumber !== undefined && held.includes(request.shareNumber)
          return (isOther ? other : peer).getBlocks(request, options)
        },
      }))
      const storageIndex = storageIndexOf((parseCap(cap) as ChkCap).root)
      const otherHeld = await other.have([storageIndex])
      for (let i = 3; i < 10; i++) {
        memory.wrap(i, () => ({ getBlocks: () => Promise.reject(new GridError('E_ABSENT', 'no')) }))
      }
      memory.candidates.splice(1, 1)
      return { memory, cap }
    }

    it('finds them both', async () => {
      const { memory, cap } = await doubled()
      assert.deepEqual(await memory.get(cap), content(1000))
    })

    it('finds them while another server hangs', async () => {
      const { memory, cap } = await doubled()
      memory.wrap(8, () => ({ getBlocks: (_, options) => never(options) }))
      assert.deepEqual(await memory.get(cap), content(1000))
    })

    it('finds the second where the first is damaged on its disk', async () => {
      const { memory, cap } = await doubled()
      memory.wrap(0, (peer) => ({
        getBlocks: (request, options) =>
          request.shareNumber === undefined
            ? Promise.reject(new GridError('E_IO', 'damaged'))
            : peer.getBlocks(request, options),
      }))
      assert.deepEqual(await memory.get(cap), content(1000))
    })

    it('finds them though others pass their noise off as the same shares', async () => {
      const { memory, cap } = await doubled()
      const honest = memory.candidates.slice(0, 2)
      for (let i = 2; i < 9; i++) {
        memory.wrap(i, () => ({
          getBlocks: async (request, options) => {
            const reply = await honest[i % 2].peer.getBlocks(request, options)
            reply.blocks[0] ^= 1
            return reply
          },
        }))
      }
      assert.deepEqual(await memory.get(cap), content(1000))
    })
  })

  it('warns when one operator shows as ten servers of one network, and stores all the same', async () => {
    const memory = await MemoryGrid.of(16)
    const place = (domains: (i: number) => string | undefined): void => {
      for (const [i, candidate] of memory.candidates.entries()) candidate.domain = domains(i)
    }
    place((i) => (i < 9 ? 'net=198.51.7.0/24' : undefined))
    const spread = await memory.put(content(200_000))
    assert.equal(spread.sharesStored, 10)
    assert.deepEqual(spread.notes, [])
    const own = memory.candidates.filter(({ domain }) => domain !== undefined)
    const held = await Promise.all(own.map(async ({ peer }) => (await peer.status()).shareCount))
    assert.equal(
      held.reduce((sum, count) => sum + count, 0),
      3,
    )
    place((i) => (i < 10 ? 'net=198.51.7.0/24' : undefined))
    const crowded = await memory.put(content(200_000, 1))
    assert.equal(crowded.sharesStored, 10)
    assert.match(
      crowded.notes.join(),
      /4 shares .* net=198\.51\.7\.0\/24, and may be lost together/,
    )
  })

  it('refuses caps that read nothing, and a redundancy that could not be read', async () => {
    const memory = await MemoryGrid.of(10)
    await assert.rejects(
      memory.get('URI:CHK:x'),
      hasCode('E_CAP_SYNTAX', 'E_CAP_FIELD', 'E_CAP_CHECK'),
    )
    await assert.rejects(
      memory.put(content(1000), { redundancy: { k: 3, happy: 2, n: 10 } }),
      RangeError,
    )
  })

  it('refuses a cap of another size than its file', async () => {
    const memory = await MemoryGrid.of(1)
    const resized = async (length: number, sizeBytes: number): Promise<Uint8Array> => {
      const { cap } = await memory.put(content(length))
      return memory.get(formatCap({ ...parseCap(cap), sizeBytes } as ChkCap))
    }
    for (const size of [4_999_999, 5_000_001])
      await assert.rejects(resized(5_000_000, size), hasCode('E_NODE'))
    await assert.rejects(resized(1000, 1024 * 1024), hasCode('E_SIZE'))
  })

  it('stops at once when it is told to', async () => {
    const memory = await MemoryGrid.of(10)
    for (let i = 0; i < 10; i++)
      memory.wrap(i, () => ({ putShare: (_i, _n, _s, options) => never(options) }))
    const controller = new AbortController()
    const put = memory.put(content(1000), { signal: controller.signal })
    controller.abort(new Error('enough'))
    await assert.rejects(put, /enough/)
  })
})
