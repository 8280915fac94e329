/** Buckets of time, in UTC, by which snapshots are thinned out (docs/specs/prune.md, "Buckets"). */

export const bucketUnits = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type BucketUnit = (typeof bucketUnits)[number]

export const hourMs = 3_600_000
export const dayMs: number = 24 * hourMs

/** The number of the bucket that a moment is in, ascending with time. Weeks begin on Mondays. */
export function bucketOf(unit: BucketUnit, ms: number): number {
  const day = Math.floor(ms / dayMs)
  switch (unit) {
    case 'hourly':
      return Math.floor(ms / hourMs)
    case 'daily':
      return day
    case 'weekly':
      // 1970 began on a Thursday
      return Math.floor((day + 3) / 7)
    case 'monthly':
      return monthOf(day)
    case 'yearly':
      return Math.floor(monthOf(day) / 12)
  }
}

/** Months since the year 0 of the Gregorian calendar, of a day since 1970. */
function monthOf(day: number): number {
  // years that begin in March have their leap day last: eras of 400 such years are alike
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const ofEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) /
      365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * ofYear + 2) / 153)
  return (era * 400 + yearOfEra) * 12 + fromMarch + 2
}
