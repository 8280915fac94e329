/**
 * Asks every server which shares it has of many objects: one question for 1,024 of them, all servers
 * side by side. What they say is hearsay. One that falls silent is waited for as long as others need
 * to answer, and is not asked again for a minute.
 */
import { setMaxListeners } from 'node:events'
import { compareBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { orAbort, withDeadline } from '../../base/deadline.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { EventQueue } from '../../base/event-queue.ts'
import { storageIndexOf } from '../../encoding/descriptor.ts'
import { maxHaveIndexes } from '../../storage/peer.ts'
import { type Candidate, type PeerVerdict, verdictOf } from '../peers/candidate.ts'
import type { PeerHealth } from '../peers/peer-health.ts'
import type { CheckableObject, Claim, UnheardServer } from './object-check.ts'

export interface PresenceContext {
  clock: Clock
  health: PeerHealth
}

/**
 * What asks only whether all is well waits a moment; what goes on to write waits for whoever shows any sign
 * of life, as one that is slow is not gone.
 */
export type Patience = 'brief' | 'long'

export interface PresenceReport {
  /** What servers claim to have of each object, in the order of the objects. */
  claims: Claim[][]
  /** Servers that did not say: what they have counts for nothing. */
  unheard: UnheardServer[]
  /** Those who answered. */
  answered: Candidate[]
}

/** The longest that nobody may say anything. */
const answerMs = 10_000
/** How long the others are waited for, at least, once one has answered; and how many times as long as it took. */
const graceMs = 600
const graceFactor = 4
/** By then one that is only slow has said something, whatever: it need not look for anything on its disk. */
const signMs = 300
/** A server that fell silent is taken for silent so long, and is then asked again: it may have been restarted. */
const silentForMs = 60_000

type Said = { candidate: Candidate; held: number[][] } | { candidate: Candidate; error: unknown }

export class Presence {
  readonly #context: PresenceContext
  readonly #candidates: readonly Candidate[]
  readonly #patience: Patience
  /** Those who fell silent, and until when they are not asked. */
  readonly #silent = new Map<string, { code: PeerVerdict['code']; untilMs: number }>()

  constructor(
    context: PresenceContext,
    candidates: readonly Candidate[],
    patience: Patience = 'brief',
  ) {
    this.#context = context
    this.#candidates = candidates
    this.#patience = patience
  }

  /** @param objects - at most 1,024 */
  async ask(
    objects: readonly CheckableObject[],
    options: { signal?: AbortSignal } = {},
  ): Promise<PresenceReport> {
    if (objects.length > maxHaveIndexes) throw new RangeError('presence: too many objects')
    const report: PresenceReport = { claims: objects.map(() => []), unheard: [], answered: [] }
    const indexes = objects.map(({ root }) => storageIndexOf(root))
    // by their names: the order of the objects would tell what belongs together
    const order = [...indexes.keys()].sort((a, b) => compareBytes(indexes[a], indexes[b]))
    const said = await this.#said(
      order.map((i) => indexes[i]),
      options,
    )
    for (const candidate of this.#candidates) {
      const answer = said.get(candidate)
      if (answer !== undefined && 'held' in answer) {
        report.answered.push(candidate)
        const held: number[][] = []
        for (const [at, i] of order.entries()) held[i] = answer.held[at]
        take(report.claims, objects, candidate, held)
      } else report.unheard.push(this.#unheard(candidate, answer?.error))
    }
    return report
  }

  async #said(
    indexes: readonly Uint8Array[],
    options: { signal?: AbortSignal },
  ): Promise<Map<Candidate, Said>> {
    const { clock } = this.#context
    const stop = new AbortController()
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
    // every server listens to it
    setMaxListeners(0, signal)
    const queue = new EventQueue<Said>(clock)
    const waiting = new Set(this.#candidates.filter(({ id }) => !this.#isSilent(id)))
    for (const candidate of waiting) {
      orAbort(candidate.peer.have(indexes, { signal }), signal).then(
        (held) => queue.push({ candidate, held }),
        (error: unknown) => queue.push({ candidate, error }),
      )
    }
    const said = new Map<Candidate, Said>()
    const startMs = clock.monotonicMs()
    let patienceMs = answerMs
    let leastMs = graceMs
    try {
      while (waiting.size > 0) {
        const events = await queue.take(patienceMs, options)
        for (const event of events) {
          waiting.delete(event.candidate)
          said.set(event.candidate, event)
        }
        if (events.length === 0) {
          if (this.#patience === 'brief' || leastMs > graceMs) break
          await this.#dropDead(waiting, signal)
          leastMs = answerMs
        }
        patienceMs = Math.max(leastMs, graceFactor * (clock.monotonicMs() - startMs))
      }
    } finally {
      stop.abort(new GridError('E_TIMEOUT', 'no answer in time'))
    }
    return said
  }

  /** Takes out of `waiting` who does not say anything at all: it is stopped or gone, and not slow. */
  async #dropDead(waiting: Set<Candidate>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context
    const looks = [...waiting].map(async (candidate) => {
      const ask = (signal: AbortSignal): Promise<unknown> =>
        orAbort(candidate.peer.challenge({ signal }), signal)
      try {
        await withDeadline(clock, signMs, ask, { signal })
      } catch (error) {
        // a refusal is a sign of life
        if (isSilence(verdictOf(candidate.id, error).code)) waiting.delete(candidate)
      }
    })
    await Promise.all(looks)
    signal.throwIfAborted()
  }

  #unheard({ id }: Candidate, error: unknown): UnheardServer {
    const { clock, health } = this.#context
    const known = this.#isSilent(id) ? this.#silent.get(id) : undefined
    if (known !== undefined) return { peerId: id, answer: 'silent', code: known.code }
    const { code } = verdictOf(id, error ?? new GridError('E_TIMEOUT', 'no answer in time'))
    if (!isSilence(code)) return { peerId: id, answer: 'refuses', code }
    this.#silent.set(id, { code, untilMs: clock.monotonicMs() + silentForMs })
    health.suspect(id)
    return { peerId: id, answer: 'silent', code }
  }

  #isSilent(id: string): boolean {
    return (this.#silent.get(id)?.untilMs ?? -Infinity) > this.#context.clock.monotonicMs()
  }
}

/** Whether a failed request means that the server was not heard at all. */
export function isSilence(code: PeerVerdict['code']): boolean {
  return code === 'E_TIMEOUT' || code === 'E_UNREACHABLE' || code === 'E_CLOSED'
}

/** Whether the server is there, and gives no share that it should have. */
export function isLoss(error: unknown): error is GridError {
  return isGridError(error, 'E_ABSENT', 'E_IO', 'E_TOO_LARGE')
}

function take(
  claims: Claim[][],
  objects: readonly CheckableObject[],
  candidate: Candidate,
  held: readonly (readonly number[])[],
): void {
  for (const [i, { n }] of objects.entries()) {
    const isShare = (number: number): boolean =>
      Number.isInteger(number) && number >= 0 && number < n
    const numbers = new Set(held[i]?.filter(isShare))
    const isOnly = numbers.size === 1
    for (const shareNumber of numbers)
      claims[i].push({ candidate, shareNumber, isOnly, evidence: 'claim', answer: 'has' })
  }
}
