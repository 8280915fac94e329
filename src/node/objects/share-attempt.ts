/** One share on its way to one server, and when that server last showed a sign of life. */
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import type { Pacer } from '../../base/pacer.ts'
import type { Random } from '../../base/random.ts'
import type { StorageIndex } from '../../storage/peer.ts'
import type { Candidate } from '../peers/candidate.ts'
import { isHeld, proves } from './survey.ts'

/** Where a rate is set, shares are sent in pieces of this length. */
const pacedPieceBytes = 16 * 1024

export interface ShareAttemptOptions {
  clock: Clock
  random: Random
  /** Holds back what is sent; none if absent. */
  pacer: Pacer | undefined
  storageIndex: StorageIndex
  shareNumber: number
  /** The whole share; borrowed until `put` has resolved. */
  share: Uint8Array
  candidate: Candidate
}

export class ShareAttempt {
  readonly shareNumber: number
  readonly candidate: Candidate
  /** Whether another server was given the share since. */
  replaced = false
  readonly #options: ShareAttemptOptions
  readonly #stop = new AbortController()
  #lastSignMs: number
  #longestGapMs = 0
  /** Its next bytes are held back here: no silence of the server's. */
  #isHeldBack = false

  constructor(options: ShareAttemptOptions) {
    this.#options = options
    this.shareNumber = options.shareNumber
    this.candidate = options.candidate
    this.#lastSignMs = options.clock.monotonicMs()
  }

  /** The longest silence so far that ended. */
  get longestGapMs(): number {
    return this.#longestGapMs
  }

  /**
   * Resolves to whether the share was sent; a server that says it had it must prove it.
   *
   * @param isThere - it has proved to have it
   */
  async put(isThere: boolean): Promise<boolean> {
    const { random, pacer, storageIndex, shareNumber, share, candidate } = this.#options
    const { peer } = candidate
    const { signal } = this.#stop
    if (isThere && (await isHeld(peer, storageIndex, signal))) return false
    const body = { shareBytes: share.length, pieces: pacer ? this.#paced(pacer) : [share] }
    const onProgress = (): void => this.#sign()
    const outcome = await peer.putShare(storageIndex, shareNumber, body, { signal, onProgress })
    this.#sign()
    if (outcome === 'stored') return true
    if (await proves(peer, storageIndex, shareNumber, share, random, signal)) return false
    throw new GridError('E_ABSENT', 'says that it has a share which it cannot prove to have')
  }

  isSilent(patienceMs: number): boolean {
    return !this.#isHeldBack && this.#options.clock.monotonicMs() - this.#lastSignMs > patienceMs
  }

  /** Ends it; what is sent may be read for a moment yet. */
  giveUp(): void {
    this.#stop.abort(new GridError('E_TIMEOUT', 'given up for another server'))
  }

  /** The share in pieces, each as soon as the rate allows. */
  async *#paced(pacer: Pacer): AsyncGenerator<Uint8Array> {
    const { share, clock } = this.#options
    const { signal } = this.#stop
    for (let at = 0; at < share.length; at += pacedPieceBytes) {
      const piece = share.subarray(at, at + pacedPieceBytes)
      this.#sign()
      this.#isHeldBack = true
      await pacer.take(piece.length, { signal })
      this.#isHeldBack = false
      this.#lastSignMs = clock.monotonicMs()
      yield piece
    }
  }

  #sign(): void {
    const nowMs = this.#options.clock.monotonicMs()
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastSignMs)
    this.#lastSignMs = nowMs
  }
}
