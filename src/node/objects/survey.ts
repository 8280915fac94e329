/**
 * Asks servers which shares of an object they hold, and lets each prove what it says: hearsay
 * counts for nothing, since a server could claim a share to keep it from being uploaded.
 */
import { setMaxListeners } from 'node:events'
import { equalBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { EventQueue } from '../../base/event-queue.ts'
import { isGridError } from '../../base/errors.ts'
import { hmac } from '../../base/hash.ts'
import type { Random } from '../../base/random.ts'
import type { EncodedShares } from '../../encoding/encoder.ts'
import type { StorageIndex, StoragePeer } from '../../storage/peer.ts'
import { type Candidate, type PeerVerdict, verdictOf } from '../peers/candidate.ts'
import type { PeerHealth } from '../peers/peer-health.ts'

const nonceBytes = 32

export interface SurveyResult {
  /** Those who answered in time, in the order asked. */
  answered: Candidate[]
  /** Share numbers proven held, by peer id; servers that hold none are left out. */
  held: Map<string, number[]>
  verdicts: PeerVerdict[]
}

export interface SurveyContext {
  clock: Clock
  random: Random
  health: PeerHealth
}

/**
 * Surveys `candidates`. Waits for all of them, but for one that is silent only as long as patience
 * lasts once `enough` have answered.
 */
export async function survey(
  context: SurveyContext,
  object: EncodedShares,
  storageIndex: Uint8Array,
  candidates: readonly Candidate[],
  enough: number,
  options: { signal?: AbortSignal } = {},
): Promise<SurveyResult> {
  const { clock, health } = context
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  // every server listens to it
  setMaxListeners(0, signal)
  const startMs = clock.monotonicMs()
  const answers = new EventQueue<{ candidate: Candidate; held?: number[]; error?: unknown }>(clock)
  for (const candidate of candidates) {
    provenShares(context, candidate, object, storageIndex, signal).then(
      (held) => answers.push({ candidate, held }),
      (error: unknown) => answers.push({ candidate, error }),
    )
  }

  const held = new Map<string, number[]>()
  const verdicts: PeerVerdict[] = []
  const waiting = new Map(candidates.map((candidate) => [candidate.id, candidate]))
  try {
    while (waiting.size > 0) {
      const leftMs = startMs + health.patienceMs / 2 - clock.monotonicMs()
      if (held.size >= enough && leftMs <= 0) break
      for (const { candidate, held: numbers, error } of await answers.take(
        Math.max(leftMs, 50),
        options,
      )) {
        waiting.delete(candidate.id)
        if (numbers) held.set(candidate.id, numbers)
        else verdicts.push(verdictOf(candidate.id, error))
      }
    }
  } finally {
    stop.abort(new Error('the survey is over'))
  }
  for (const { peerId } of verdicts) health.suspect(peerId)
  for (const id of waiting.keys()) {
    health.suspect(id)
    verdicts.push({ peerId: id, code: 'E_TIMEOUT', message: 'no answer in time' })
  }
  return { answered: candidates.filter(({ id }) => held.has(id)), held, verdicts }
}

/** Share numbers that `candidate` has shown to hold. A claim it cannot prove is no claim. */
async function provenShares(
  { random }: SurveyContext,
  { peer }: Candidate,
  object: EncodedShares,
  storageIndex: Uint8Array,
  signal: AbortSignal,
): Promise<number[]> {
  const [claimed = []] = await peer.have([storageIndex], { signal })
  const proven: number[] = []
  for (const shareNumber of claimed) {
    const share = object.shares[shareNumber]
    if (share && (await proves(peer, storageIndex, shareNumber, share, random, signal)))
      proven.push(shareNumber)
  }
  return proven
}

/** Whether the peer can produce the share right now. */
export async function proves(
  peer: Candidate['peer'],
  storageIndex: Uint8Array,
  shareNumber: number,
  share: Uint8Array,
  random: Random,
  signal: AbortSignal,
): Promise<boolean> {
  const nonce = random.bytes(nonceBytes)
  const proof = await peer.prove(storageIndex, shareNumber, nonce, { signal })
  return equalBytes(proof, hmac(nonce, share))
}

/** Whether a share that a server has proved to have is held from now on: it may have been given up. */
export async function isHeld(
  peer: StoragePeer,
  storageIndex: StorageIndex,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const [outcome] = await peer.touch([storageIndex], { signal })
    return outcome !== 'absent'
  } catch (error) {
    // a server from before there were holds keeps what it has; of others the put will tell
    if (isGridError(error, 'E_UNKNOWN_VERB')) return true
    if (isGridError(error, 'E_FORBIDDEN')) return false
    throw error
  }
}
