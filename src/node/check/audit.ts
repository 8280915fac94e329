/**
 * Looks whether objects are where they should be, without any key and without fetching them: every
 * server says which it has, and one block of each object is fetched and checked against its root.
 */
import { heardByMany } from '../../base/deadline.ts'
import { mapWithin } from '../../base/limit.ts'
import { randomBelow } from '../../base/random.ts'
import { maxHaveIndexes } from '../../storage/peer.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { Candidate, PeerVerdict } from '../peers/candidate.ts'
import { auditBlock, type AuditContext } from './block-audit.ts'
import type { Claim } from './object-check.ts'
import { Presence } from './presence.ts'

export type { AuditContext } from './block-audit.ts'

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

/** Blocks that are asked for together. */
const blocksTogether = 32

export async function auditObjects(
  context: AuditContext,
  candidates: readonly Candidate[],
  objects: readonly ObjectRef[],
  given: { signal?: AbortSignal } = {},
): Promise<AuditReport> {
  // every question listens to it
  const options = heardByMany(given)
  const presence = new Presence(context, candidates)
  const audited: AuditedObject[] = []
  const silent = new Map<string, PeerVerdict>()
  for (let at = 0; at < objects.length; at += maxHaveIndexes) {
    const some = objects.slice(at, at + maxHaveIndexes)
    const { claims, unheard } = await presence.ask(some, options)
    for (const { peerId, code } of unheard) {
      const message = 'did not say what it has'
      if (!silent.has(peerId)) silent.set(peerId, { peerId, code, message })
    }
    const numbers = some.map((_, i) => i)
    audited.push(
      ...(await mapWithin(blocksTogether, numbers, (i) =>
        auditObject(context, some[i], claims[i], options),
      )),
    )
  }
  return { objects: audited, silent: [...silent.values()] }
}

/** One random block of one random share among those claimed. */
async function auditObject(
  context: AuditContext,
  object: ObjectRef,
  claims: readonly Claim[],
  options: { signal?: AbortSignal },
): Promise<AuditedObject> {
  const servers = new Set(claims.map(({ candidate }) => candidate.id)).size
  const shares = new Set(claims.map(({ shareNumber }) => shareNumber)).size
  if (claims.length === 0) return { object, servers, shares, block: 'unanswered' }
  const claim = claims[randomBelow(context.random, claims.length)]
  await auditBlock(context, object, claim, options)
  return { object, servers, shares, block: blockOf(claim) }
}

function blockOf({ answer }: Claim): AuditedObject['block'] {
  if (answer === 'has') return 'good'
  return answer === 'damaged' || answer === 'absent' ? 'bad' : 'unanswered'
}
