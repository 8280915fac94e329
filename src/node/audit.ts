/**
 * Looks whether objects are where they should be, without any key and without fetching them: every
 * server says which it has, and one block of each object is fetched and checked against its root.
 */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { compareBytes, equalBytes } from '../base/bytes.ts'
import { orAbort, withDeadline } from '../base/deadline.ts'
import { isGridError } from '../base/errors.ts'
import { mapWithin } from '../base/limit.ts'
import { type Random, randomBelow } from '../base/random.ts'
import { storageIndexOf } from '../encoding/descriptor.ts'
import { badBlock } from '../encoding/object.ts'
import { isOfLaterFormat, parseShareHeader, shareLayout } from '../encoding/share.ts'
import { type BlocksReply, maxHaveIndexes, type StoragePeer } from '../storage/peer.ts'
import type { ObjectRef } from '../tree/refs.ts'
import { blocksRequest } from './blocks-request.ts'
import { type Candidate, type PeerVerdict, verdictOf } from './candidate.ts'
import type { PeerHealth } from './peer-health.ts'

export interface AuditedObject {
  object: ObjectRef
  /** Distinct servers that say that they have a share of it, and distinct shares that they say they have. */
  servers: number
  shares: number
  /**
   * What became of the block that was asked for. `bad`: the server that says it has the share gave
   * none, or one that the root denies. `unanswered`: nobody has a share, or who was asked fell silent
   * or has one of a later format.
   */
  block: 'good' | 'bad' | 'unanswered'
}

export interface AuditReport {
  /** In the order in which they were given. */
  objects: AuditedObject[]
  /** Servers that did not say what they have. What they hold counts for nothing. */
  silent: PeerVerdict[]
}

export interface AuditContext {
  clock: Clock
  random: Random
  health: PeerHealth
}

/** A server that has not answered by then is silent. */
const answerMs = 5_000
/** Blocks that are asked for together. */
const blocksTogether = 32

/** A share that a server says it has. */
interface Claim {
  candidate: Candidate
  shareNumber: number
}

export async function auditObjects(
  context: AuditContext,
  candidates: readonly Candidate[],
  objects: readonly ObjectRef[],
  given: { signal?: AbortSignal } = {},
): Promise<AuditReport> {
  const options = given.signal === undefined ? {} : { signal: AbortSignal.any([given.signal]) }
  // every question listens to it
  if (options.signal !== undefined) setMaxListeners(0, options.signal)
  const indexes = objects.map(({ root }) => storageIndexOf(root))
  const silent: PeerVerdict[] = []
  const claims: Claim[][] = objects.map(() => [])
  const asked = candidates.map(async (candidate) => {
    try {
      const held = await sharesHeld(context, candidate.peer, indexes, options)
      for (const [i, { n }] of objects.entries()) {
        const numbers = new Set(held[i]?.filter((shareNumber) => shareNumber < n))
        for (const shareNumber of numbers) claims[i].push({ candidate, shareNumber })
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      context.health.suspect(candidate.id)
      silent.push(verdictOf(candidate.id, error))
    }
  })
  await Promise.allSettled(asked)
  options.signal?.throwIfAborted()
  const numbers = objects.map((_, i) => i)
  const audited = await mapWithin(blocksTogether, numbers, async (i): Promise<AuditedObject> => {
    const object = objects[i]
    const servers = new Set(claims[i].map(({ candidate }) => candidate.id)).size
    const shares = new Set(claims[i].map(({ shareNumber }) => shareNumber)).size
    const block = await blockOf(context, object, claims[i], options)
    return { object, servers, shares, block }
  })
  return { objects: audited, silent }
}

/** Asks in the order of storage indexes: the order of the objects would tell what belongs together. */
async function sharesHeld(
  { clock }: AuditContext,
  peer: StoragePeer,
  indexes: readonly Uint8Array[],
  options: { signal?: AbortSignal },
): Promise<number[][]> {
  const order = [...indexes.keys()].sort((a, b) => compareBytes(indexes[a], indexes[b]))
  const held: number[][] = []
  for (let at = 0; at < order.length; at += maxHaveIndexes) {
    const some = order.slice(at, at + maxHaveIndexes)
    const ask = (signal: AbortSignal): Promise<number[][]> =>
      orAbort(
        peer.have(
          some.map((i) => indexes[i]),
          { signal },
        ),
        signal,
      )
    const answers = await withDeadline(clock, answerMs, ask, options)
    for (const [j, i] of some.entries()) held[i] = answers[j]
  }
  return held
}

/** One random block of one random share among those claimed. */
async function blockOf(
  { clock, random, health }: AuditContext,
  object: ObjectRef,
  claims: readonly Claim[],
  options: { signal?: AbortSignal },
): Promise<AuditedObject['block']> {
  if (claims.length === 0) return 'unanswered'
  const { candidate, shareNumber } = claims[randomBelow(random, claims.length)]
  const segment = randomBelow(random, shareLayout(object).segmentCount)
  const isOnly = claims.every(
    (claim) => claim.candidate !== candidate || claim.shareNumber === shareNumber,
  )
  const range = { object, firstSegment: segment, segmentCount: 1 }
  // who reads asks for any share first, and for one by its number where there are others
  const request = blocksRequest(range, isOnly ? undefined : shareNumber)
  const ask = (signal: AbortSignal): Promise<BlocksReply> =>
    orAbort(candidate.peer.getBlocks(request, { signal }), signal)
  try {
    const reply = await withDeadline(clock, answerMs, ask, options)
    if (isOfLaterFormat(reply.header)) return 'unanswered'
    return isGood(reply, object, shareNumber, segment) ? 'good' : 'bad'
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isGridError(error, 'E_ABSENT', 'E_IO', 'E_TOO_LARGE')) return 'bad'
    health.suspect(candidate.id)
    return 'unanswered'
  }
}

function isGood(
  { header: headerBytes, blocks }: BlocksReply,
  { root, ciphertextBytes }: ObjectRef,
  shareNumber: number,
  segment: number,
): boolean {
  try {
    const header = parseShareHeader(headerBytes)
    return (
      equalBytes(header.root, root) &&
      header.descriptor.ciphertextBytes === ciphertextBytes &&
      header.shareNumber === shareNumber &&
      badBlock({ header, blocks }, segment, 1) === undefined
    )
  } catch (error) {
    if (isGridError(error)) return false
    throw error
  }
}
