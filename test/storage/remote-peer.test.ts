import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import type { CborValue } from '../../src/base/cbor.ts'
import { channelPair } from '../../src/base/channel.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { isGridError } from '../../src/base/errors.ts'
import { Budget } from '../../src/base/limit.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { BlocksRequest } from '../../src/storage/peer.ts'
import { RemotePeer } from '../../src/storage/remote-peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { formatHave, parseHave } from '../../src/storage/storage-protocol.ts'
import { openCaller } from '../../src/wire/caller.ts'
import { codeOf } from '../../src/wire/status.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { memoryHolds } from '../suites/memory-holds.ts'
import { holdPeerSuite } from '../suites/hold-peer.ts'
import { MovedClock } from '../suites/moved-clock.ts'
import { makeObject } from '../suites/objects.ts'
import { putObjectShare, refused, storagePeerSuite } from '../suites/storage-peer.ts'
import { RawEnd } from '../wire/raw-end.ts'

storagePeerSuite('RemotePeer over a wire in memory', async (settings) => {
  const clock = new SystemClock()
  const store = new MemoryStore()
  await store.open()
  const [near, far] = channelPair({ ids: ['client', 'server'] })
  const local = new LocalPeer({ id: 'server', store, clock, ...settings })
  const budget = new Budget(128 * 2 ** 20)
  const served = serveStorage(local, far, { clock, budget })
  const caller = await openCaller(near, { clock })
  return {
    peer: new RemotePeer('server', caller),
    close: async () => {
      caller.close()
      await served
      assert.equal(budget.free, budget.total)
    },
  }
})

holdPeerSuite('RemotePeer over a wire in memory', async (settings) => {
  const clock = new MovedClock()
  const store = new MemoryStore()
  const [near, far] = channelPair({ ids: ['client', 'server'] })
  const random = new SystemRandom()
  const holds = { open: memoryHolds, random, ...settings }
  const server = new LocalPeer({ id: 'server', store, clock, reserveBytes: 0, holds })
  // what is on the wire keeps the time of the machine
  const wireClock = new SystemClock()
  const served = serveStorage(server, far, { clock: wireClock, budget: new Budget(128 * 2 ** 20) })
  const caller = await openCaller(near, { clock: wireClock })
  const close = async (): Promise<void> => {
    caller.close()
    await served
  }
  return { peer: new RemotePeer('server', caller), server, clock, clientId: 'client', close }
})

/** A peer whose every request is answered by `facts` and `body`. */
function answering(facts: CborValue, body: Uint8Array = new Uint8Array(0)): RemotePeer {
  return new RemotePeer('server', { call: () => Promise.resolve({ facts, body }) })
}

const storageIndex = new Uint8Array(20)
const wanted: BlocksRequest = {
  storageIndex,
  shareNumber: 2,
  header: true,
  firstSegment: 0,
  segmentCount: 1,
  maxBytes: 100,
}

describe('RemotePeer', () => {
  it('takes no answer of another form than the protocol has', async () => {
    const anything = fc.letrec<{ value: CborValue }>((tie) => ({
      value: fc.oneof(
        fc.maxSafeInteger(),
        fc.string(),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(tie('value'), { maxLength: 6 }),
      ),
    })).value
    await fc.assert(
      fc.asyncProperty(anything, fc.uint8Array({ maxLength: 20 }), async (facts, body) => {
        const peer = answering(facts, body)
        const index = [storageIndex, storageIndex]
        const answers = [
          peer.have(index).then((held) => assert.deepEqual(formatHave(held), body)),
          peer.putShare(storageIndex, 0, { shareBytes: 0, pieces: [] }),
          peer.getBlocks(wanted),
          peer.prove(storageIndex, 0, new Uint8Array(32)),
          peer.status(),
        ]
        for (const result of await Promise.allSettled(answers)) {
          if (result.status === 'rejected') assert.ok(isGridError(result.reason, 'E_PROTOCOL'))
        }
      }),
    )
  })

  it('takes no shares it did not ask for, and no header longer than the answer', async () => {
    await answering([2, 4], new Uint8Array(10)).getBlocks(wanted)
    for (const facts of [
      [1, 4],
      [2, 11],
      [2, -1],
    ]) {
      await refused(answering(facts, new Uint8Array(10)).getBlocks(wanted), 'E_PROTOCOL')
    }
    const headless = answering([2, 4], new Uint8Array(10)).getBlocks({ ...wanted, header: false })
    await refused(headless, 'E_PROTOCOL')
  })

  it('reads what `have` is answered with, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.nat(254), { maxLength: 255 }), { maxLength: 20 }),
        (lists) => {
          const held = lists.map((numbers) => numbers.toSorted((a, b) => a - b))
          const body = formatHave(held)
          assert.deepEqual(parseHave(body, held.length), held)
          assert.throws(() => parseHave(body, held.length + 1), { code: 'E_PROTOCOL' })
          const longer = Uint8Array.of(...body, 0)
          assert.throws(() => parseHave(longer, held.length), { code: 'E_PROTOCOL' })
        },
      ),
    )
    for (const wrong of [
      [2, 1, 1],
      [2, 2, 1],
      [1, 255],
      [3, 1, 2],
    ]) {
      assert.throws(() => parseHave(Uint8Array.from(wrong), 1), { code: 'E_PROTOCOL' })
    }
  })

  it('makes a server’s name for its software fit to be shown', async () => {
    const { software } = await answering(['grid\u001b[2J', 0, 1, 2, 3, 4, 5, 6, 7, 8]).status()
    assert.equal(software, 'grid·[2J')
  })
})

interface Asked {
  client: RawEnd
  close: () => Promise<void>
}

/** A server of one object, and the raw end of a channel to it. */
async function server(): Promise<Asked> {
  const clock = new SystemClock()
  const store = new MemoryStore()
  await store.open()
  const local = new LocalPeer({ id: 'server', store, clock, reserveBytes: 0 })
  await putObjectShare(local, makeObject(), 0)
  const [near, far] = channelPair()
  const served = serveStorage(local, far, { clock, budget: new Budget(2 ** 27) })
  const client = new RawEnd(near)
  await client.hello()
  return {
    client,
    close: async () => {
      near.abort(new Error('over'))
      await served
    },
  }
}

describe('serveStorage', () => {
  const index = makeObject().storageIndex
  const nonce = new Uint8Array(32)
  const wrong: Record<string, [verb: string, args: CborValue, bodyBytes?: number]> = {
    'client 14: refuses an index of 19 bytes': ['have', [new Uint8Array(19)]],
    'client 14: refuses an index of 1,000 bytes': ['prove', [new Uint8Array(1000), 0, nonce]],
    'client 14: refuses a text for an index': ['have', ['../../etc/passwd']],
    'client 15: refuses share number -2': ['putShare', [index, -2], 10],
    'client 15: refuses share number 255': ['putShare', [index, 255], 10],
    'client 15: refuses share number 2^31': ['prove', [index, 2 ** 31, nonce]],
    'client 15: refuses share number "1"': ['putShare', [index, '1'], 10],
    'client 15: refuses share number -1 for a proof': ['prove', [index, -1, nonce]],
    'client 16: refuses a negative first segment': ['getBlocks', [index, 0, 0, -1, 1, 1000]],
    'client 16: refuses a negative count of segments': ['getBlocks', [index, 0, 0, 0, -1, 1000]],
    'client 16: refuses a negative length': ['getBlocks', [index, 0, 0, 0, 1, -1]],
    'refuses a nonce of 31 bytes': ['prove', [index, 0, new Uint8Array(31)]],
    'refuses a header flag of 2': ['getBlocks', [index, 0, 2, 0, 1, 1000]],
    'client 30: refuses an extra argument': ['getBlocks', [index, 0, 0, 0, 1, 1000, 0]],
    'client 30: refuses arguments where there are none': ['status', [0]],
    'client 30: refuses no list of arguments': ['have', 0],
    'refuses 1,025 indexes': ['have', Array.from({ length: 1025 }, () => index)],
  }
  for (const [name, [verb, args, bodyBytes = 0]] of Object.entries(wrong)) {
    it(name, async () => {
      const { client, close } = await server()
      await client.say([1, 1, verb, args, bodyBytes])
      const [, , status] = await client.reply(1)
      assert.equal(codeOf(status as number), 'E_BAD_REQUEST')
      await close()
    })
  }

  it('refuses a body where the verb takes none, and a share beyond the longest', async () => {
    const { client, close } = await server()
    await client.say([1, 1, 'status', [], 1])
    await client.say([1, 2, 'putShare', [index, 1], 17 * 2 ** 20 + 1])
    for (const id of [1, 2]) {
      const [, , status] = await client.reply(id)
      assert.equal(codeOf(status as number), 'E_TOO_LARGE')
    }
    await close()
  })

  it('client 16: gives no byte past the end of a share, whatever is asked for', async () => {
    const { client, close } = await server()
    const most = Number.MAX_SAFE_INTEGER
    await client.say([1, 1, 'getBlocks', [index, -1, 0, 0, most, most], 0])
    await client.say([1, 2, 'getBlocks', [index, 0, 0, most, most, most], 0])
    assert.deepEqual((await client.reply(1)).slice(2), [0, [0, 0], 683])
    assert.deepEqual((await client.reply(2)).slice(2), [0, [0, 0], 0])
    await close()
  })

  it('client 30: goes on after an unknown verb', async () => {
    const { client, close } = await server()
    await client.say([1, 1, 'appendEntry', [], 0])
    await client.say([1, 2, 'status', [], 0])
    assert.equal(codeOf((await client.reply(1))[2] as number), 'E_UNKNOWN_VERB')
    assert.equal((await client.reply(2))[2], 0)
    await close()
  })
})
