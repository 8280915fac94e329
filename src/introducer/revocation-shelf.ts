/** Where the newest list of revoked members lies: introducers pass it on, and whoever owns it verifies it. */
export interface RevocationShelf {
  /** Of the list that is held; 0 before the first. */
  readonly seq: number
  /** As signed. */
  readonly bytes: Uint8Array | undefined
  /** Takes a list of a greater seq that verifies; what is none is passed over. Whether it was taken. */
  hear(bytes: Uint8Array): Promise<boolean>
}

/** Longest list that is carried. */
export const maxShelvedBytes: number = 40 * 1024
