/** What is known of where an object is: what each server says, and what follows from it. */
import type { ErrorCode } from '../../base/errors.ts'
import type { Coding } from '../../encoding/descriptor.ts'
import type { ObjectName } from '../../tree/refs.ts'
import type { Candidate } from '../peers/candidate.ts'
import { matchHeld } from '../placement/placement.ts'

/** An object whose length may not be known: a cap does not tell it. */
export interface CheckableObject extends ObjectName {
  ciphertextBytes?: number
}

/**
 * What a server has of an object: `has` a share of it, for all that is known; `damaged` a share that
 * is not what the root says; `absent` none; `silent` it did not answer; `refuses` it will not say, or
 * says something that this version does not understand. The last two are unknown, never good.
 */
export type Answer = 'has' | 'damaged' | 'absent' | 'silent' | 'refuses'

export const answers = ['has', 'damaged', 'absent', 'silent', 'refuses'] as const

/** How much of a share has been seen: nothing but the server's word, some of it, or all of it. */
export type Evidence = 'claim' | 'block' | 'whole'

/** One share of an object that a server says it has. */
export interface Claim {
  candidate: Candidate
  shareNumber: number
  /** Whether the server claims no other share of the object. */
  isOnly: boolean
  evidence: Evidence
  /** What came of looking; `has` until then, and `absent` where it was not there after all. */
  answer: Answer
  /** Why it is not `has`. */
  code?: ErrorCode
}

/**
 * `healthy`: all n shares, on n distinct servers. `degraded`: fewer. `repairable`: so few that it
 * should be repaired now. `lost`: too few to be read, and every server has answered. `unknown`: too
 * few among those that answer.
 */
export type ObjectState = 'healthy' | 'degraded' | 'repairable' | 'lost' | 'unknown'

export const objectStates = ['healthy', 'degraded', 'repairable', 'lost', 'unknown'] as const

export interface ObjectCheck {
  object: CheckableObject
  state: ObjectState
  /** Distinct servers with distinct shares, by their word or better; damaged ones do not count. */
  claimed: number
  /** Of these, such whose share was looked at, in part or whole. */
  verified: number
  claims: readonly Claim[]
  /** Servers that did not say whether they have a share. */
  unheard: readonly UnheardServer[]
}

export interface UnheardServer {
  peerId: string
  answer: 'silent' | 'refuses'
  code: ErrorCode
}

/** An answer for each server that is known: the best of what is known of its shares. */
export interface ServerAnswer {
  peerId: string
  answer: Answer
  /** Shares that it is believed to have. */
  shareNumbers: number[]
  code?: ErrorCode
}

/**
 * As many shares as are left when an object should be repaired now, at most: as many as a put of this
 * coding is content with by default, 7 at 3-of-10.
 */
export function repairThreshold({ k, n }: Coding): number {
  return Math.min(n - 1, k + Math.round(((n - k) * 4) / 7))
}

/** What follows from claims that have been looked at as far as they will be. */
export function concludeObject(
  object: CheckableObject,
  claims: readonly Claim[],
  unheard: readonly UnheardServer[],
): ObjectCheck {
  const claimed = distinctServers(claims.filter(({ answer }) => answer === 'has'))
  const seen = claims.filter(({ answer, evidence }) => answer === 'has' && evidence !== 'claim')
  const isUnsure =
    unheard.length > 0 || claims.some(({ answer }) => answer === 'silent' || answer === 'refuses')
  const state = stateOf(object, claimed, isUnsure)
  return { object, state, claimed, verified: distinctServers(seen), claims, unheard }
}

function stateOf(coding: Coding, claimed: number, isUnsure: boolean): ObjectState {
  if (claimed >= coding.n) return 'healthy'
  if (claimed < coding.k) return isUnsure ? 'unknown' : 'lost'
  return claimed > repairThreshold(coding) ? 'degraded' : 'repairable'
}

/**
 * Pairs of a server and a share, all servers and all shares distinct, as many as there can be: the
 * same share on ten servers counts once, and so do ten shares on one.
 */
export function distinctServers(claims: readonly Claim[]): number {
  const held = new Map<string, number[]>()
  for (const { candidate, shareNumber } of claims) {
    const known = held.get(candidate.id)
    if (known === undefined) held.set(candidate.id, [shareNumber])
    else known.push(shareNumber)
  }
  return matchHeld(
    [...held.keys()].map((id) => ({ id, domain: undefined })),
    held,
  ).size
}

/** What each of `candidates` has of the object, in their order. */
export function answersOf(
  { claims, unheard }: ObjectCheck,
  candidates: readonly Candidate[],
): ServerAnswer[] {
  return candidates.map(({ id: peerId }): ServerAnswer => {
    const silent = unheard.find((server) => server.peerId === peerId)
    if (silent !== undefined) return { ...silent, shareNumbers: [] }
    const own = claims.filter(({ candidate }) => candidate.id === peerId)
    const shareNumbers = own
      .filter(({ answer }) => answer === 'has')
      .map(({ shareNumber }) => shareNumber)
    if (shareNumbers.length > 0) return { peerId, answer: 'has', shareNumbers }
    const [worst] = own
    if (worst === undefined) return { peerId, answer: 'absent', shareNumbers }
    return { peerId, answer: worst.answer, shareNumbers, ...(worst.code && { code: worst.code }) }
  })
}
