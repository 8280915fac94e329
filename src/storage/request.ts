/** What every request to a storage server has in common. */

/** An object's name at servers: the first 20 bytes of its root. */
export type StorageIndex = Uint8Array

export interface RequestOptions {
  /** Gives the request up; the peer may still carry it out. */
  signal?: AbortSignal
  /** Called with the bytes of the body taken or received so far: a sign of life. */
  onProgress?: (bytesSoFar: number) => void
  /** Token of `enter`: on whose account it is asked. Without one a share that is put gets a lease of the asker's. */
  account?: Uint8Array
  /** Peer id of who asks: set by the serving end, as the carrier has authenticated it, and never sent. Within a process whoever asks may say it. */
  client?: string
}
