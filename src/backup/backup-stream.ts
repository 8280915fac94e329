/** Backs up what a program writes, as one file in a directory of its own. */
import type { Clock } from '../base/clock.ts'
import type { CapOf } from '../caps/cap.ts'
import type { AppendReport } from '../log/quorum-append.ts'
import type { Grid } from '../node/grid.ts'
import type { StoreLack } from '../node/objects/store-totals.ts'
import { capOfDirectory } from '../tree/directory-cap.ts'
import { writeDirectory } from '../tree/directory-writer.ts'
import { type DirectoryEntry, timestampOf } from '../tree/entry.ts'
import type { BackupFacts } from './backup.ts'

export interface StreamBackupOptions {
  append: CapOf<'LOG-Append'>
  facts: Omit<BackupFacts, 'root'>
  /** Name of the file. */
  name: Uint8Array
  stream: AsyncIterable<Uint8Array>
  signal: AbortSignal
  uploadBytesPerSecond?: number
  /** Called with the bytes that are stored so far. */
  onStored?: (bytes: number) => void
}

export interface StreamBackupReport {
  snapshot: AppendReport
  device: string
  seq: number
  sizeBytes: number
  addedBytes: number
  sentBytes: number
  /** What of it is on fewer servers than it should be. */
  lack: StoreLack
}

const mode = 0o600

/** Throws as `runBackup` does; and what the stream throws, when nothing is appended. */
export async function backUpStream(
  { grid, clock }: { grid: Pick<Grid, 'trees' | 'logs'>; clock: Clock },
  options: StreamBackupOptions,
): Promise<StreamBackupReport> {
  const { append, facts, name, stream, signal, onStored, uploadBytesPerSecond } = options
  const device = await grid.logs.device(append, { signal })
  const account = await grid.logs.storing(append, { signal })
  const startedMs = Math.floor(clock.nowMs())
  const { writer, ref, sizeBytes } = await grid.trees.write(
    async (writer) => {
      const stored = await writer.putContent({ stream }, { compress: true, onStored })
      const { kind, content, sizeBytes } = stored
      const mtime = timestampOf(BigInt(Math.floor(clock.nowMs())) * 1_000_000n)
      const entry = { name, kind, content, mode, mtime, meta: {} } as DirectoryEntry
      return { writer, ref: await writeDirectory(writer, [entry]), sizeBytes }
    },
    {
      signal,
      ...(account && { account }),
      ...(append.convergenceSecret && { secret: append.convergenceSecret }),
      ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }),
    },
  )
  const { objects, sentBytes, newPlaintextBytes: addedBytes, lack } = writer.totals
  const { tags, ...rest } = facts
  const root = new Uint8Array(0)
  const snapshot = await grid.logs.append(
    append,
    {
      ...rest,
      cap: capOfDirectory(ref),
      totals: { bytes: sizeBytes, files: 1, directories: 0, objects },
      partial: false,
      run: { root, tags, startedMs, addedBytes, sentBytes },
    },
    { signal },
  )
  const { label, seq } = device
  return { snapshot, device: label, seq, sizeBytes, addedBytes, sentBytes, lack }
}
