/** What becomes of a name in the target that is there already. */
import { equalBytes } from '../base/bytes.ts'
import { nanosecondsOf } from '../tree/entry.ts'
import { splitDevice } from './device-number.ts'
import type { EntryFacts } from './facts.ts'
import { kindOf, type LocalStats } from './local-stats.ts'

/**
 * `finished`: it is what the entry says, as far as size and time tell; an interrupted run goes on
 * behind it. `keep`: it differs and stays. `replace`: it differs and goes.
 */
export type Verdict = 'finished' | 'keep' | 'replace'

export function judgeExisting(
  facts: EntryFacts,
  existing: LocalStats,
  { overwrite, resume }: { overwrite: 'never' | 'newer' | 'always'; resume: boolean },
  readLink: () => Uint8Array,
): Verdict {
  if (resume && isFinished(facts, existing, readLink)) return 'finished'
  if (overwrite === 'always') return 'replace'
  if (overwrite === 'never') return 'keep'
  return nanosecondsOf(facts.mtime) > existing.mtimeNs ? 'replace' : 'keep'
}

function isFinished(facts: EntryFacts, existing: LocalStats, readLink: () => Uint8Array): boolean {
  const { kind, mtime, target, meta } = facts
  if (kindOf(existing) !== kind) return false
  switch (kind) {
    case 'file':
      return existing.size === BigInt(facts.sizeBytes) && sameTime(existing.mtimeNs, mtime)
    case 'symlink':
      return target !== undefined && equalBytes(readLink(), target)
    case 'fifo':
      return true
    default: {
      const { major, minor } = splitDevice(existing.rdev)
      return meta.device?.major === major && meta.device.minor === minor
    }
  }
}

/** To the microsecond: as much as a run without the adapter could give the file. */
function sameTime(existing: bigint, mtime: EntryFacts['mtime']): boolean {
  const difference = existing - nanosecondsOf(mtime)
  return difference > -1000n && difference < 1000n
}
