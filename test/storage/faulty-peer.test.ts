import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { hmac } from '../../src/base/hash.ts'
import { headerLength, parseShareHeader } from '../../src/encoding/share.ts'
import { faults, sometimes } from '../../src/storage/faults.ts'
import { type Fault, FaultyPeer } from '../../src/storage/faulty-peer.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { maxShareBytes } from '../../src/storage/peer.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { getShare, putObjectShare, refused, storagePeerSuite } from '../suites/storage-peer.ts'

const object = makeObject()
const other = makeObject({ seed: 'other' })
const { storageIndex, shares } = object
const nonce = new Uint8Array(32).fill(7)

/** A faulty peer that holds shares 0 and 1 of `object`, and share 0 of `other`. */
async function faulty(fault: Fault): Promise<{ peer: FaultyPeer; clock: SimClock }> {
  const random = new SimRandom('faulty peer')
  const clock = new SimClock(random.fork('clock'))
  const local = new LocalPeer({ id: 'faulty', store: new MemoryStore(), clock, reserveBytes: 0 })
  const peer = new FaultyPeer({ peer: local, clock, random, fault })
  await putObjectShare(local, object, 0)
  await putObjectShare(local, object, 1)
  await putObjectShare(local, other, 0)
  return { peer, clock }
}

function reading(options: { header?: boolean; maxBytes?: number } = {}) {
  return {
    storageIndex,
    shareNumber: 0,
    header: true,
    firstSegment: 0,
    segmentCount: 1,
    maxBytes: maxShareBytes,
    ...options,
  }
}

/** How many bits differ. */
function differences(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length)
  let bits = 0
  for (const [i, byte] of a.entries()) {
    for (let rest = byte ^ b[i]; rest > 0; rest >>= 1) bits += rest & 1
  }
  return bits
}

/** Whether a client would take `header` for one of the object of this root. */
function commitsTo(header: Uint8Array, root: Uint8Array): boolean {
  try {
    return equalBytes(parseShareHeader(header).root, root)
  } catch {
    return false
  }
}

/** What a client sees of each fault. */
const seen: Record<keyof typeof faults, () => Promise<void>> = {
  sendsNoise: async () => {
    const { peer } = await faulty(faults.sendsNoise())
    const first = await getShare(peer, storageIndex, 0)
    const second = await getShare(peer, storageIndex, 0)
    assert.equal(first.length, shares[0].length)
    assert.ok(!equalBytes(first, second) && !equalBytes(first, shares[0]))
  },
  flipsBit: async () => {
    const length = shares[0].length
    for (const position of [undefined, 0, 500, length - 1]) {
      const { peer } = await faulty(faults.flipsBit(position))
      const share = await getShare(peer, storageIndex, 0)
      assert.equal(differences(share, shares[0]), 1)
      if (position !== undefined) assert.notEqual(share[position], shares[0][position])
    }
    const { peer } = await faulty(faults.flipsBit())
    await peer.getBlocks({ ...reading({ header: false }), segmentCount: 0 })
  },
  servesOther: async () => {
    const named = await faulty(faults.servesOther(other.storageIndex))
    assert.deepEqual(await getShare(named.peer, storageIndex, 1), other.shares[0])
    const { peer } = await faulty(faults.servesOther())
    assert.deepEqual(await getShare(peer, storageIndex, 1), shares[1])
    await putObjectShare(peer, object, 1)
    await putObjectShare(peer, other, 0)
    assert.deepEqual(await getShare(peer, storageIndex, 1), other.shares[0])
    assert.deepEqual(await getShare(peer, other.storageIndex, 0), shares[0])
  },
  misnumbers: async () => {
    const { peer } = await faulty(faults.misnumbers())
    const reply = await peer.getBlocks(reading())
    assert.equal(reply.shareNumber, 1)
    assert.equal(parseShareHeader(reply.header).shareNumber, 0)
  },
  mixesUp: async () => {
    const { peer } = await faulty(faults.mixesUp())
    const reply = await peer.getBlocks(reading())
    assert.equal(reply.shareNumber, 0)
    assert.equal(parseShareHeader(reply.header).shareNumber, 1)
    assert.deepEqual(await getShare(peer, other.storageIndex, 0), other.shares[0])
  },
  altersHeader: async () => {
    for (const field of ['k', 'n', 'size'] as const) {
      const { peer } = await faulty(faults.altersHeader(field))
      const { header, blocks } = await peer.getBlocks(reading())
      assert.equal(differences(header, shares[0].subarray(0, header.length)), 1)
      assert.deepEqual(blocks, shares[0].subarray(header.length))
      assert.ok(!commitsTo(header, object.root))
      assert.equal((await peer.getBlocks(reading({ header: false }))).header.length, 0)
    }
  },
  claimsHugeSize: async () => {
    const { peer } = await faulty(faults.claimsHugeSize())
    const { header } = await peer.getBlocks(reading())
    assert.throws(() => headerLength(header), { code: 'E_DESCRIPTOR', message: /out of range/ })
  },
  sendsTooMuch: async () => {
    const { peer } = await faulty(faults.sendsTooMuch())
    const { blocks } = await peer.getBlocks(reading({ maxBytes: 5000 }))
    assert.equal(blocks.length, 5001)
  },
  talksNonsense: async () => {
    const { peer } = await faulty(faults.talksNonsense())
    assert.equal((await peer.have([storageIndex])).length, 2)
    assert.ok(Number.isNaN((await peer.status()).freeBytes))
  },
  forgets: async () => {
    const { peer } = await faulty(faults.forgets())
    assert.deepEqual(await peer.have([storageIndex]), [[0, 1]])
    await refused(getShare(peer, storageIndex, 0), 'E_ABSENT')
    await refused(peer.prove(storageIndex, 0, nonce), 'E_ABSENT')
  },
  denies: async () => {
    const { peer } = await faulty(faults.denies())
    assert.deepEqual(await peer.have([storageIndex, other.storageIndex]), [[], []])
    assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
  },
  claimsAll: async () => {
    const { peer } = await faulty(faults.claimsAll(3))
    assert.deepEqual(await peer.have([new Uint8Array(20)]), [[0, 1, 2]])
    assert.equal(await putObjectShare(peer, object, 4), 'had')
    await refused(getShare(peer, storageIndex, 4), 'E_ABSENT')
    const proof = await peer.prove(storageIndex, 0, nonce)
    assert.notDeepEqual(proof, new Uint8Array(hmac(nonce, shares[0])))
    peer.fault = undefined
    assert.deepEqual(await peer.have([storageIndex]), [[0, 1]])
  },
  acknowledgesOnly: async () => {
    const { peer } = await faulty(faults.acknowledgesOnly())
    assert.equal(await putObjectShare(peer, object, 4), 'stored')
    assert.equal(await putObjectShare(peer, object, 3), 'stored')
    assert.deepEqual(await peer.have([storageIndex, other.storageIndex]), [[4, 3], []])
    await refused(getShare(peer, storageIndex, 4), 'E_ABSENT')
  },
  deletesLater: async () => {
    const { peer, clock } = await faulty(faults.deletesLater(1000))
    await clock.run({ untilMs: 5000 })
    assert.equal(await putObjectShare(peer, object, 4), 'stored')
    await clock.run({ untilMs: 5999 })
    assert.deepEqual(await peer.have([storageIndex]), [[0, 1, 4]])
    assert.deepEqual(await getShare(peer, storageIndex, 4), shares[4])
    assert.equal((await peer.prove(storageIndex, 4, nonce)).length, 32)
    await clock.run({ untilMs: 6000 })
    assert.deepEqual(await peer.have([storageIndex]), [[]])
    await refused(getShare(peer, storageIndex, 4), 'E_ABSENT')
    await refused(peer.prove(storageIndex, 4, nonce), 'E_ABSENT')
  },
  replaysProof: async () => {
    const { peer } = await faulty(faults.replaysProof())
    const first = await peer.prove(storageIndex, 0, nonce)
    assert.deepEqual(await peer.prove(storageIndex, 0, new Uint8Array(32)), first)
  },
  provesWrong: async () => {
    const { peer } = await faulty(faults.provesWrong())
    const proof = await peer.prove(storageIndex, 0, nonce)
    assert.notDeepEqual(proof, new Uint8Array(hmac(nonce, shares[0])))
  },
  isFullAtTheEnd: async () => {
    const { peer } = await faulty(faults.isFullAtTheEnd())
    assert.equal((await peer.status()).freeBytes, Number.MAX_SAFE_INTEGER)
    let takenBytes = 0
    const pieces = function* (): Generator<Uint8Array> {
      for (const piece of bodyOf(shares[4], 100).pieces as Iterable<Uint8Array>) {
        takenBytes += piece.length
        yield piece
      }
    }
    const body = { shareBytes: shares[4].length, pieces: pieces() }
    await refused(peer.putShare(storageIndex, 4, body), 'E_FULL')
    assert.equal(takenBytes, shares[4].length)
    assert.deepEqual(await peer.have([storageIndex]), [[0, 1]])
  },
  refusesShares: async () => {
    for (const code of ['E_FULL', 'E_READ_ONLY', 'E_BUSY'] as const) {
      const { peer } = await faulty(faults.refusesShares(code))
      await refused(putObjectShare(peer, object, 4), code)
      assert.equal((await peer.status()).readOnly, code === 'E_READ_ONLY')
      assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
    }
  },
  fails: async () => {
    const { peer } = await faulty(faults.fails('E_BUSY'))
    await refused(peer.have([]), 'E_BUSY')
    await refused(peer.status(), 'E_BUSY')
    await refused(putObjectShare(peer, object, 0), 'E_BUSY')
    await refused(getShare(peer, storageIndex, 0), 'E_BUSY')
    await refused(peer.prove(storageIndex, 0, nonce), 'E_BUSY')
    await refused(peer.challenge(), 'E_BUSY')
    await refused(peer.touch([storageIndex]), 'E_BUSY')
    await refused(peer.renew([storageIndex]), 'E_BUSY')
  },
  hangs: async () => {
    const { peer, clock } = await faulty(faults.hangs())
    const controller = new AbortController()
    const calls = [
      peer.have([], controller),
      peer.status(controller),
      peer.putShare(storageIndex, 0, bodyOf(shares[0]), controller),
      peer.getBlocks(reading(), controller),
      peer.prove(storageIndex, 0, nonce, controller),
      peer.challenge(controller),
      peer.touch([storageIndex], controller),
      peer.renew([storageIndex], controller),
    ]
    let answers = 0
    for (const call of calls) call.finally(() => answers++).catch(() => {})
    await clock.run({ untilMs: 1e9 })
    assert.equal(answers, 0)
    controller.abort(new Error('enough'))
    for (const call of calls) await assert.rejects(call, /enough/)
  },
  isLate: async () => {
    const { peer, clock } = await faulty(faults.isLate(2000))
    const answer = peer.have([storageIndex])
    await clock.run()
    assert.deepEqual(await answer, [[0, 1]])
    assert.equal(clock.monotonicMs(), 2000)
  },
  drips: async () => {
    const { peer, clock } = await faulty(faults.drips(100))
    const share = getShare(peer, storageIndex, 0)
    await clock.run()
    assert.deepEqual(await share, shares[0])
    assert.equal(clock.monotonicMs(), shares[0].length * 10)
    const controller = new AbortController()
    const put = peer.putShare(storageIndex, 4, bodyOf(shares[4]), controller)
    controller.abort(new Error('enough'))
    await assert.rejects(put, /enough/)
  },
  closes: async () => {
    const { peer } = await faulty(faults.closes())
    await refused(peer.status(), 'E_CLOSED')
    await refused(getShare(peer, storageIndex, 0), 'E_CLOSED')
    let taken = 0
    const pieces = function* (): Generator<Uint8Array> {
      for (; ; taken++) yield new Uint8Array(10)
    }
    await refused(peer.putShare(storageIndex, 4, { shareBytes: 999, pieces: pieces() }), 'E_CLOSED')
    assert.equal(taken, 0)
  },
}

describe('FaultyPeer', () => {
  for (const [name, check] of Object.entries(seen)) it(name, check)

  it('has a test for each fault', () => {
    assert.deepEqual(Object.keys(seen).sort(), Object.keys(faults).sort())
  })

  it('misbehaves the same way for the same seed', async () => {
    const answers = [1, 2].map(async () => {
      const { peer } = await faulty(faults.flipsBit())
      return getShare(peer, storageIndex, 0)
    })
    const [first, second] = await Promise.all(answers)
    assert.deepEqual(first, second)
  })

  it('misbehaves only sometimes when told so', async () => {
    const { peer } = await faulty(sometimes(0.25, faults.fails('E_FULL')))
    let failures = 0
    for (let i = 0; i < 400; i++) await peer.status().catch(() => failures++)
    assert.ok(failures > 60 && failures < 140, `${failures} of 400`)
    peer.fault = sometimes(0, faults.fails())
    await peer.status()
    peer.fault = sometimes(1, faults.denies())
    assert.deepEqual(await peer.have([storageIndex]), [[]])
    assert.deepEqual(await getShare(peer, storageIndex, 0), shares[0])
  })
})

storagePeerSuite('FaultyPeer without a fault', async (settings) => {
  const clock = new SystemClock()
  const peer = new LocalPeer({ id: 'local', store: new MemoryStore(), clock, ...settings })
  const faultyPeer = new FaultyPeer({ peer, clock, random: new SimRandom('none') })
  return { peer: faultyPeer, close: async () => {} }
})
