/** What a client may try against a server, and what the server's own disk may do to it. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat } from '../../src/base/bytes.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import { LocalPeer, type LocalPeerOptions } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { gatherBytes, putDeadlineMs } from '../../src/storage/share-intake.ts'
import type { ShareStore } from '../../src/storage/share-store.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { entriesOf, putBytes } from '../suites/share-store.ts'
import { flipped, getShare, heldBody, putObjectShare, refused } from '../suites/storage-peer.ts'
import { hookedStore } from './hooked-store.ts'

const object = makeObject()
const { storageIndex, shares } = object
const nonce = new Uint8Array(32)
const never = new Promise<never>(() => {})

function peerOver(store: ShareStore, options: Partial<LocalPeerOptions> = {}): LocalPeer {
  return new LocalPeer({ id: 'peer', store, clock: new SystemClock(), reserveBytes: 0, ...options })
}

/** Resolves with the codes of refused puts, and `stored` or `had` of the others, counted. */
async function tally(puts: Promise<string>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const outcome of await Promise.allSettled(puts)) {
    const word = outcome.status === 'fulfilled' ? outcome.value : codeOf(outcome.reason)
    counts[word] = (counts[word] ?? 0) + 1
  }
  return counts
}

function codeOf(error: unknown): string {
  return isGridError(error) ? error.code : String(error)
}

describe('LocalPeer against a hostile client', () => {
  it('refuses a share with any one bit changed, and keeps nothing of it', async () => {
    const store = new MemoryStore()
    const peer = peerOver(store)
    const small = makeObject({ ciphertextBytes: 1024, k: 3, n: 3 })
    for (let position = 0; position < small.shares[1].length; position++) {
      for (let bit = 0; bit < 8; bit++) {
        const spoilt = small.shares[1].slice()
        spoilt[position] ^= 1 << bit
        const put = peer.putShare(small.storageIndex, 1, bodyOf(spoilt))
        await refused(put, 'E_SHARE', 'E_DESCRIPTOR', 'E_BLOCK', 'E_VERSION')
      }
    }
    assert.deepEqual(await entriesOf(store), [])
    assert.equal(await putObjectShare(peer, small, 1), 'stored')
  })

  it('client 9: gives space back from a put that is begun and never ended', async () => {
    const clock = new SimClock(new SimRandom('never ended'))
    const store = new MemoryStore({ capacityBytes: 8192 })
    const peer = peerOver(store, { clock })
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield shares[0].subarray(0, 500)
      await never
    }
    const put = peer.putShare(storageIndex, 0, { shareBytes: shares[0].length, pieces: pieces() })
    const timedOut = refused(put, 'E_TIMEOUT')
    await clock.run({ untilMs: putDeadlineMs - 1 })
    assert.equal((await peer.status()).freeBytes, 8192 - 4096)
    await clock.run()
    await timedOut
    assert.equal((await peer.status()).freeBytes, 8192)
  })

  it('client 10: promises no more space than there is, however many ask at once', async () => {
    const objects = Array.from({ length: 40 }, (_, i) => makeObject({ seed: `full ${i}` }))
    const store = new MemoryStore({ capacityBytes: 3000 + 7 * 4096 + 4095 })
    const peer = peerOver(store, { reserveBytes: 3000 })
    const bodies = objects.map((each) => heldBody(each.shares[0]))
    const puts = objects.map((each, i) => peer.putShare(each.storageIndex, 0, bodies[i]))
    await assert.rejects(Promise.race(puts))
    for (const body of bodies) body.go()
    assert.deepEqual(await tally(puts), { stored: 7, E_FULL: 33 })
  })

  it('client 10: promises no more space than there is while puts start and end in any order', async () => {
    const random = new SimRandom('order of puts')
    const capacityBytes = 64 * 4096
    const reserveBytes = 4 * 4096
    const store = new MemoryStore({ capacityBytes })
    let least = Infinity
    const dawdle = async (): Promise<void> => {
      for (let turns = random.below(40); turns > 0; turns--) await Promise.resolve()
    }
    const peer = peerOver(
      hookedStore(store, {
        space: dawdle,
        create: dawdle,
        commit: dawdle,
        write: async () => {
          await dawdle()
          least = Math.min(least, (await store.space()).freeBytes)
        },
      }),
      { reserveBytes },
    )
    const objects = Array.from({ length: 150 }, (_, i) =>
      makeObject({ seed: `order ${i}`, ciphertextBytes: 4096, k: 1, n: 1 }),
    )
    const puts = objects.map(async (each) => {
      await dawdle()
      return putObjectShare(peer, each, 0)
    })
    const { stored, E_FULL: full } = await tally(puts)
    assert.equal(stored + full, 150)
    assert.ok(stored > 30, `${stored} stored`)
    const { freeBytes } = await store.space()
    assert.ok(Math.min(freeBytes, least) >= reserveBytes, `${freeBytes} bytes left, ${least} once`)
  })

  it('client 26: charges the smallest share 4 KiB, so that tiny ones cannot eat into the reserve', async () => {
    const tiny = makeObject({ ciphertextBytes: 1024, k: 5, n: 5 })
    assert.ok(tiny.shares[0].length < 1000)
    const exact = peerOver(new MemoryStore({ capacityBytes: 8192 }), { reserveBytes: 4096 })
    assert.equal(await putObjectShare(exact, tiny, 0), 'stored')
    const less = peerOver(new MemoryStore({ capacityBytes: 8191 }), { reserveBytes: 4096 })
    await refused(putObjectShare(less, tiny, 0), 'E_FULL')
  })

  it('client 25: still reads and proves when it is filled to the reserve', async () => {
    const store = new MemoryStore({ capacityBytes: 5000 })
    const peer = peerOver(store)
    await putObjectShare(peer, object, 0)
    await refused(putObjectShare(peer, object, 1), 'E_FULL')
    assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
    assert.equal((await peer.prove(storageIndex, 0, nonce)).length, 32)
    assert.equal(await putObjectShare(peer, object, 0), 'had')
  })

  it('keeps a gibibyte or a twentieth of the disk free unless told otherwise', async () => {
    const expected: [capacityBytes: number, freeBytes: number][] = [
      [2 ** 30, 0],
      [2 ** 30 + 4096, 4096],
      [100 * 2 ** 30, 95 * 2 ** 30],
    ]
    for (const [capacityBytes, freeBytes] of expected) {
      const store = new MemoryStore({ capacityBytes })
      const peer = new LocalPeer({ id: 'peer', store, clock: new SystemClock() })
      assert.equal((await peer.status()).freeBytes, freeBytes)
    }
  })

  it('never asks for the body of a share it holds or has no space for', async () => {
    const peer = peerOver(new MemoryStore({ capacityBytes: 5000 }))
    await putObjectShare(peer, object, 0)
    const body = (shareBytes: number) => ({
      shareBytes,
      get pieces(): Uint8Array[] {
        throw new Error('asked for the body')
      },
    })
    assert.equal(await peer.putShare(storageIndex, 0, body(shares[0].length)), 'had')
    await refused(peer.putShare(storageIndex, 1, body(shares[1].length)), 'E_FULL')
  })

  it('handles a large share in small parts', async () => {
    let largest = 0
    const note = async (byteCount: number): Promise<void> => {
      largest = Math.max(largest, byteCount)
    }
    const peer = peerOver(hookedStore(new MemoryStore(), { write: note, read: note }))
    const large = makeObject({ ciphertextBytes: 2 ** 22, k: 1, n: 1 })
    await putObjectShare(peer, large, 0)
    await peer.prove(large.storageIndex, 0, nonce)
    assert.equal(await putObjectShare(peer, large, 0), 'had')
    assert.equal(largest, gatherBytes)
  })

  it('reads a small share once to answer for header and blocks', async () => {
    let reads = 0
    const read = async (): Promise<void> => {
      reads++
    }
    const peer = peerOver(hookedStore(new MemoryStore(), { read }))
    await putObjectShare(peer, object, 0)
    await getShare(peer, storageIndex, 0)
    assert.equal(reads, 1)
  })
})

describe('LocalPeer with two equal puts under way', () => {
  /** A peer whose first commit waits for `go`, and then fails if it is told so. */
  function held() {
    let release: (error?: Error) => void = () => {}
    let reach: () => void = () => {}
    const reached = new Promise<void>((resolve) => (reach = resolve))
    let commits = 0
    const commit = (): Promise<void> => {
      if (commits++ > 0) return Promise.resolve()
      reach()
      return new Promise((resolve, reject) => {
        release = (error) => (error ? reject(error) : resolve())
      })
    }
    const peer = peerOver(hookedStore(new MemoryStore(), { commit }))
    return { peer, reached, release: (error?: Error) => release(error) }
  }

  it('says `had` to the second only once the first is durable', async () => {
    const { peer, reached, release } = held()
    const first = putObjectShare(peer, object, 0)
    await reached
    let answered = false
    const second = putObjectShare(peer, object, 0).finally(() => (answered = true))
    await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(answered, false)
    release()
    assert.deepEqual(await Promise.all([first, second]), ['stored', 'had'])
  })

  it('takes no more of the second once the first is durable', async () => {
    const peer = peerOver(new MemoryStore())
    const body = heldBody(shares[0])
    let takenBytes = 0
    const second = peer.putShare(storageIndex, 0, body, {
      onProgress: (bytesSoFar) => (takenBytes = bytesSoFar),
    })
    await body.reached
    assert.equal(await putObjectShare(peer, object, 0), 'stored')
    body.go()
    assert.equal(await second, 'had')
    assert.equal(takenBytes, shares[0].length >> 1)
  })

  it('stores the second when the first cannot be made durable', async () => {
    const { peer, reached, release } = held()
    const first = refused(putObjectShare(peer, object, 0), 'E_FULL')
    await reached
    const second = putObjectShare(peer, object, 0)
    release(new GridError('E_FULL', 'planned'))
    await first
    assert.equal(await second, 'stored')
    assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
  })
})

describe('LocalPeer whose share was damaged on disk', () => {
  const places = { 'its header': 100, 'a block': shares[0].length - 1 }
  for (const [place, position] of Object.entries(places)) {
    it(`takes it again when ${place} is damaged`, async () => {
      const store = new MemoryStore()
      const peer = peerOver(store)
      await putBytes(store, storageIndex, 0, flipped(shares[0], position))
      assert.equal(await putObjectShare(peer, object, 0), 'stored')
      assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
      assert.equal((await peer.status()).shareCount, 1)
    })
  }

  it('takes it again when its length is wrong, and says E_IO to readers until then', async () => {
    const longer = concat(shares[0], Uint8Array.of(0))
    for (const length of [0, 7, 300, shares[0].length - 1, longer.length]) {
      const store = new MemoryStore()
      const peer = peerOver(store)
      await putBytes(store, storageIndex, 0, longer.subarray(0, length))
      await refused(getShare(peer, storageIndex, 0), 'E_IO')
      assert.equal(await putObjectShare(peer, object, 0), 'stored')
      assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
    }
  })

  it('says E_IO where another share lies under the name, and serves none of it', async () => {
    const store = new MemoryStore()
    const peer = peerOver(store)
    await putBytes(store, storageIndex, 0, shares[1])
    await putBytes(store, storageIndex, 1, makeObject({ seed: 'other' }).shares[1])
    await refused(getShare(peer, storageIndex, 0), 'E_IO')
    await refused(getShare(peer, storageIndex, 1), 'E_IO')
    assert.equal((await peer.status()).readOnly, false)
  })

  it('looks for no more shares once nobody waits for the answer', async () => {
    const store = new MemoryStore()
    const gone = new AbortController()
    let looks = 0
    store.list = async () => {
      if (++looks === 10) gone.abort(new GridError('E_INTERRUPTED', 'planned'))
      return []
    }
    const many = new Array<Uint8Array>(1024).fill(storageIndex)
    await refused(peerOver(store).have(many, { signal: gone.signal }), 'E_INTERRUPTED')
    assert.ok(looks < 20, `${looks} looks`)
  })
})
