/** What a file system asks of a log: to read its chains, to open snapshots, and to add one. */
import type { ReadHeader } from '../log/entry.ts'
import type { LogView } from '../log/log-view.ts'
import type { AppendReport } from '../log/quorum-append.ts'
import type { Snapshot, SnapshotCheck } from '../log/snapshot-body.ts'

interface Options {
  signal?: AbortSignal
}

export interface VersionLog {
  /** The log as its servers show it now. Calls do not overlap. Throws as `LogReader.read`. */
  read(options: Options): Promise<LogView>
  /** What a snapshot says. Throws E_ABSENT, E_SEAL, E_ENTRY. */
  open(entry: ReadHeader, options: Options): Promise<Snapshot>
  /**
   * Adds a snapshot to the chain of this device, acknowledging what `read` gave last.
   *
   * @throws E_CAP_WEAK if the cap at hand adds none; what `Device.append` throws
   */
  append(snapshot: Snapshot, check: SnapshotCheck, options: Options): Promise<AppendReport>
}
