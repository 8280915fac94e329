/** Moments and spans for people. */

/** `2026-01-02 03:04:05Z`. */
export function momentText(ms: number): string {
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return 'never'
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`
}

/** RFC 3339 in UTC, for JSON; null where there is no such moment. */
export function isoText(ms: number | undefined): string | null {
  const date = new Date(ms ?? NaN)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** Coarse: `40 s`, `12 min`, `5 h`, `3 days`. */
export function spanText(ms: number): string {
  if (ms < 100_000) return `${Math.max(0, Math.round(ms / 1000))} s`
  if (ms < 100 * 60_000) return `${Math.round(ms / 60_000)} min`
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} days`
}
