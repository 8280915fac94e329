/** Which bytes of a content are wanted. */
import { GridError } from '../../base/errors.ts'

/** Bytes [start, end) of a content; to its end if `end` is absent or beyond it. */
export interface ContentRange {
  start: number
  end?: number
}

/** The range within a content of this size, all of it if none is given. Throws E_USAGE. */
export function checkedRange(
  range: ContentRange | undefined,
  sizeBytes: number,
): { start: number; end: number } {
  const start = range?.start ?? 0
  const end = Math.min(range?.end ?? sizeBytes, sizeBytes)
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end) {
    throw new GridError(
      'E_USAGE',
      `bytes ${start} to ${end} are not a range of a file of ${sizeBytes} bytes`,
    )
  }
  return { start, end }
}
