/**
 * Places the shares of one object on distinct servers (docs/specs/placement.md, "Upload").
 *
 * One loop decides. A server that fails is replaced; one that falls silent is given up as soon as
 * patience ends, so that it delays a put by less than a second. Nothing is called stored before
 * `happy` distinct servers have said that their share is on disk.
 */
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { EventQueue } from '../../base/event-queue.ts'
import type { Pacer } from '../../base/pacer.ts'
import type { Random } from '../../base/random.ts'
import { storageIndexOf } from '../../encoding/descriptor.ts'
import type { EncodedShares } from '../../encoding/encoder.ts'
import { type Candidate, isFull, verdictOf } from '../peers/candidate.ts'
import type { ObjectReport } from './object-report.ts'
import type { PeerHealth } from '../peers/peer-health.ts'
import {
  crowdingOf,
  domainLimit,
  type Holdings,
  type Matched,
  matchShares,
  permuted,
  type Redundancy,
  spread,
} from '../placement/placement.ts'
import { ShareAttempt } from './share-attempt.ts'
import { survey, type SurveyResult } from './survey.ts'

export interface UploadContext {
  clock: Clock
  random: Random
  health: PeerHealth
}

export interface UploadOptions {
  signal?: AbortSignal
  /** What servers hold, where that is known already: nobody is asked. */
  holdings?: Holdings
  /** Holds back what is sent; none if absent. */
  pacer?: Pacer
}

type Settled =
  { attempt: ShareAttempt; stored: boolean } | { attempt: ShareAttempt; error: unknown }

const tickMs = 50

/** Shares up to this length are sent without asking first who has them: the question costs as much. */
const unaskedShareBytes = 64 * 1024

/**
 * Uploads `object`, then gives its memory back.
 *
 * @throws E_NOT_ENOUGH_SERVERS with each server's verdict when fewer than `happy` confirmed; E_FULL if
 *   enough would have, had they had room
 */
export async function uploadObject(
  context: UploadContext,
  candidates: readonly Candidate[],
  object: EncodedShares,
  redundancy: Redundancy,
  options: UploadOptions = {},
): Promise<ObjectReport> {
  const upload = new ObjectUpload(context, object, redundancy, options.pacer)
  try {
    return await upload.run(candidates, options)
  } finally {
    object.release(upload.settled)
  }
}

class ObjectUpload {
  readonly #context: UploadContext
  readonly #object: EncodedShares
  readonly #redundancy: Redundancy
  readonly #pacer: Pacer | undefined
  readonly #storageIndex: Uint8Array
  readonly #events: EventQueue<Settled>
  readonly #active = new Set<ShareAttempt>()
  readonly #placed = new Map<number, Candidate>()
  readonly #tried = new Set<string>()
  readonly #report: ObjectReport = { holders: new Map(), sentBytes: 0, hadBytes: 0, verdicts: [] }
  #spare: Candidate[] = []
  /** False once an attempt was given up that may still be sending from the object's memory. */
  settled = true

  constructor(
    context: UploadContext,
    object: EncodedShares,
    redundancy: Redundancy,
    pacer: Pacer | undefined,
  ) {
    this.#context = context
    this.#pacer = pacer
    this.#object = object
    this.#redundancy = redundancy
    this.#storageIndex = storageIndexOf(object.root)
    this.#events = new EventQueue(context.clock)
  }

  async run(candidates: readonly Candidate[], options: UploadOptions): Promise<ObjectReport> {
    const { holdings } = options
    const { held, placed } = holdings
      ? this.#matchKnown(candidates, holdings)
      : await this.#matchSurveyed(candidates, options)
    try {
      for (const [shareNumber, candidate] of placed) {
        const isThere = held.get(candidate.id)?.includes(shareNumber) === true
        // who repairs has no say in what is held, and for whom
        if (isThere && holdings) this.#confirm(shareNumber, candidate, false)
        else this.#start(shareNumber, candidate, isThere)
      }
      await this.#loop(options)
    } finally {
      this.#giveUp()
    }
    return this.#conclude(candidates.length)
  }

  async #matchSurveyed(
    candidates: readonly Candidate[],
    options: { signal?: AbortSignal },
  ): Promise<Matched<Candidate>> {
    const { n, happy } = this.#redundancy
    const accepting = candidates.filter(({ accepts }) => accepts)
    const ordered = this.#context.health.trustedFirst(permuted(this.#storageIndex, accepting))
    // spread before it is cut: else who shows as many servers would be most of those asked
    const asked = spread(ordered, [], { limit: domainLimit(this.#redundancy), wanted: 2 * n })
    const { answered, held, verdicts } = await this.#survey(asked, happy, options)
    this.#report.verdicts.push(...verdicts)
    // Who was late or failed once may still be better than nobody.
    this.#spare = [...answered, ...asked.filter((candidate) => !answered.includes(candidate))]
    return { held, placed: matchShares(this.#redundancy, answered, held) }
  }

  #matchKnown(candidates: readonly Candidate[], { held, damaged }: Holdings): Matched<Candidate> {
    const ordered = permuted(this.#storageIndex, candidates)
    // a server that has a sound share gets no second one
    this.#spare = ordered.filter(({ id, accepts }) => accepts && !held.has(id))
    return { held, placed: matchShares(this.#redundancy, ordered, held, damaged) }
  }

  /** Who has which share already; a server that has one it was not asked about says so to its put. */
  async #survey(
    asked: readonly Candidate[],
    happy: number,
    options: { signal?: AbortSignal },
  ): Promise<SurveyResult> {
    if (this.#object.shares[0].length <= unaskedShareBytes) {
      return { answered: [...asked], held: new Map(), verdicts: [] }
    }
    const enough = Math.min(happy, asked.length)
    return survey(this.#context, this.#object, this.#storageIndex, asked, enough, options)
  }

  async #loop(options: { signal?: AbortSignal }): Promise<void> {
    const { health } = this.#context
    while (this.#active.size > 0) {
      for (const event of await this.#events.take(tickMs, options)) this.#settle(event)
      const silent = [...this.#active].filter((attempt) => attempt.isSilent(health.patienceMs))
      for (const attempt of silent) if (!attempt.replaced) this.#replace(attempt)
      const waiting = silent.length < this.#active.size
      if (!waiting && this.#placed.size >= this.#redundancy.happy) return
    }
  }

  #start(shareNumber: number, candidate: Candidate, isThere = false): void {
    const { clock, random } = this.#context
    this.#tried.add(candidate.id)
    const attempt = new ShareAttempt({
      ...{ clock, random, pacer: this.#pacer, storageIndex: this.#storageIndex },
      ...{ shareNumber, share: this.#object.shares[shareNumber], candidate },
    })
    this.#active.add(attempt)
    attempt.put(isThere).then(
      (stored) => this.#events.push({ attempt, stored }),
      (error: unknown) => this.#events.push({ attempt, error }),
    )
  }

  #settle(event: Settled): void {
    const { attempt } = event
    if (!this.#active.delete(attempt)) return
    const { candidate, shareNumber } = attempt
    const { health } = this.#context
    if ('stored' in event) {
      health.trust(candidate.id)
      health.noteGap(attempt.longestGapMs)
      if (!this.#placed.has(shareNumber)) this.#confirm(shareNumber, candidate, event.stored)
      for (const rival of this.#active) if (rival.shareNumber === shareNumber) this.#drop(rival)
      return
    }
    this.settled = false
    this.#report.verdicts.push(verdictOf(candidate.id, event.error))
    health.suspect(candidate.id)
    if (!attempt.replaced) this.#replace(attempt)
  }

  #confirm(shareNumber: number, candidate: Candidate, sent: boolean): void {
    const bytes = this.#object.shares[shareNumber]?.length ?? 0
    this.#tried.add(candidate.id)
    this.#placed.set(shareNumber, candidate)
    this.#report.holders.set(shareNumber, candidate.id)
    if (sent) this.#report.sentBytes += bytes
    else this.#report.hadBytes += bytes
  }

  /** Tries another server for the share of an attempt that failed or fell silent. */
  #replace(attempt: ShareAttempt): void {
    const taken = [...this.#placed.values(), ...[...this.#active].map(({ candidate }) => candidate)]
    const untried = this.#spare.filter(({ id }) => !this.#tried.has(id))
    const limit = domainLimit(this.#redundancy)
    const [next] = spread(untried, taken, { limit, wanted: 1 })
    if (next === undefined) return
    attempt.replaced = true
    this.#start(attempt.shareNumber, next)
  }

  #drop(attempt: ShareAttempt): void {
    this.settled = false
    this.#active.delete(attempt)
    attempt.giveUp()
  }

  #giveUp(): void {
    for (const attempt of this.#active) {
      const peerId = attempt.candidate.id
      this.#context.health.suspect(peerId)
      this.#report.verdicts.push({ peerId, code: 'E_TIMEOUT', message: 'fell silent' })
      this.#drop(attempt)
    }
  }

  #conclude(known: number): ObjectReport {
    const { happy } = this.#redundancy
    const stored = this.#placed.size
    if (stored >= happy) {
      this.#report.crowding = crowdingOf(this.#redundancy, [...this.#placed.values()])
      return this.#report
    }
    const facts = { stored, happy, known, servers: this.#report.verdicts }
    const took = `${stored} of the ${happy} servers needed took a share (${known} known)`
    if (isFull(this.#report.verdicts, happy - stored))
      throw new GridError('E_FULL', `the grid is full: ${took}, others have no room`, {
        hint: 'make room on their disks, or add servers',
        facts,
      })
    throw new GridError('E_NOT_ENOUGH_SERVERS', took, {
      hint: 'see `grid status` for the servers; --happy lowers the number needed',
      facts,
    })
  }
}
