/**
 * What a running node tells the command line of its own home, over its socket, beside the peers that it
 * lends (lending.ts): how it is now, what happened, how scrubbing goes. Plain data without a cap or a key.
 */
import type { CborValue } from '../../base/cbor.ts'
import { utf8 } from '../../base/bytes.ts'
import type { Channel } from '../../base/channel.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import type { ScrubReport } from '../../storage/scrub/scrubber.ts'
import type { VerbCount } from '../../storage/traffic.ts'
import { arrayOf, bytesOf, integerOf, shapedAs } from '../../log/shape.ts'
import type { SweepReport } from '../../storage/holds/sweeper.ts'
import type { PeerStatus } from '../../storage/peer.ts'
import type { Verb, Verbs } from '../../wire/answerer.ts'
import { openCaller } from '../../wire/caller.ts'
import type { NodeEvent } from './node-event.ts'
import type { JobOutcome } from './own-jobs.ts'
import type { PurgeWish, SweepWish } from './own-sweep.ts'

/** How a node is at one moment; all counts are since its start. */
export interface NodeView {
  peerId: string
  nickname: string
  software: string
  upMs: number
  nowMs: number
  /** Of its process. */
  memoryBytes: number
  /** Open connections to other nodes, and peers that it knows. */
  connections: number
  peers: number
  /** Bytes of shares taken in and given out. */
  inBytes: number
  outBytes: number
  requests: Readonly<Record<string, VerbCount>>
  /** Undefined where it keeps no shares. */
  storage: PeerStatus | undefined
  scrub: ScrubReport | undefined
  /** What came of the last sweep since its start. */
  sweep: SweepReport | undefined
}

/** A node, as the command line of its home sees it. */
export interface OwnNode {
  view(): Promise<NodeView>
  /** The newest events after number `seq`, at most `limit`, ascending. */
  events(seq: number, limit: number): Promise<NodeEvent[]>
  /** Begins to read every share through; undefined where it keeps none. */
  scrub(): Promise<ScrubReport | undefined>
  /** Begins to delete what is due, or to look at it, and tells its number; undefined where it keeps none. Throws E_BUSY. */
  sweep(wish: SweepWish): Promise<number | undefined>
  /** Begins to end what a former member pays for, or to look at it; otherwise as `sweep`. */
  purge(wish: PurgeWish): Promise<number | undefined>
  /** What came of the last of those: a `SweepReport` or a `PurgeReport`. Throws E_ABSENT for any other. */
  outcome(job: number): Promise<JobOutcome>
  /** Takes no shares until it is started again, and tells others. */
  stopTaking(): Promise<boolean>
}

const deadlineMs = 10_000
export const maxEventsAsked = 1000
/** No answer is longer. */
const maxAnswerBytes = 4 * 2 ** 20

export function ownVerbs(node: OwnNode): Verbs {
  return new Map<string, Verb<unknown>>([
    ['view', jsonVerb(noArguments, () => node.view())],
    ['events', jsonVerb(eventArguments, ({ seq, limit }) => node.events(seq, limit))],
    ['scrub', jsonVerb(noArguments, async () => (await node.scrub()) ?? null)],
    ['sweep', jsonVerb(sweepArguments, async (wish) => (await node.sweep(wish)) ?? null)],
    ['purge', jsonVerb(purgeArguments, async (wish) => (await node.purge(wish)) ?? null)],
    ['outcome', jsonVerb(jobArgument, (job) => node.outcome(job))],
    ['stop-taking', jsonVerb(noArguments, () => node.stopTaking())],
  ])
}

/** The node behind a socket. `connect` opens a connection to it. Close it when done. @throws E_UNREACHABLE */
export async function reachNode(
  connect: () => Promise<Channel>,
  { clock }: { clock: Clock },
): Promise<OwnNode & { close(): void }> {
  const channel = await connect()
  await channel.send([Uint8Array.of(0)])
  const caller = await openCaller(channel, { clock })
  const ask = async <T>(verb: string, args: CborValue = []): Promise<T> => {
    const { body } = await caller.call(verb, args, { deadlineMs, maxAnswerBytes })
    return JSON.parse(new TextDecoder().decode(body)) as T
  }
  return {
    view: () => ask('view'),
    events: (seq, limit) => ask('events', [seq, limit]),
    scrub: async () => (await ask<ScrubReport | null>('scrub')) ?? undefined,
    sweep: async ({ dryRun, consentShares, clockIsRight }) => {
      const flags = [dryRun ? 1 : 0, consentShares, clockIsRight ? 1 : 0]
      return (await ask<number | null>('sweep', flags)) ?? undefined
    },
    purge: async ({ publicKey, dryRun }) =>
      (await ask<number | null>('purge', [publicKey, dryRun ? 1 : 0])) ?? undefined,
    outcome: (job) => ask('outcome', [job]),
    stopTaking: () => ask('stop-taking'),
    close: () => caller.close(),
  }
}

function jsonVerb<Args>(
  parse: (args: CborValue) => Args,
  handle: (args: Args) => Promise<unknown>,
): Verb<unknown> {
  return {
    deadlineMs,
    parse,
    answerBytes: () => maxAnswerBytes,
    async handle(args) {
      const bytes = utf8(JSON.stringify(await handle(args as Args)))
      return { facts: [], body: { bytes: bytes.length, pieces: [bytes] } }
    },
  }
}

function noArguments(args: CborValue): undefined {
  if (Array.isArray(args) && args.length === 0) return undefined
  throw new GridError('E_BAD_REQUEST', 'this verb takes no arguments')
}

function sweepArguments(args: CborValue): SweepWish {
  return shapedAs('E_BAD_REQUEST', 'request', () => {
    const [dryRun, consentShares, clockIsRight] = arrayOf(args, 3, 3)
    return {
      dryRun: integerOf(dryRun, 0, 1) === 1,
      consentShares: integerOf(consentShares, 0),
      clockIsRight: integerOf(clockIsRight, 0, 1) === 1,
    }
  })
}

function purgeArguments(args: CborValue): PurgeWish {
  return shapedAs('E_BAD_REQUEST', 'request', () => {
    const [publicKey, dryRun] = arrayOf(args, 2, 2)
    return { publicKey: bytesOf(publicKey, 32), dryRun: integerOf(dryRun, 0, 1) === 1 }
  })
}

function jobArgument(args: CborValue): number {
  return shapedAs('E_BAD_REQUEST', 'request', () => integerOf(arrayOf(args, 1, 1)[0], 1))
}

function eventArguments(args: CborValue): { seq: number; limit: number } {
  const [seq, limit] = Array.isArray(args) ? (args as CborValue[]) : []
  const isSound =
    typeof seq === 'number' &&
    seq >= 0 &&
    typeof limit === 'number' &&
    limit >= 1 &&
    limit <= maxEventsAsked
  if (isSound) return { seq, limit }
  throw new GridError('E_BAD_REQUEST', 'a number, and how many events after it')
}
