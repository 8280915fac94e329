/** What somebody wants kept, besides what is always kept. */
import type { BucketUnit } from './calendar.ts'

export interface RetentionPolicy {
  /** So many of the newest. */
  last?: number
  /** Of so many of the newest buckets with a snapshot in them, the first and the last one received. */
  hourly?: number
  daily?: number
  weekly?: number
  monthly?: number
  yearly?: number
  /** All that were received no longer ago than this. */
  withinMs?: number
  /** All that have one of these. */
  tags?: readonly string[]
}

/** Where nothing is asked for. What is younger than a month stays anyway. */
export const usualPolicy: RetentionPolicy = { weekly: 12, monthly: 24, yearly: 10 }

export function countOf(policy: RetentionPolicy, unit: BucketUnit): number {
  return policy[unit] ?? 0
}
