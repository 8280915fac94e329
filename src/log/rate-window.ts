/**
 * What one author has written at one server lately, by days of UTC, so that a restart comes to the
 * same counts from the times of receipts (docs/specs/certificates.md, "Limits").
 */
import type { RateLimits } from './certificate.ts'

interface Day {
  entries: number
  bytes: number
}

const dayMs = 24 * 3600 * 1000
const windowDays = 30

export class RateWindow {
  readonly #days = new Map<number, Day>()

  /** Whether an entry of `bytes` at `nowMs` stays within `limits`. */
  hasRoom(limits: RateLimits, bytes: number, nowMs: number): boolean {
    const today = Math.floor(nowMs / dayMs)
    if ((this.#days.get(today)?.entries ?? 0) >= limits.entriesPerDay) return false
    let sum = bytes
    for (const [day, counted] of this.#days) {
      if (day > today - windowDays && day <= today) sum += counted.bytes
    }
    return sum <= limits.bytesPer30Days
  }

  /** Counts an entry that was taken. */
  add(bytes: number, receivedMs: number): void {
    const today = Math.floor(receivedMs / dayMs)
    for (const day of this.#days.keys()) if (day <= today - windowDays) this.#days.delete(day)
    const counted = this.#days.get(today) ?? { entries: 0, bytes: 0 }
    this.#days.set(today, { entries: counted.entries + 1, bytes: counted.bytes + bytes })
  }
}
