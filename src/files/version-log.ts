/** What a file system asks of a log: to read its chains, to open snapshots, and to add one. */
import type { ReadHeader } from '../log/entry.ts'
import type { LogView } from '../log/log-view.ts'
import type { AppendReport } from '../log/quorum-append.ts'
import type { Snapshot } from '../log/snapshot-body.ts'

interface Options {
  signal?: AbortSignal
}

export interface VersionLog {
  /** The log as its servers show it now. Calls do not overlap. Throws as `LogReader.read`. */
  read(options: Options): Promise<LogView>
  /** What a snapshot says. Throws E_ABSENT, E_SEAL, E_ENTRY. */
  open(entry: ReadHeader, options: Options): Promise<Snapshot>
  /**
   * As `read`, by whoever is about to append: no other process of this home may from now on, what
   * was left half written is finished, and a quorum has answered, so nothing committed is missing.
   *
   * @throws E_CAP_WEAK if the cap at hand appends nothing; E_NOT_ENOUGH_SERVERS, E_NOT_DURABLE,
   *   E_LOCKED, E_FORKED, E_REVOKED
   */
  readToAppend(options: Options): Promise<LogView>
  /**
   * Adds a snapshot to the chain of this device, acknowledging what `readToAppend` gave
   * last. Throws E_NOT_DURABLE, E_FORKED, E_REVOKED, E_CERTIFICATE, E_RATE.
   */
  append(snapshot: Snapshot, options: Options): Promise<AppendReport>
}
