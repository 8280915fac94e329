/**
 * The ways in which a server may misbehave, by name: what a client has to get through without
 * harm. Each entry makes a fault for one FaultyPeer, since some remember.
 *
 * Two attacks need no fault: one share placed on many servers, which must count once, and servers
 * that agree on a forged object, which is `servesOther` with an object they all hold.
 */
import { toBase32 } from '../base/base32.ts'
import { sleep } from '../base/clock.ts'
import { orAbort, untilAborted } from '../base/deadline.ts'
import { type ErrorCode, GridError } from '../base/errors.ts'
import { randomBelow } from '../base/random.ts'
import type { Fault, FaultyCall, Handler } from './faulty-peer.ts'
import type { BlocksReply, StorageIndex } from './peer.ts'
import type { StorageVerb } from './verbs.ts'

/** Where fields of the descriptor lie in a share's header, each by its last byte (docs/specs/share.md). */
const headerAt = { k: 13, n: 14, size: 23 }

/** As long as a timer can be. */
const longestMs = 2 ** 31 - 1

/** What a fault knows of a call, whichever it is. */
type AnyCall = Pick<FaultyCall<StorageVerb>, 'clock' | 'signal'>

export const faults = {
  /** Random bytes for a share. */
  sendsNoise: (): Fault =>
    spoilsBlocks((reply, { random }) => {
      reply.header = random.bytes(reply.header.length)
      reply.blocks = random.bytes(reply.blocks.length)
    }),

  /** One wrong bit: in byte `position` of header and blocks end to end, or anywhere. */
  flipsBit: (position?: number): Fault =>
    spoilsBlocks(({ header, blocks }, { random }) => {
      const length = header.length + blocks.length
      if (length === 0) return
      const at = (position ?? randomBelow(random, length)) % length
      const [part, offset] = at < header.length ? [header, at] : [blocks, at - header.length]
      part[offset] ^= 1 << randomBelow(random, 8)
    }),

  /** Shares of another object: the one named, or one that was put before. */
  servesOther: (named?: StorageIndex): Fault => {
    const seen = new Map<string, StorageIndex>()
    return {
      putShare: ({ asked: [storageIndex], honest }) => {
        seen.set(toBase32(storageIndex), storageIndex)
        return honest()
      },
      getBlocks: ({ asked: [request], peer, honest }) => {
        const asked = toBase32(request.storageIndex)
        const storageIndex = named ?? [...seen].find(([name]) => name !== asked)?.[1]
        if (storageIndex === undefined) return honest()
        return peer.getBlocks({ ...request, storageIndex, shareNumber: undefined })
      },
    }
  },

  /** The right share under a wrong number. */
  misnumbers: (): Fault =>
    spoilsBlocks((reply) => {
      reply.shareNumber = (reply.shareNumber + 1) % 255
    }),

  /** Another share of the object under the number asked for, where it has one. */
  mixesUp: (): Fault => ({
    getBlocks: async ({ asked: [request], peer, honest }) => {
      const [numbers = []] = await peer.have([request.storageIndex])
      const { shareNumber } = request
      const other = numbers.find((number) => number !== shareNumber)
      if (shareNumber === undefined || other === undefined) return honest()
      return { ...(await peer.getBlocks({ ...request, shareNumber: other })), shareNumber }
    },
  }),

  /** A header with another k, n or size. */
  altersHeader: (field: keyof typeof headerAt = 'k'): Fault =>
    spoilsBlocks(({ header }) => {
      if (header.length > 0) header[headerAt[field]] ^= 1
    }),

  /** A header of an object of 2^64-1 bytes. */
  claimsHugeSize: (): Fault =>
    spoilsBlocks(({ header }) => {
      header.subarray(headerAt.size - 7, headerAt.size + 1).fill(0xff)
    }),

  /** More than the client said it would take. */
  sendsTooMuch: (): Fault =>
    spoilsBlocks((reply, { asked: [request] }) => {
      reply.blocks = new Uint8Array(request.maxBytes + 1)
    }),

  /** Numbers that are none. */
  talksNonsense: (): Fault => ({
    have: async ({ asked: [indexes] }) => [...indexes.map(() => [NaN, -1, 2 ** 53, 3, 3]), [0]],
    status: async ({ honest }) => ({ ...(await honest()), freeBytes: NaN, shareCount: -1 }),
  }),

  /** Says that it has what it then does not give. */
  forgets: (): Fault => ({ getBlocks: refuses('E_ABSENT'), prove: refuses('E_ABSENT') }),

  /** Says that it has nothing. */
  denies: (): Fault => ({ have: async ({ asked: [indexes] }) => indexes.map(() => []) }),

  /** Says that it has whatever is asked about, takes no share and proves none. */
  claimsAll: (shareCount = 10): Fault => ({
    have: async ({ asked: [indexes] }) => indexes.map(() => [...Array(shareCount).keys()]),
    putShare: async () => 'had',
    getBlocks: refuses('E_ABSENT'),
    prove: async ({ random }) => random.bytes(32),
  }),

  /** Says that a share is stored, and stores nothing. */
  acknowledgesOnly: (): Fault => {
    const claimed = new Map<string, Set<number>>()
    return {
      putShare: async (call) => {
        await drains(call)
        const [storageIndex, shareNumber] = call.asked
        const name = toBase32(storageIndex)
        claimed.set(name, (claimed.get(name) ?? new Set<number>()).add(shareNumber))
        return 'stored'
      },
      have: async ({ asked: [indexes] }) =>
        indexes.map((index) => [...(claimed.get(toBase32(index)) ?? [])]),
    }
  },

  /** Deletes everything `afterMs` after the first share. */
  deletesLater: (afterMs = 0): Fault => {
    let deletedAtMs = Infinity
    const deleted = ({ clock }: AnyCall): boolean => clock.monotonicMs() >= deletedAtMs
    return {
      have: async (call) => (deleted(call) ? call.asked[0].map(() => []) : call.honest()),
      putShare: async (call) => {
        const outcome = await call.honest()
        deletedAtMs = Math.min(deletedAtMs, call.clock.monotonicMs() + afterMs)
        return outcome
      },
      getBlocks: (call) => (deleted(call) ? refuses('E_ABSENT')() : call.honest()),
      prove: (call) => (deleted(call) ? refuses('E_ABSENT')() : call.honest()),
    }
  },

  /** The right proof for another nonce: its first one, again and again. */
  replaysProof: (): Fault => {
    let first: Promise<Uint8Array> | undefined
    return { prove: ({ honest }) => (first ??= honest()) }
  },

  /** A proof that is none. */
  provesWrong: (): Fault => ({ prove: async ({ random }) => random.bytes(32) }),

  /** Has endless space until a share has come whole. */
  isFullAtTheEnd: (): Fault => ({
    status: async ({ honest }) => ({ ...(await honest()), freeBytes: Number.MAX_SAFE_INTEGER }),
    putShare: async (call) => {
      await drains(call)
      return refuses('E_FULL')()
    },
  }),

  /** Takes no shares, for this reason. */
  refusesShares: (code: ErrorCode = 'E_FULL'): Fault => ({
    putShare: refuses(code),
    status: async ({ honest }) => {
      const readOnly = code === 'E_READ_ONLY'
      return { ...(await honest()), freeBytes: 0, readOnly }
    },
  }),

  /** Every call fails. */
  fails: (code: ErrorCode = 'E_IO'): Fault => first(refuses(code)),

  /** Never answers. */
  hangs: (): Fault => first(({ signal }) => orAbort(new Promise<never>(() => {}), signal)),

  /** Answers each call late. */
  isLate: (delayMs = 60_000): Fault =>
    first(({ clock, signal }) => sleep(clock, delayMs, signal && { signal })),

  /** Takes and gives a byte at a time. */
  drips: (bytesPerSecond = 1): Fault => {
    const drip = ({ clock, signal }: AnyCall, byteCount: number): Promise<void> =>
      sleep(clock, Math.min((byteCount / bytesPerSecond) * 1000, longestMs), signal && { signal })
    return {
      putShare: async (call) => {
        await drip(call, call.asked[2].shareBytes)
        return call.honest()
      },
      getBlocks: async (call) => {
        const reply = await call.honest()
        await drip(call, reply.header.length + reply.blocks.length)
        return reply
      },
    }
  },

  /** Breaks the connection in the middle of a share, and at every other call. */
  closes: (): Fault => ({
    ...first(refuses('E_CLOSED')),
    putShare: async ({ asked: [, , share], signal }) => {
      for await (const piece of untilAborted(share.pieces, signal)) {
        if (piece.length > 0) break
      }
      return refuses('E_CLOSED')()
    },
  }),
}

/** `fault` now and then: at each call with this probability. */
export function sometimes(probability: number, fault: Fault): Fault {
  const maybe =
    <V extends StorageVerb>(verb: V): Handler<V> =>
    (call) => {
      const strikes = randomBelow(call.random, 2 ** 32) < probability * 2 ** 32
      const handler = fault[verb]
      return strikes && handler !== undefined ? handler(call) : call.honest()
    }
  return everyVerb(maybe)
}

/** Something that comes before every answer, and may stand in its way. */
function first(before: (call: AnyCall) => Promise<void>): Fault {
  return everyVerb(() => (call) => before(call).then(() => call.honest()))
}

function everyVerb(handlerOf: <V extends StorageVerb>(verb: V) => Handler<V>): Required<Fault> {
  return {
    have: handlerOf('have'),
    putShare: handlerOf('putShare'),
    getBlocks: handlerOf('getBlocks'),
    prove: handlerOf('prove'),
    status: handlerOf('status'),
    appendEntries: handlerOf('appendEntries'),
    readLog: handlerOf('readLog'),
    challenge: handlerOf('challenge'),
    enter: handlerOf('enter'),
    touch: handlerOf('touch'),
    renew: handlerOf('renew'),
    listHolds: handlerOf('listHolds'),
    release: handlerOf('release'),
  }
}

/** Changes each honest answer to `getBlocks`, which is ours to change. */
function spoilsBlocks(spoil: (reply: BlocksReply, call: FaultyCall<'getBlocks'>) => void): Fault {
  return {
    getBlocks: async (call) => {
      const reply = { ...(await call.honest()) }
      spoil(reply, call)
      return reply
    },
  }
}

function refuses(code: ErrorCode): () => Promise<never> {
  return () => Promise.reject(new GridError(code, 'a fault of the server'))
}

/** Takes the whole body of a put, keeps none of it, and says how long it was. */
async function drains({ asked: [, , share], signal }: FaultyCall<'putShare'>): Promise<number> {
  let drainedBytes = 0
  for await (const piece of untilAborted(share.pieces, signal)) drainedBytes += piece.length
  return drainedBytes
}
