/**
 * How fast something goes and when it will be done. The rate is a weighted mean of the last
 * seconds; the end is guessed once there is enough to go by, and the guess is kept until it is
 * clearly wrong, so that what is shown does not jump about.
 */

/** Before this, neither rate nor end is known. */
const warmUpMs = 3000
/** Weight of the past falls to 1/e in this time. */
const memoryMs = 5000
/** Samples closer than this are taken together. */
const sampleMs = 250
/** The guess stands while a new one is within this part of what remains, or within two seconds. */
const tolerance = 0.25
const toleranceMs = 2000

export class Meter {
  /** May become known later. */
  totalBytes: number | undefined
  readonly startMs: number
  doneBytes = 0
  #sampleAtMs: number
  #sampleBytes = 0
  #bytesPerMs: number | undefined
  #endMs: number | undefined

  /** @param nowMs - monotonic time, as in every call; @param totalBytes - undefined when not known */
  constructor(nowMs: number, totalBytes: number | undefined) {
    this.startMs = nowMs
    this.totalBytes = totalBytes
    this.#sampleAtMs = nowMs
  }

  /** Says that `doneBytes` in all are done by now; call it in a standstill too. */
  update(nowMs: number, doneBytes: number): void {
    this.doneBytes = doneBytes
    const elapsedMs = nowMs - this.#sampleAtMs
    if (elapsedMs < sampleMs) return
    const rate = Math.max(0, doneBytes - this.#sampleBytes) / elapsedMs
    const weight = this.#bytesPerMs === undefined ? 1 : 1 - Math.exp(-elapsedMs / memoryMs)
    this.#bytesPerMs = weight * rate + (1 - weight) * (this.#bytesPerMs ?? 0)
    this.#sampleAtMs = nowMs
    this.#sampleBytes = doneBytes
    this.#guessEnd(nowMs)
  }

  /** Undefined in the first seconds. */
  bytesPerSecond(nowMs: number): number | undefined {
    if (nowMs - this.startMs < warmUpMs || this.#bytesPerMs === undefined) return undefined
    return this.#bytesPerMs * 1000
  }

  /** Undefined in the first seconds, without a total, and in a standstill. */
  remainingMs(nowMs: number): number | undefined {
    if (nowMs - this.startMs < warmUpMs || this.#endMs === undefined) return undefined
    return Math.max(0, this.#endMs - nowMs)
  }

  #guessEnd(nowMs: number): void {
    const rate = this.#bytesPerMs ?? 0
    if (this.totalBytes === undefined || nowMs - this.startMs < warmUpMs) return
    const remainingMs = (this.totalBytes - this.doneBytes) / rate
    if (!Number.isFinite(remainingMs) || remainingMs > 2 ** 31) {
      this.#endMs = undefined
      return
    }
    const guessMs = nowMs + remainingMs
    const shownMs = this.#endMs ?? -Infinity
    const off = Math.abs(guessMs - shownMs)
    if (off > Math.max(toleranceMs, tolerance * (shownMs - nowMs))) this.#endMs = guessMs
  }
}
