/** What a file system asks of a log: to read its chains, to open snapshots, and to add some. */
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
   * Lets `work` append to the chain of this device while nobody else does, in this process or
   * another of this home: what was left half written is finished before, and a quorum has answered,
   * so `view` lacks nothing that was committed. All that it shows is acknowledged by what is appended.
   *
   * @param work - may call `append` again and again, and then takes it that nothing else was added
   * @throws E_CAP_WEAK if the cap at hand appends nothing; E_NOT_ENOUGH_SERVERS, E_NOT_DURABLE,
   *   E_LOCKED, E_FORKED, E_REVOKED, E_CERTIFICATE, E_RATE, and what `work` throws
   */
  writing<T>(
    work: (view: LogView, append: (snapshot: Snapshot) => Promise<AppendReport>) => Promise<T>,
    options: Options,
  ): Promise<T>
}
