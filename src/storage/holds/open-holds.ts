/** The holds of a store on disk: `<root>/holds/*.journal`, and an index in `<root>/holds/index/`. */
import path from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import type { Trace } from '../../base/trace.ts'
import type { Writers } from '../disk-store.ts'
import { DiskHoldJournal } from './disk-hold-journal.ts'
import type { OpenHolds } from './hold-keeper.ts'
import { DiskSweepMemory } from './sweep-memory.ts'

export interface HoldPlace {
  disk: Disk
  /** Where the share store lies; an absolute path, as the index is no matter of `disk`. */
  root: string
  clock: Clock
  writers: Writers
  trace?: Trace
  /** See `IndexRowsOptions`. */
  forgetMapped?: (path: string) => void
}

/** Throws E_IO. */
export async function openDiskHolds({
  root,
  forgetMapped,
  ...place
}: HoldPlace): Promise<OpenHolds> {
  const { disk } = place
  const directory = path.join(root, 'holds')
  const journal = await DiskHoldJournal.open({ ...place, directory })
  const { LmdbHoldIndex } = await import('./lmdb-hold-index.ts')
  const isSound = journal.isIndexSound
  const options = { isSound, forgetMapped }
  const index = await LmdbHoldIndex.open(path.join(directory, 'index'), options)
  return { index, journal, memory: new DiskSweepMemory(disk, directory) }
}
