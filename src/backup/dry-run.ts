/** What a backup would store, found out without storing anything. */
import { type BackupCount, noCount } from './backup-count.ts'
import type { RowCursor } from './memory/cache-cursor.ts'
import { MergedWalk } from './merged-walk.ts'
import type { BackupSource } from './source.ts'

export interface WouldStore {
  path: Uint8Array
  change: 'new' | 'changed'
  sizeBytes: number
}

/**
 * Compares a tree with what the last run remembers of it. `readBytes` of the count are those of
 * files that would be read; how much of it is stored already is not known before they are.
 *
 * @param onChange - told of every entry that is no directory and would be stored
 */
export function dryRun(
  source: BackupSource,
  rows: RowCursor | undefined,
  onChange: (entry: WouldStore) => void,
): BackupCount {
  const count = noCount()
  for (const merged of new MergedWalk(source.walk(), rows).walk()) {
    if (merged.step === 'gone') count.gone++
    if (merged.step !== 'entry' && merged.step !== 'leave') continue
    const { entry, fingerprint, row } = merged
    if (entry.path.length === 0) continue
    const isSame = row?.matches(fingerprint, entry.hardLink) === true
    const change = row === undefined ? 'new' : isSame ? 'unchanged' : 'changed'
    const isFile = entry.kind === 'file'
    const counts = merged.step === 'leave' ? count.directories : isFile ? count.files : count.others
    counts[change]++
    count.doneBytes += entry.sizeBytes
    if (change === 'unchanged' || merged.step === 'leave') continue
    count.readBytes += entry.sizeBytes
    onChange({ path: entry.path, change, sizeBytes: entry.sizeBytes })
  }
  return count
}
