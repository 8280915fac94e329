/**
 * What every storage peer must do, as a function of how to make one: the same for a server in this
 * process and for one at the other end of a wire.
 */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'mocha'
import { concat } from '../../src/base/bytes.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import { hmac } from '../../src/base/hash.ts'
import { blockOffset, headerLength, parseShareHeader } from '../../src/encoding/share.ts'
import type { LocalPeerOptions } from '../../src/storage/local-peer.ts'
import {
  maxHaveIndexes,
  maxShareBytes,
  type PutOutcome,
  type ShareBody,
  type StoragePeer,
} from '../../src/storage/peer.ts'
import { bodyOf, cut, largestObject, makeObject, type TestObject } from './objects.ts'

/** How the server behind the peer is to be set; the rest is the factory's. */
export type ServerSettings = Pick<
  LocalPeerOptions,
  'reserveBytes' | 'readOnly' | 'maxPuts' | 'maxWaitingPuts' | 'proofBytesPerSecond'
>

export interface StoragePeerFixture {
  /** In front of a server that holds nothing. */
  peer: StoragePeer
  close(): Promise<void>
}

/** Rejects unless `promise` rejects with a GridError of one of `codes`. */
export function refused(promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(isGridError(error, ...codes), `${String(error)} is not of ${codes.join(', ')}`)
    return true
  })
}

export function putObjectShare(
  peer: StoragePeer,
  object: TestObject,
  shareNumber: number,
): Promise<PutOutcome> {
  return peer.putShare(object.storageIndex, shareNumber, bodyOf(object.shares[shareNumber]))
}

/** The whole share as a peer gives it back. */
export async function getShare(
  peer: StoragePeer,
  storageIndex: Uint8Array,
  shareNumber: number | undefined,
): Promise<Uint8Array> {
  const { header, blocks } = await peer.getBlocks({
    storageIndex,
    shareNumber,
    header: true,
    firstSegment: 0,
    segmentCount: 128,
    maxBytes: maxShareBytes,
  })
  return concat(header, blocks)
}

/** A body that stops half way until it is told to go on, or to break. */
export function heldBody(
  share: Uint8Array,
): ShareBody & { reached: Promise<void>; go(): void; fail(): void } {
  let reach: () => void
  let go: () => void
  let fail: (error: Error) => void
  const reached = new Promise<void>((resolve) => (reach = resolve))
  const held = new Promise<void>((resolve, reject) => {
    go = resolve
    fail = reject
  })
  held.catch(() => {})
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    yield share.subarray(0, share.length >> 1)
    reach()
    await held
    yield share.subarray(share.length >> 1)
  }
  return {
    shareBytes: share.length,
    pieces: pieces(),
    reached,
    go: () => go(),
    fail: () => fail(new Error('the source broke')),
  }
}

export function storagePeerSuite(
  name: string,
  make: (settings: ServerSettings) => Promise<StoragePeerFixture>,
): void {
  describe(`${name} as a storage peer`, () => {
    const object = makeObject()
    const other = makeObject({ seed: 'other' })
    const { storageIndex, shares } = object
    let fixture: StoragePeerFixture | undefined

    async function start(settings: ServerSettings = {}): Promise<StoragePeer> {
      fixture = await make({ reserveBytes: 0, ...settings })
      return fixture.peer
    }

    afterEach(async () => {
      await fixture?.close()
      fixture = undefined
    })

    async function assertEmpty(peer: StoragePeer): Promise<void> {
      assert.deepEqual(await peer.have([storageIndex]), [[]])
      await refused(getShare(peer, storageIndex, undefined), 'E_ABSENT')
      const { shareCount, shareBytes } = await peer.status()
      assert.deepEqual({ shareCount, shareBytes }, { shareCount: 0, shareBytes: 0 })
    }

    it('has nothing at first', async () => {
      const peer = await start()
      await assertEmpty(peer)
      assert.deepEqual(await peer.have([]), [])
      const { freeBytes, readOnly } = await peer.status()
      assert.ok(freeBytes > 0)
      assert.equal(readOnly, false)
    })

    for (const ciphertextBytes of [1024, 131_072, 131_073, 300_000]) {
      for (const k of [1, 3]) {
        it(`gives back a share of ${ciphertextBytes} bytes at k = ${k}`, async () => {
          const peer = await start()
          const stored = makeObject({ ciphertextBytes, k, n: k + 1 })
          assert.equal(await putObjectShare(peer, stored, k), 'stored')
          assert.deepEqual(await getShare(peer, stored.storageIndex, k), stored.shares[k])
        })
      }
    }

    it('takes the largest share there is', async () => {
      const peer = await start()
      const largest = largestObject()
      assert.equal(await putObjectShare(peer, largest, 0), 'stored')
      assert.deepEqual(await getShare(peer, largest.storageIndex, 0), largest.shares[0])
    })

    it('takes pieces cut anywhere, from either kind of source', async () => {
      const peer = await start()
      for (const [number, pieceBytes] of [1, 7, 500, 5000].entries()) {
        const body = bodyOf(shares[number], pieceBytes)
        assert.equal(await peer.putShare(storageIndex, number, body), 'stored')
      }
      const slowly = async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(0)
        yield* cut(shares[4], 100)
      }
      const body = { shareBytes: shares[4].length, pieces: slowly() }
      assert.equal(await peer.putShare(storageIndex, 4, body), 'stored')
      for (const number of [0, 1, 2, 3, 4]) {
        assert.deepEqual(await getShare(peer, storageIndex, number), shares[number])
      }
    })

    it('says how far a put has come', async () => {
      const peer = await start()
      const large = makeObject({ ciphertextBytes: 1_000_000, k: 1, n: 1 })
      const seen: number[] = []
      await peer.putShare(large.storageIndex, 0, bodyOf(large.shares[0]), {
        onProgress: (bytesSoFar) => seen.push(bytesSoFar),
      })
      assert.ok(seen.length > 1)
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      )
      assert.equal(seen.at(-1), large.shares[0].length)
    })

    it('tells a share it had from one it stored', async () => {
      const peer = await start()
      assert.equal(await putObjectShare(peer, object, 0), 'stored')
      assert.equal(await putObjectShare(peer, object, 0), 'had')
      assert.equal(await putObjectShare(peer, object, 1), 'stored')
    })

    it('names the numbers it holds, for each index in the order asked', async () => {
      const peer = await start()
      for (const number of [4, 0, 2]) await putObjectShare(peer, object, number)
      await putObjectShare(peer, other, 1)
      const asked = [other.storageIndex, new Uint8Array(20), storageIndex, other.storageIndex]
      assert.deepEqual(await peer.have(asked), [[1], [], [0, 2, 4], [1]])
      const many = Array.from({ length: maxHaveIndexes }, () => storageIndex)
      assert.equal((await peer.have(many)).length, maxHaveIndexes)
      await refused(peer.have([...many, storageIndex]), 'E_BAD_REQUEST')
    })

    it('gives any share where none is named', async () => {
      const peer = await start()
      await putObjectShare(peer, object, 3)
      assert.deepEqual(await getShare(peer, storageIndex, undefined), shares[3])
    })

    it('gives exactly the blocks and header asked for', async () => {
      const peer = await start()
      const large = makeObject({ ciphertextBytes: 3 * 131_072 + 1000, k: 2, n: 2 })
      const share = large.shares[1]
      await putObjectShare(peer, large, 1)
      const head = share.subarray(0, headerLength(share))
      const blocks = share.subarray(head.length)
      const { descriptor } = parseShareHeader(head)
      for (const header of [false, true]) {
        for (let first = 0; first <= 5; first++) {
          for (let count = 0; count <= 5; count++) {
            const from = blockOffset(descriptor, Math.min(first, 4))
            const to = blockOffset(descriptor, Math.min(first + count, 4))
            const request = {
              storageIndex: large.storageIndex,
              shareNumber: 1,
              header,
              firstSegment: first,
              segmentCount: count,
              maxBytes: (header ? head.length : 0) + to - from,
            }
            const reply = await peer.getBlocks(request)
            assert.equal(reply.shareNumber, 1)
            assert.deepEqual(reply.header, header ? head : new Uint8Array(0))
            assert.deepEqual(reply.blocks, blocks.subarray(from, to))
            if (request.maxBytes === 0) continue
            await refused(
              peer.getBlocks({ ...request, maxBytes: request.maxBytes - 1 }),
              'E_TOO_LARGE',
            )
          }
        }
      }
    })

    it('never reads outside a share, whatever range is asked for', async () => {
      const peer = await start()
      await putObjectShare(peer, object, 0)
      const request = {
        storageIndex,
        shareNumber: 0,
        header: false,
        firstSegment: 0,
        segmentCount: 1,
        maxBytes: 2 ** 25,
      }
      const most = Number.MAX_SAFE_INTEGER
      const past = await peer.getBlocks({ ...request, firstSegment: most, segmentCount: most })
      assert.deepEqual(past.blocks, new Uint8Array(0))
      const all = await peer.getBlocks({ ...request, segmentCount: most, maxBytes: most })
      assert.deepEqual(all.blocks, shares[0].subarray(headerLength(shares[0])))
      for (const wrong of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
        await refused(peer.getBlocks({ ...request, firstSegment: wrong }), 'E_BAD_REQUEST')
        await refused(peer.getBlocks({ ...request, segmentCount: wrong }), 'E_BAD_REQUEST')
        await refused(peer.getBlocks({ ...request, maxBytes: wrong }), 'E_BAD_REQUEST')
      }
    })

    it('says absent of what it does not hold', async () => {
      const peer = await start()
      await putObjectShare(peer, object, 0)
      await refused(getShare(peer, storageIndex, 1), 'E_ABSENT')
      await refused(getShare(peer, other.storageIndex, 0), 'E_ABSENT')
      await refused(getShare(peer, other.storageIndex, undefined), 'E_ABSENT')
      await refused(peer.prove(storageIndex, 1, new Uint8Array(32)), 'E_ABSENT')
    })

    it('proves that it holds a share, under a nonce', async () => {
      const peer = await start()
      await putObjectShare(peer, object, 2)
      for (const fill of [0, 1]) {
        const nonce = new Uint8Array(32).fill(fill)
        const proof = await peer.prove(storageIndex, 2, nonce)
        assert.deepEqual(proof, new Uint8Array(hmac(nonce, shares[2])))
      }
      for (const length of [0, 31, 33]) {
        await refused(peer.prove(storageIndex, 2, new Uint8Array(length)), 'E_BAD_REQUEST')
      }
    })

    it('does not let itself be made to read without end', async () => {
      const peer = await start({ proofBytesPerSecond: 1 })
      const largest = largestObject()
      await putObjectShare(peer, largest, 0)
      const nonce = new Uint8Array(32)
      await peer.prove(largest.storageIndex, 0, nonce)
      await refused(peer.prove(largest.storageIndex, 0, nonce), 'E_RATE')
      assert.equal(await putObjectShare(peer, largest, 0), 'stored')
    })

    const wrong: Record<string, (share: Uint8Array) => Uint8Array> = {
      'a bit changed in the magic': (share) => flipped(share, 0),
      'a bit changed in the descriptor': (share) => flipped(share, 30),
      'a bit changed in a leaf': (share) => flipped(share, headerLength(share)! - 1),
      'a bit changed in a block': (share) => flipped(share, share.length - 1),
      'its last byte cut off': (share) => share.subarray(0, -1),
      'a byte behind it': (share) => concat(share, Uint8Array.of(0)),
      'no bytes': () => new Uint8Array(0),
      'nothing but zeros': (share) => new Uint8Array(share.length),
    }
    for (const [what, spoil] of Object.entries(wrong)) {
      it(`refuses a share with ${what}, keeps nothing of it, and takes the right one after`, async () => {
        const peer = await start()
        const spoilt = spoil(shares[1])
        const codes = ['E_SHARE', 'E_DESCRIPTOR', 'E_BLOCK'] as const
        await refused(peer.putShare(storageIndex, 1, bodyOf(spoilt)), ...codes)
        const lying = { shareBytes: shares[1].length, pieces: [spoilt] }
        await refused(peer.putShare(storageIndex, 1, lying), ...codes)
        await assertEmpty(peer)
        assert.equal(await putObjectShare(peer, object, 1), 'stored')
        assert.deepEqual(await getShare(peer, storageIndex, 1), shares[1])
      })
    }

    it('refuses a good share under another number or index', async () => {
      const peer = await start()
      await refused(peer.putShare(storageIndex, 0, bodyOf(shares[1])), 'E_SHARE')
      await refused(peer.putShare(storageIndex, 0, bodyOf(other.shares[0])), 'E_DESCRIPTOR')
      await assertEmpty(peer)
    })

    it('refuses a share that is declared too large, before its body', async () => {
      const peer = await start()
      let taken = 0
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        taken++
        yield new Uint8Array(1000)
      }
      for (const shareBytes of [maxShareBytes + 1, Number.MAX_SAFE_INTEGER]) {
        const body = { shareBytes, pieces: pieces() }
        await refused(peer.putShare(storageIndex, 0, body), 'E_TOO_LARGE')
      }
      assert.equal(taken, 0)
    })

    it('leaves a held share as it is when other bytes come under its name', async () => {
      const peer = await start()
      await putObjectShare(peer, object, 0)
      const outcome = peer.putShare(storageIndex, 0, bodyOf(flipped(shares[0], 700)))
      await outcome.catch(() => 'refused')
      assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
    })

    it('refuses what is no storage index and no share number', async () => {
      const peer = await start()
      for (const length of [0, 19, 21, 1000]) {
        const index = new Uint8Array(length)
        await refused(peer.putShare(index, 0, bodyOf(shares[0])), 'E_BAD_REQUEST')
        await refused(peer.have([index]), 'E_BAD_REQUEST')
        await refused(getShare(peer, index, 0), 'E_BAD_REQUEST')
        await refused(peer.prove(index, 0, new Uint8Array(32)), 'E_BAD_REQUEST')
      }
      for (const number of [-1, 255, 256, 2 ** 31, 1.5, NaN, '1' as unknown as number]) {
        await refused(peer.putShare(storageIndex, number, bodyOf(shares[0])), 'E_BAD_REQUEST')
        await refused(getShare(peer, storageIndex, number), 'E_BAD_REQUEST')
        await refused(peer.prove(storageIndex, number, new Uint8Array(32)), 'E_BAD_REQUEST')
      }
      await assertEmpty(peer)
    })

    it('takes many shares at once', async () => {
      const peer = await start()
      const objects = Array.from({ length: 8 }, (_, i) => makeObject({ seed: `many ${i}` }))
      const outcomes = await Promise.all(
        objects.flatMap((each) =>
          each.shares.map((_, number) => putObjectShare(peer, each, number)),
        ),
      )
      assert.deepEqual(new Set(outcomes), new Set(['stored']))
      for (const each of objects) {
        assert.deepEqual(await getShare(peer, each.storageIndex, 4), each.shares[4])
      }
      const { shareCount, shareBytes } = await peer.status()
      assert.deepEqual([shareCount, shareBytes], [40, 40 * shares[0].length])
    })

    it('stores one of two equal puts that come together', async () => {
      const peer = await start()
      const [first, second] = [heldBody(shares[0]), heldBody(shares[0])]
      const puts = [first, second].map((body) => peer.putShare(storageIndex, 0, body))
      await Promise.all([first.reached, second.reached])
      first.go()
      second.go()
      assert.deepEqual((await Promise.all(puts)).sort(), ['had', 'stored'])
      assert.equal((await peer.status()).shareCount, 1)
      assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
    })

    it('stores the second of two equal puts when the first breaks', async () => {
      const peer = await start()
      const [first, second] = [heldBody(shares[0]), heldBody(shares[0])]
      const broken = assert.rejects(peer.putShare(storageIndex, 0, first))
      await first.reached
      const outcome = peer.putShare(storageIndex, 0, second)
      await second.reached
      first.fail()
      await broken
      second.go()
      assert.equal(await outcome, 'stored')
      assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
    })

    it('keeps nothing of a put whose source breaks, and takes it again', async () => {
      const peer = await start()
      const body = heldBody(shares[0])
      const outcome = assert.rejects(peer.putShare(storageIndex, 0, body))
      await body.reached
      body.fail()
      await outcome
      await assertEmpty(peer)
      assert.equal(await putObjectShare(peer, object, 0), 'stored')
    })

    it('ends a put at once when it is given up, though its source hangs', async () => {
      const peer = await start()
      const body = heldBody(shares[0])
      const controller = new AbortController()
      const outcome = assert.rejects(peer.putShare(storageIndex, 0, body, controller), /enough/)
      await body.reached
      controller.abort(new Error('enough'))
      await outcome
      await assertEmpty(peer)
      assert.equal(await putObjectShare(peer, object, 0), 'stored')
    })

    it('is busy when too many puts are under way, and free again after', async () => {
      const peer = await start({ maxPuts: 1, maxWaitingPuts: 1 })
      const body = heldBody(shares[0])
      const first = peer.putShare(storageIndex, 0, body)
      await body.reached
      const others = [1, 2, 3].map((number) => putObjectShare(peer, object, number))
      const settled = Promise.allSettled(others)
      await refused(Promise.race(others), 'E_BUSY')
      body.go()
      assert.equal(await first, 'stored')
      const outcomes = await settled
      assert.deepEqual(outcomes.map((outcome) => outcome.status).sort(), [
        'fulfilled',
        'rejected',
        'rejected',
      ])
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.ok(isGridError(outcome.reason, 'E_BUSY'))
      }
      assert.equal(await putObjectShare(peer, object, 4), 'stored')
    })

    it('refuses shares before their bodies when it is full, again and again', async () => {
      const peer = await start({ reserveBytes: Number.MAX_SAFE_INTEGER })
      for (let attempt = 0; attempt < 3; attempt++) {
        await refused(putObjectShare(peer, object, 0), 'E_FULL')
        await assertEmpty(peer)
      }
      assert.equal((await peer.status()).freeBytes, 0)
    })

    it('refuses shares when it is read-only, and says so', async () => {
      const peer = await start({ readOnly: true })
      await refused(putObjectShare(peer, object, 0), 'E_READ_ONLY')
      await assertEmpty(peer)
      const { readOnly, freeBytes } = await peer.status()
      assert.deepEqual({ readOnly, freeBytes }, { readOnly: true, freeBytes: 0 })
    })
  })
}

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, position: number): Uint8Array {
  const copy = bytes.slice()
  copy[position] ^= 1
  return copy
}
