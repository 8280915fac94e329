/** Which snapshots somebody means, by what they say of themselves. */
import type { Snapshot } from '../log/snapshot-body.ts'

export interface SnapshotFilter {
  /** One of these machines; any if empty or absent. */
  hosts?: readonly string[]
  /** All of these tags. */
  tags?: readonly string[]
  /** One of these labels (`--name`). */
  labels?: readonly string[]
}

export function fitsFilter(
  { host, label, run }: Pick<Snapshot, 'host' | 'label' | 'run'>,
  { hosts = [], tags = [], labels = [] }: SnapshotFilter,
): boolean {
  return (
    (hosts.length === 0 || hosts.includes(host)) &&
    (labels.length === 0 || labels.includes(label)) &&
    tags.every((tag) => run?.tags.includes(tag) === true)
  )
}

export function filtersNothing({ hosts = [], tags = [], labels = [] }: SnapshotFilter): boolean {
  return hosts.length + tags.length + labels.length === 0
}
