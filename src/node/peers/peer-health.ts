/**
 * What a client remembers of its peers between requests: who was slow or broken of late, and how
 * long a sign of life may take. It only orders and times things; it never declares a share lost.
 */
import type { Clock } from '../../base/clock.ts'

const suspectForMs = 30_000
const minPatienceMs = 600
const maxPatienceMs = 10_000
const patienceFactor = 4
const typicalSmoothing = 0.2
const minHedgeMs = 100

export class PeerHealth {
  readonly #clock: Clock
  readonly #suspectUntilMs = new Map<string, number>()
  #longestGapMs = 0
  #typicalReadMs: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether this peer failed or fell silent within the last half minute. */
  isSuspect(id: string): boolean {
    return (this.#suspectUntilMs.get(id) ?? 0) > this.#clock.monotonicMs()
  }

  suspect(id: string): void {
    this.#suspectUntilMs.set(id, this.#clock.monotonicMs() + suspectForMs)
  }

  trust(id: string): void {
    this.#suspectUntilMs.delete(id)
  }

  /** `peers` with the suspects moved behind the others; otherwise in their order. */
  trustedFirst<T extends { id: string }>(peers: readonly T[]): T[] {
    const trusted = peers.filter(({ id }) => !this.isSuspect(id))
    return [...trusted, ...peers.filter(({ id }) => this.isSuspect(id))]
  }

  /** Notes how long an honest peer went without a sign of life during a put that succeeded. */
  noteGap(gapMs: number): void {
    this.#longestGapMs = Math.max(gapMs, this.#longestGapMs * 0.98)
  }

  /** How long a peer may be silent before another is tried: a multiple of what honest ones needed. */
  get patienceMs(): number {
    return Math.min(maxPatienceMs, Math.max(minPatienceMs, patienceFactor * this.#longestGapMs))
  }

  /** Notes how long a read took that succeeded. */
  noteRead(elapsedMs: number): void {
    const typical = this.#typicalReadMs ?? elapsedMs
    this.#typicalReadMs = typical + typicalSmoothing * (elapsedMs - typical)
  }

  /** How long to wait for a read before asking one more peer: twice what is typical. */
  get hedgeMs(): number {
    return Math.min(
      maxPatienceMs,
      Math.max(minHedgeMs, 2 * (this.#typicalReadMs ?? minPatienceMs / 2)),
    )
  }
}
