/** What a benchmark reports, and how it takes time. */

export interface Figure {
  name: string
  value: number
  unit: string
  /** The fastest that this machine could go, taken in the same run. */
  limit?: { name: string; value: number }
  /** What is aimed at, in words. */
  reach?: string
}

/** Rounds of a measurement, and the least CPU time of one. */
const rounds = 7
const roundMs = 80

/**
 * MB/s (10^6 bytes) of a synchronous `call` that works through `bytes`, by CPU time: the best of
 * several rounds, since whatever else the machine does can only make one slower.
 */
export function bestRate(bytes: number, call: () => void): number {
  let calls = 1
  while (cpuMs(calls, call) < roundMs) calls *= 2
  let bestMs = Infinity
  for (let round = 0; round < rounds; round++) bestMs = Math.min(bestMs, cpuMs(calls, call))
  return Math.round((bytes * calls) / bestMs / 1000)
}

function cpuMs(calls: number, call: () => void): number {
  const before = process.cpuUsage()
  for (let i = 0; i < calls; i++) call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
