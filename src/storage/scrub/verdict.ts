/** What one share is found to be (docs/specs/share-store.md, "Scrubbing"). */
import { GridError } from '../../base/errors.ts'
import { isNewerShare, newerStartBytes } from '../../encoding/newer-share.ts'
import { ShareVerifier } from '../../encoding/share-verifier.ts'
import type { ShareKey, ShareReader } from '../share-store.ts'

/**
 * `sound`: every byte is as it was verified. `damaged`: it is not. `newer`: of a format that this version does
 * not know, and so cannot judge.
 */
export type Verdict = 'sound' | 'damaged' | 'newer'

/** Read at once. */
export const pieceBytes: number = 256 * 1024

/**
 * Reads a share through.
 *
 * @param pace - called before each piece with its length; what it throws ends the reading
 * @throws E_IO if it cannot be read
 */
export async function judge(
  key: ShareKey,
  reader: ShareReader,
  pace: (byteCount: number) => Promise<void>,
): Promise<Verdict> {
  const { shareBytes } = reader
  const verifier = new ShareVerifier(key.storageIndex, key.shareNumber, shareBytes)
  let start: Uint8Array = new Uint8Array(0)
  for (let position = 0; position < shareBytes; position += pieceBytes) {
    const length = Math.min(pieceBytes, shareBytes - position)
    await pace(length)
    const piece = await reader.read(position, length)
    if (position === 0) start = piece.subarray(0, newerStartBytes)
    const problem = problemOf(() => verifier.push(piece))
    if (problem !== undefined) return isNewerShare(key.storageIndex, start) ? 'newer' : 'damaged'
  }
  if (problemOf(() => verifier.finish()) === undefined) return 'sound'
  return 'damaged'
}

function problemOf(check: () => void): GridError | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (error instanceof GridError) return error
    throw error
  }
}
