/**
 * Fetches segments of one object from the first k good shares (docs/specs/placement.md,
 * "Download"). Whatever servers say, only segments that the root vouches for come back.
 */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../../base/clock.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { EventQueue } from '../../base/event-queue.ts'
import { storageIndexOf } from '../../encoding/descriptor.ts'
import type { DecodedSegments, Encoder } from '../../encoding/encoder.ts'
import { isNewerShare } from '../../encoding/newer-share.ts'
import type { BlocksReply } from '../../storage/peer.ts'
import { blocksRequest, type SegmentRange } from './blocks-request.ts'
import { type Candidate, type PeerVerdict, verdictOf } from '../peers/candidate.ts'
import type { PeerHealth } from '../peers/peer-health.ts'
import { permuted } from '../placement/placement.ts'

export interface DownloadContext {
  clock: Clock
  health: PeerHealth
  encoder: Encoder
}

interface Attempt {
  candidate: Candidate
  shareNumber: number | undefined
  startMs: number
  hedged: boolean
}

interface GoodShare {
  candidate: Candidate
  reply: BlocksReply
}

type Settled =
  | { attempt: Attempt; reply: BlocksReply }
  | { attempt: Attempt; error: unknown }
  /** What a server said to a survey. */
  | { candidate: Candidate; held: readonly number[] }

const laterFormat = 'has a share of a newer format than this version of Grid reads'

/**
 * Fetches, checks and decodes.
 *
 * @throws E_NOT_ENOUGH_SHARES with each server's verdict; E_VERSION when k of them have shares of a
 *   later format; E_ENCODING when the object was uploaded malformed
 */
export async function downloadSegments(
  context: DownloadContext,
  candidates: readonly Candidate[],
  range: SegmentRange,
  options: { signal?: AbortSignal } = {},
): Promise<DecodedSegments> {
  return new ObjectDownload(context, range).run(candidates, options)
}

class ObjectDownload {
  readonly #context: DownloadContext
  readonly #range: SegmentRange
  readonly #storageIndex: Uint8Array
  readonly #events: EventQueue<Settled>
  readonly #stop = new AbortController()
  readonly #active = new Set<Attempt>()
  /** Answers not shown to be bad, by share number: the first counts, the others stand by. */
  readonly #good = new Map<number, GoodShare[]>()
  /** Servers that have, or had, a share of some number: they may hold others. */
  readonly #holders = new Set<Candidate>()
  readonly #asked = new Set<string>()
  /** Servers whose shares of it are of a format that is not known here. */
  readonly #later = new Set<string>()
  readonly #verdicts: PeerVerdict[] = []
  #queue: { candidate: Candidate; shareNumber: number | undefined }[] = []
  /** Surveys under way. */
  #surveys = 0

  constructor(context: DownloadContext, range: SegmentRange) {
    this.#context = context
    this.#range = range
    this.#storageIndex = storageIndexOf(range.object.root)
    this.#events = new EventQueue(context.clock)
    // every server listens to it
    setMaxListeners(0, this.#stop.signal)
  }

  async run(
    candidates: readonly Candidate[],
    options: { signal?: AbortSignal },
  ): Promise<DecodedSegments> {
    const ordered = this.#context.health.trustedFirst(permuted(this.#storageIndex, candidates))
    this.#queue = ordered.map((candidate) => ({ candidate, shareNumber: undefined }))
    try {
      for (;;) {
        this.#fill()
        if (this.#good.size >= this.#k) {
          const segments = await this.#decode(options)
          if (segments !== undefined) return segments
        } else {
          if (this.#promptCount === 0) this.#survey()
          if (this.#active.size + this.#surveys === 0) throw this.#failure(candidates.length)
          await this.#listen(options)
        }
      }
    } finally {
      this.#stop.abort(new GridError('E_TIMEOUT', 'not needed any more'))
    }
  }

  get #k(): number {
    return this.#range.object.k
  }

  /** Attempts that are not overdue. */
  get #promptCount(): number {
    return [...this.#active].filter(({ hedged }) => !hedged).length
  }

  /** Keeps k answers on their way, and one more for each attempt that is overdue. */
  #fill(): void {
    let missing = this.#k - this.#good.size - this.#promptCount
    while (missing > 0) {
      const next = this.#queue.shift()
      if (next === undefined) return
      if (this.#start(next.candidate, next.shareNumber)) missing--
    }
  }

  #start(candidate: Candidate, shareNumber: number | undefined): boolean {
    if (!this.#isNew(candidate, shareNumber ?? 'any')) return false
    const attempt = {
      candidate,
      shareNumber,
      startMs: this.#context.clock.monotonicMs(),
      hedged: false,
    }
    this.#active.add(attempt)
    this.#get(candidate, shareNumber).then(
      (reply) => this.#events.push({ attempt, reply }),
      (error: unknown) => this.#events.push({ attempt, error }),
    )
    return true
  }

  /** Whether this was not asked of that server before. */
  #isNew(candidate: Candidate, question: number | 'any' | 'all'): boolean {
    const name = `${candidate.id}/${question}`
    const isNew = !this.#asked.has(name)
    this.#asked.add(name)
    return isNew
  }

  #get(candidate: Candidate, shareNumber: number | undefined): Promise<BlocksReply> {
    const request = blocksRequest(this.#range, shareNumber)
    return candidate.peer.getBlocks(request, { signal: this.#stop.signal })
  }

  async #listen(options: { signal?: AbortSignal }): Promise<void> {
    const { clock, health } = this.#context
    for (const event of await this.#events.take(health.hedgeMs / 2, options)) this.#settle(event)
    for (const attempt of this.#active) {
      if (clock.monotonicMs() - attempt.startMs > health.hedgeMs) attempt.hedged = true
    }
  }

  #settle(event: Settled): void {
    if ('held' in event) return this.#extend(event.candidate, event.held)
    const { attempt } = event
    const { candidate } = attempt
    const { clock, health } = this.#context
    this.#active.delete(attempt)
    if ('error' in event) {
      this.#verdicts.push(verdictOf(candidate.id, event.error))
      if (!isGridError(event.error, 'E_ABSENT')) health.suspect(candidate.id)
      // A share that its disk spoilt may stand before a good one.
      if (isGridError(event.error, 'E_IO')) this.#holders.add(candidate)
      return
    }
    const { reply } = event
    this.#holders.add(candidate)
    if (!this.#isShareNumber(reply.shareNumber))
      return this.#blame(candidate, 'sent a share of a number there is not')
    if (isNewerShare(this.#storageIndex, reply.header)) {
      this.#later.add(candidate.id)
      return this.#blame(candidate, laterFormat, 'E_VERSION')
    }
    health.noteRead(clock.monotonicMs() - attempt.startMs)
    this.#isNew(candidate, reply.shareNumber)
    const others = this.#good.get(reply.shareNumber) ?? []
    this.#good.set(reply.shareNumber, [...others, { candidate, reply }])
  }

  #isShareNumber(value: number): boolean {
    return Number.isInteger(value) && value >= 0 && value < this.#range.object.n
  }

  /** Decodes k of the good shares; undefined when some of them turned out bad, which are dropped. */
  async #decode(options: { signal?: AbortSignal }): Promise<DecodedSegments | undefined> {
    const { root, k, n } = this.#range.object
    // Data shares first: they need no arithmetic.
    const chosen = [...this.#good].sort(([a], [b]) => a - b).slice(0, k)
    const outcome = await this.#context.encoder.decode(
      {
        root,
        coding: { k, n },
        firstSegment: this.#range.firstSegment,
        segmentCount: this.#range.segmentCount,
        shares: chosen.map(([, [{ reply }]]) => reply),
      },
      options,
    )
    if ('segments' in outcome) {
      for (const [, [{ candidate }]] of chosen) this.#context.health.trust(candidate.id)
      return outcome.segments
    }
    for (const [shareNumber, [{ candidate }, ...others]] of chosen) {
      const reply = outcome.good.find((share) => share.shareNumber === shareNumber)
      if (reply !== undefined) this.#good.set(shareNumber, [{ candidate, reply }, ...others])
      else {
        if (others.length > 0) this.#good.set(shareNumber, others)
        else this.#good.delete(shareNumber)
        this.#blame(candidate, 'sent a share that does not match the cap')
      }
    }
    return undefined
  }

  #blame(candidate: Candidate, message: string, code: PeerVerdict['code'] = 'E_SHARE'): void {
    this.#context.health.suspect(candidate.id)
    this.#verdicts.push({ peerId: candidate.id, code, message })
  }

  /** Asks servers that had one share whether they have others: a small grid may hold several on each. */
  #survey(): void {
    for (const candidate of this.#holders) {
      if (!this.#isNew(candidate, 'all')) continue
      this.#surveys++
      const told = (held: readonly number[]): void => this.#events.push({ candidate, held })
      candidate.peer.have([this.#storageIndex], { signal: this.#stop.signal }).then(
        ([held = []]) => told(held),
        () => told([]),
      )
    }
  }

  #extend(candidate: Candidate, held: readonly number[]): void {
    this.#surveys--
    for (const shareNumber of held) {
      if (this.#isShareNumber(shareNumber)) this.#queue.push({ candidate, shareNumber })
    }
  }

  #failure(known: number): GridError {
    const found = this.#good.size
    const facts = { found, needed: this.#k, known, servers: this.#verdicts }
    // fewer could lie
    if (this.#later.size >= this.#k) {
      const message = 'the file is of a newer format than this version of Grid reads'
      return new GridError('E_VERSION', message, { hint: 'upgrade this Grid', facts })
    }
    return new GridError(
      'E_NOT_ENOUGH_SHARES',
      `${found} of the ${this.#k} shares needed were found on ${known} servers`,
      {
        hint: 'see `grid status`; the file comes back when enough of its servers do',
        facts,
      },
    )
  }
}
