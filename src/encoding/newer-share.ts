/**
 * Shares of versions that are not known yet: they are neither read nor called damaged, and nothing may
 * be put in their place.
 */
import { equalBytes, utf8 } from '../base/bytes.ts'
import { descriptorLength, rootOf, storageIndexBytes, suite } from './descriptor.ts'

/** Holds the prefix and descriptor of any share. */
export const newerStartBytes: number = 16 * 1024

/** As in share.md, where the offset is that of the descriptor in a share. */
const shareMagic = utf8('GRS1')
const descriptorMagic = utf8('GRO1')
const descriptorAt = 8

/**
 * Whether `start` begins a share of a later version: one that says so, and that is not one of ours
 * in which the bytes that say it have changed. The storage index tells which are ours.
 */
export function isNewerShare(storageIndex: Uint8Array, start: Uint8Array): boolean {
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
