/** What one share is found to be (docs/specs/share-store.md, "Scrubbing"). */
import { equalBytes, utf8 } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { descriptorLength, rootOf, storageIndexBytes, suite } from '../../encoding/descriptor.ts'
import { ShareVerifier } from '../../encoding/share-verifier.ts'
import type { ShareKey, ShareReader } from '../share-store.ts'

/**
 * `sound`: every byte is as it was verified. `damaged`: it is not. `newer`: of a format that this version does
 * not know, and so cannot judge.
 */
export type Verdict = 'sound' | 'damaged' | 'newer'

/** Read at once. */
export const pieceBytes: number = 256 * 1024
/** Holds the prefix and descriptor of any share. */
const startBytes = 16 * 1024

/** As in share.md, where the offset is that of the descriptor in a share. */
const shareMagic = utf8('GRS1')
const descriptorMagic = utf8('GRO1')
const descriptorAt = 8

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
    if (position === 0) start = piece.subarray(0, startBytes)
    const problem = problemOf(() => verifier.push(piece))
    if (problem !== undefined) return isNewer(key, start) ? 'newer' : 'damaged'
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

/**
 * Whether `start` begins a share of a later version: one that says so, and that is not one of ours
 * in which the bytes that say it have changed. The storage index tells which are ours.
 */
function isNewer({ storageIndex }: ShareKey, start: Uint8Array): boolean {
  if (start.length < descriptorAt + 8) return false
  const descriptor = start.slice(descriptorAt)
  const saysNewer =
    isLater(start, shareMagic) ||
    (isKnown(start, shareMagic) &&
      (isLater(descriptor, descriptorMagic) ||
        (isKnown(descriptor, descriptorMagic) && descriptor[4] > suite)))
  if (!saysNewer) return false
  descriptor.set(descriptorMagic)
  descriptor[4] = suite
  const ours = rootOf(descriptor.subarray(0, descriptorLength(descriptor[6])))
  return !equalBytes(ours.subarray(0, storageIndexBytes), storageIndex)
}

function isKnown(bytes: Uint8Array, magic: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, 4), magic)
}

/** Whether `bytes` begin as what comes after `magic`, whose last character is a digit. */
function isLater(bytes: Uint8Array, magic: Uint8Array): boolean {
  const version = bytes[3]
  return (
    equalBytes(bytes.subarray(0, 3), magic.subarray(0, 3)) && version > magic[3] && version <= 0x39
  )
}
