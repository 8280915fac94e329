/** Options that narrow down which snapshots are meant. */
import type { SnapshotFilter } from '../backup/snapshot-filter.ts'
import { list, type List } from './option.ts'

export const filterOptions: { name: List<string>; host: List<string>; tag: List<string> } = {
  name: list('--name <LABEL>', 'backups that were called so; may be given again'),
  host: list('--host <HOST>', 'backups of that machine; may be given again'),
  tag: list('--tag <TAG>', 'backups with that tag; given again, with all of them'),
}

export function filterOf(options: {
  name: readonly string[]
  host: readonly string[]
  tag: readonly string[]
}): SnapshotFilter {
  return { labels: options.name, hosts: options.host, tags: options.tag }
}
