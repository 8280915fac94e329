/** What src/tree asks of whoever knows where objects live. */
import type { ObjectName } from './refs.ts'

export interface CheckedSlice {
  /** As many bytes as were asked for; fewer only where the object ends. */
  bytes: Uint8Array
  /** Length of the whole ciphertext of the object. */
  ciphertextBytes: number
}

export interface SliceReader {
  /**
   * Bytes of an object's ciphertext, checked against its root. Nobody writes to them afterwards, so
   * an implementer may keep them and give them out again.
   *
   * @param sliceBytes - undefined: all that there is from `offset` on
   * @throws E_NOT_ENOUGH_SHARES, E_ENCODING
   */
  readSlice(
    object: ObjectName,
    offset: number,
    sliceBytes: number | undefined,
  ): Promise<CheckedSlice>
}
