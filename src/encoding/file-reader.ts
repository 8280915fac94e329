/** How a codec reads files that its caller has open: a port, since this folder touches no disk. */

/** What tells whether a file was written to between two looks at it. */
export interface FileState {
  sizeBytes: number
  mtimeMs: number
  ctimeMs: number
}

export interface FileReader {
  /** Fills `room` from `position` on; returns how many bytes, fewer only at the end of the file. */
  read(fd: number, position: number, room: Uint8Array): number
  state(fd: number): FileState
}

export function isSameState(a: FileState, b: FileState): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs
}
