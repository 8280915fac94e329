/**
 * What an object is cut into shares with: a systematic Reed–Solomon code over GF(2^8), polynomial
 * 0x11d, matrix M = V·(V[0..k))^-1 with V[r][c] = r^c (docs/specs/encoding.md, "Code").
 *
 * Implementations are byte-identical. They are synchronous and belong to one thread. Arrays to fill
 * overlap neither each other nor what they are made from. Anything out of range is a RangeError.
 */
export interface ErasureCode {
  /**
   * Computes parity rows k … n-1 of `data`.
   *
   * @param data - k rows of equal length ≥ 1, borrowed for the call
   * @param n - rows in all, k ≤ n ≤ 255
   * @param parity - n-k arrays of that length to fill, owned by the caller
   */
  encode(data: readonly Uint8Array[], n: number, parity: readonly Uint8Array[]): void

  /**
   * Rebuilds the k data rows from any k distinct rows.
   *
   * @param rows - exactly k rows of equal length ≥ 1 with their row numbers (< n), in any order, borrowed
   * @param n - rows in all
   * @param data - k arrays to fill; a row that is present is copied
   */
  decode(rows: readonly CodeRow[], n: number, data: readonly Uint8Array[]): void
}

export interface CodeRow {
  rowNumber: number
  bytes: Uint8Array
}
