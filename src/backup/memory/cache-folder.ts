/**
 * Where a backup keeps what it remembers: a folder of its own, which only this user can look into.
 *
 * What is called once a page answers at once: a walk waits for each page, and a page comes from the
 * memory of the system far quicker than a promise resolves. What waits for a medium is asynchronous.
 */

/** A file that is read anywhere and written at its end. */
export interface CacheFile {
  readonly sizeBytes: number
  /** Bytes [position, position + length), fewer at the end of the file. The caller owns them. */
  read(position: number, length: number): Uint8Array
  /** `bytes` are borrowed for the call. */
  append(bytes: Uint8Array): void
  /** Resolves when all that was appended would survive a power cut. After a failure the file is lost. */
  sync(): Promise<void>
  close(): void
}

/** Every method throws E_IO where the disk fails, and E_FULL where it has no room. */
export interface CacheFolder {
  /** In no order. */
  list(): Promise<string[]>
  /** Opens a file for reading; undefined if there is none. */
  open(name: string): CacheFile | undefined
  /** Makes a new file, for nobody but this user. There must be none of that name. */
  create(name: string): CacheFile
  /** Puts zeros over all that the file holds, in its place, durably. Nothing if it is not there. */
  wipe(name: string): Promise<void>
  /** Puts `from` under the name `to`, in one step. Durable only after `sync`. */
  rename(from: string, to: string): Promise<void>
  /** Nothing if it is not there. Durable only after `sync`. */
  remove(name: string): Promise<void>
  /** Resolves when the names would survive a power cut. */
  sync(): Promise<void>
}
