/**
 * When which share is read through (docs/specs/share-store.md, "Scrubbing"): each has a period of its
 * own of 25 to 35 days and a place in it, both from its storage index. So nothing is kept of when each
 * was read last, no two servers read the shares of one object at once, and the load is even.
 */
import { utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'
import type { StorageIndex } from '../request.ts'

export const dayMs = 86_400_000
const meanPeriodMs = 30 * dayMs
const jitterMs = 5 * dayMs
/** In a span of this length every share is due at least once. */
export const longestPeriodMs: number = meanPeriodMs + jitterMs

/** Wall times, ms since 1970: after `fromMs`, up to `toMs`. */
export interface Span {
  fromMs: number
  toMs: number
}

/** Whether the shares of this object are due in the span, at the server of this peer id. */
export function isDue(storageIndex: StorageIndex, peerId: string, { fromMs, toMs }: Span): boolean {
  const hash = sha256(utf8(peerId), storageIndex)
  const view = new DataView(hash.buffer, hash.byteOffset)
  const periodMs = meanPeriodMs - jitterMs + (view.getUint32(0) / 2 ** 32) * 2 * jitterMs
  const phaseMs = (view.getUint32(4) / 2 ** 32) * periodMs
  const turn = (atMs: number): number => Math.floor((atMs + phaseMs) / periodMs)
  return turn(toMs) > turn(fromMs)
}
