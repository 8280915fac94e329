/** Spans of time for people: `30s` in, `about 3 min` out. */

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Milliseconds in `text` such as `500ms`, `30s`, `5m`, `2h`, `1d`; undefined for anything else, 0 among it. */
export function parseDurationMs(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const durationMs = Number(digits) * (unitMs[unit] ?? Number.NaN)
  return durationMs > 0 && durationMs < 2 ** 31 ? durationMs : undefined
}

/** Coarse on purpose, and rounded up: `a few seconds`, `about 40 s`, `about 3 min`, `about 2 h`. */
export function formatRemaining(durationMs: number): string {
  if (durationMs <= 10_000) return 'a few seconds'
  if (durationMs <= 60_000) return `about ${Math.ceil(durationMs / 10_000) * 10} s`
  if (durationMs <= 90 * 60_000) return `about ${Math.ceil(durationMs / 60_000)} min`
  return `about ${Math.ceil(durationMs / 3_600_000)} h`
}

/** What something took: `0.42 s`, `12.3 s`, `2 min 05 s`. */
export function formatElapsed(durationMs: number): string {
  if (durationMs < 9_995) return `${(durationMs / 1000).toFixed(2)} s`
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}
