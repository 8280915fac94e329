/**
 * What every erasure code refuses before it touches a byte: shapes that no caller with checked
 * input would pass, so a RangeError.
 */
import type { CodeRow } from './erasure-code.ts'

/** Rows at most, data and parity together: points of GF(2^8) that fit the formats' u8 n. */
export const maxRows = 255

export interface CodeShape {
  /** Data rows. */
  k: number
  rowBytes: number
}

export function checkEncode(
  data: readonly Uint8Array[],
  n: number,
  parity: readonly Uint8Array[],
): CodeShape {
  const shape = checkShape(data, n)
  if (parity.length !== n - shape.k) {
    throw new RangeError(`erasure code: ${parity.length} parity rows, not ${n - shape.k}`)
  }
  for (const row of parity) checkLength(row, shape.rowBytes)
  return shape
}

export function checkDecode(
  rows: readonly CodeRow[],
  n: number,
  data: readonly Uint8Array[],
): CodeShape {
  const shape = checkShape(data, n)
  if (rows.length !== shape.k) {
    throw new RangeError(`erasure code: ${rows.length} rows to decode from, not ${shape.k}`)
  }
  const seen = new Set<number>()
  for (const { rowNumber, bytes } of rows) {
    if (!Number.isInteger(rowNumber) || rowNumber < 0 || rowNumber >= n) {
      throw new RangeError(`erasure code: row number ${rowNumber} is not of 0 … ${n - 1}`)
    }
    if (seen.has(rowNumber)) throw new RangeError(`erasure code: row ${rowNumber} is given twice`)
    seen.add(rowNumber)
    checkLength(bytes, shape.rowBytes)
  }
  return shape
}

function checkShape(data: readonly Uint8Array[], n: number): CodeShape {
  const k = data.length
  if (k < 1) throw new RangeError('erasure code: no data rows')
  if (!Number.isInteger(n) || n < k || n > maxRows) {
    throw new RangeError(`erasure code: ${n} rows in all is not of ${k} … ${maxRows}`)
  }
  const rowBytes = data[0].length
  if (rowBytes < 1) throw new RangeError('erasure code: empty rows')
  for (const row of data) checkLength(row, rowBytes)
  return { k, rowBytes }
}

function checkLength(row: Uint8Array, rowBytes: number): void {
  if (row.length !== rowBytes) {
    throw new RangeError(`erasure code: a row of ${row.length} bytes beside one of ${rowBytes}`)
  }
}
