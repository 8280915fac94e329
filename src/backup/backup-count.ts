/** What a run of a backup came to, as it goes. */
export interface BackupCount {
  files: { new: number; changed: number; unchanged: number }
  /** Entries that are no files and no directories, likewise. */
  others: { new: number; changed: number; unchanged: number }
  directories: { new: number; changed: number; unchanged: number }
  /** Names of the last snapshot that are not there any more. */
  gone: number
  /** Bytes of files that were read. */
  readBytes: number
  /** Bytes of all files that are done with, read or not, and of parts of large ones. */
  doneBytes: number
  /** Of files that were not read again, since an interrupted run had stored them. */
  resumedBytes: number
  /** What was left out or not wholly kept; each was reported. */
  notices: number
}

export function noCount(): BackupCount {
  const none = () => ({ new: 0, changed: 0, unchanged: 0 })
  return {
    files: none(),
    others: none(),
    directories: none(),
    gone: 0,
    readBytes: 0,
    doneBytes: 0,
    resumedBytes: 0,
    notices: 0,
  }
}

/** Files that are done with. */
export function filesIn({ files }: BackupCount): number {
  return files.new + files.changed + files.unchanged
}
