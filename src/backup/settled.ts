/**
 * Whether a fingerprint will tell of the next change. A file that is written twice within one tick
 * of its file system's clock has the same times after both: what was read in between, and not long
 * after the first, must be read again next time.
 */
import type { Fingerprint } from '../local/fingerprint.ts'

/** Ticks of kernels are 10 ms at most; old and foreign file systems count seconds, or two. */
const fineTickMs = 100
const coarseTickMs = 2500
const perSecond = 1_000_000_000n
const perMs = 1_000_000n

/** @param readMs - when reading began, by the wall clock */
export function isSettled({ ctimeNs, mtimeNs }: Fingerprint, readMs: number): boolean {
  const isCoarse = ctimeNs % perSecond === 0n || mtimeNs % perSecond === 0n
  const tickMs = isCoarse ? coarseTickMs : fineTickMs
  return readMs - Number(ctimeNs / perMs) > tickMs
}
