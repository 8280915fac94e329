/** What once went wrong in Tahoe-LAFS, and must not here. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'mocha'
import { equalBytes, toHex } from '../../src/base/bytes.ts'
import { ShareVerifier } from '../../src/encoding/share-verifier.ts'
import type { Redundancy } from '../../src/node/placement/placement.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import type { BlocksRequest } from '../../src/storage/peer.ts'
import { FrameDecoder, frameStart } from '../../src/wire/frame.ts'
import { type DiskCall, SimDisk } from '../sim/sim-disk.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { makeObject } from '../suites/objects.ts'
import { AttackedGrid, content, noRoom, range } from './attacked-grid.ts'
import { hugeBytes, hugeContent, putHuge } from './huge-file.ts'

const all = range(0, 10)

/** A grid of servers with disks, open. */
async function gridOnDisks(): Promise<{ attacked: AttackedGrid; disks: SimDisk[] }> {
  const disks: SimDisk[] = []
  const stores: DiskStore[] = []
  const attacked = AttackedGrid.of({
    store: (i, clock) => {
      const disk = new SimDisk({ random: new SimRandom(`disk ${i}`), totalBytes: 2 ** 30 })
      disks.push(disk)
      const store = new DiskStore({ disk: disk.mount(clock), root: 'storage' })
      stores.push(store)
      return store
    },
  })
  for (const store of stores) await attacked.run(store.open())
  return { attacked, disks }
}

/** The least of five times that `work` takes, in ms. */
function timed(work: () => void): number {
  return Math.min(
    ...range(0, 5).map(() => {
      const startMs = performance.now()
      work()
      return performance.now() - startMs
    }),
  )
}

describe('regressions', () => {
  for (const call of ['create', 'write', 'sync', 'rename', 'syncDirectory'] as DiskCall[]) {
    it(`T1, T2: a put whose servers run out of disk at ${call} fails, and really stores when it is tried again`, async () => {
      const { attacked, disks } = await gridOnDisks()
      const bytes = content(5000)
      for (const disk of disks.slice(0, 4)) disk.arm({ call, code: 'ENOSPC', skip: 0, count: 1 })
      const verdicts = await noRoom(attacked.put(bytes))
      assert.deepEqual(
        verdicts.map(({ peerId, code }) => `${peerId} ${code}`).sort(),
        range(0, 4).map((i) => `s${i} E_FULL`),
      )
      const { cap, servers } = await attacked.put(bytes)
      assert.equal(servers, 10)
      const everyone = attacked.candidates
      for (const first of all) {
        attacked.candidates = [0, 1, 2].map((i) => everyone[(first + i) % 10])
        assert.deepEqual(await attacked.get(cap), bytes)
      }
    })
  }

  describe('with a file of 12 GiB', () => {
    let attacked: AttackedGrid
    let cap: string

    before(async () => {
      attacked = AttackedGrid.of()
      cap = await putHuge(attacked)
    })

    it('T3: bytes about 2^31, 2^32, 2^33 and 12 GiB are the right ones', async () => {
      assert.equal(attacked.grid.size(cap), hugeBytes)
      for (const middle of [2 ** 31, 2 ** 32, 2 ** 33, 12 * 2 ** 30]) {
        const [start, end] = [middle - 5, middle + 5]
        assert.deepEqual(await attacked.get(cap, { start, end }), hugeContent(start, end))
      }
      const start = hugeBytes - 3
      assert.deepEqual(await attacked.get(cap, { start }), hugeContent(start, hugeBytes))
      assert.deepEqual(await attacked.get(cap, { start: hugeBytes }), new Uint8Array(0))
    })

    it('T6: no byte is given out that has not passed its hash, on any way to a large file', async () => {
      const start = 2 ** 32 - 5
      await noWayAround(attacked, cap, { start, end: start + 10 }, hugeContent(start, start + 10))
    })
  })

  it('T6: no byte is given out that has not passed its hash, on any way to a small file', async () => {
    for (const length of [1000, 300_000, 5_000_000]) {
      const attacked = AttackedGrid.of()
      const bytes = content(length)
      const { cap } = await attacked.put(bytes, { profile: 'fixed' })
      for (const start of [0, 140_000, 2_200_000].filter((from) => from < length)) {
        const end = Math.min(length, start + 200_000)
        await noWayAround(attacked, cap, { start, end }, bytes.subarray(start, end))
      }
    }
  })

  it('T7: a put and a get of every odd size give back the same bytes', async () => {
    const edges = [64, 992, 1024, 1056, 2016, 131_040, 131_072, 262_112]
    const sizes = new Set([...range(0, 70), ...edges.flatMap((edge) => range(edge - 4, edge + 5))])
    for (let length = 100; length < 4000; length += 97) sizes.add(length)
    const codings: Redundancy[] = [
      { k: 1, happy: 1, n: 1 },
      { k: 3, happy: 7, n: 10 },
      { k: 7, happy: 8, n: 9 },
    ]
    for (const redundancy of codings) {
      const attacked = AttackedGrid.of()
      for (const length of sizes) {
        const bytes = content(length, redundancy.k)
        const { cap, sizeBytes } = await attacked.put(bytes, { redundancy })
        assert.equal(sizeBytes, length)
        attacked.candidates.reverse()
        assert.ok(equalBytes(await attacked.get(cap), bytes), `${length} bytes`)
      }
    }
  })

  it('T8: comparing takes as long where the first byte differs as where the last does', () => {
    const [one, early, late] = [0, 1, 2].map(() => new Uint8Array(2 ** 22))
    early[0] = 1
    late[late.length - 1] = 1
    const compare = (other: Uint8Array): number => timed(() => assert.ok(!equalBytes(one, other)))
    compare(early)
    assert.ok(compare(late) < 4 * compare(early) + 0.2)
    assert.ok(compare(early) * 4 + 0.2 > timed(() => equalBytes(one, one)))
  })

  it('T9: checking a header that comes byte by byte takes time as its length does', () => {
    const check = (n: number): number => {
      const { storageIndex, shares } = makeObject({ k: 1, n, ciphertextBytes: 1024 })
      return timed(() => {
        const verifier = new ShareVerifier(storageIndex, 0, shares[0].length)
        for (let at = 0; at < 48 + 32 * n; at++) verifier.push(shares[0].subarray(at, at + 1))
      })
    }
    check(30)
    const ratio = check(240) / check(30)
    assert.ok(ratio < 18, `${ratio} times the time for 8 times the bytes`)
  })

  it('T9: taking a head that comes byte by byte takes time as its length does', () => {
    const take = (length: number): number => {
      const frame = frameStart(new Uint8Array(length))
      return timed(() => {
        const decoder = new FrameDecoder({ head() {}, body() {} })
        for (let at = 0; at < frame.length; at++) decoder.push(frame.subarray(at, at + 1))
      })
    }
    take(8_000)
    const ratio = take(64_000) / take(8_000)
    assert.ok(ratio < 18, `${ratio} times the time for 8 times the bytes`)
  })

  it('T10: ranges that are none are refused before any server is asked', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(content(1000))
    const { cap: literal } = await attacked.put(content(10))
    attacked.candidates = []
    const most = Number.MAX_SAFE_INTEGER
    const wrong: { start: number; end?: number }[] = [
      { start: -1 },
      { start: 1001 },
      { start: 5, end: 4 },
      { start: 0, end: -1 },
      { start: 0.5 },
      { start: NaN },
      { start: 0, end: NaN },
      { start: -Infinity },
      { start: Infinity },
      { start: most },
      { start: 2 ** 53, end: 2 ** 53 + 2 },
      { start: -(2 ** 63) },
    ]
    for (const none of wrong) {
      await assert.rejects(attacked.get(cap, none), { code: 'E_USAGE' })
      await assert.rejects(attacked.get(literal, none), { code: 'E_USAGE' })
    }
  })

  it('T10: a range beyond the end gives what there is', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(content(1000))
    const most = Number.MAX_SAFE_INTEGER
    for (const end of [1000, 1001, 2 ** 32, most, Infinity]) {
      assert.deepEqual(await attacked.get(cap, { start: 990, end }), content(1000).slice(990))
    }
  })
})

/**
 * Reads once honestly and notes what is asked for; then, for each thing that was asked for, every
 * server spoils just that, and the read must fail.
 */
async function noWayAround(
  attacked: AttackedGrid,
  cap: string,
  part: { start: number; end: number },
  expected: Uint8Array,
): Promise<void> {
  const nameOf = ({ storageIndex, firstSegment }: BlocksRequest): string =>
    `${toHex(storageIndex)} ${firstSegment}`
  const asked = new Set<string>()
  attacked.corrupt(all, () => ({
    getBlocks: ({ asked: [request], honest }) => {
      asked.add(nameOf(request))
      return honest()
    },
  }))
  assert.ok(equalBytes(await attacked.get(cap, part), expected))
  assert.ok(asked.size > 0)
  for (const name of asked) {
    attacked.corrupt(all, () => ({
      getBlocks: async ({ asked: [request], honest, random }) => {
        const reply = await honest()
        if (nameOf(request) === name) reply.blocks[random.bytes(1)[0] % reply.blocks.length] ^= 1
        return reply
      },
    }))
    await assert.rejects(attacked.get(cap, part), { code: 'E_NOT_ENOUGH_SHARES' })
  }
  attacked.corrupt([], () => ({}))
}
