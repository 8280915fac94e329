/**
 * What share files are called (docs/specs/share-store.md, "Layout"): `<storage index>.<number>`,
 * the index in 32 characters of base32, so that no text from outside is ever part of a path.
 */
import { fromBase32, toBase32 } from '../base/base32.ts'
import { maxShareCount, storageIndexBytes } from '../encoding/descriptor.ts'
import type { StorageIndex } from './peer.ts'
import type { ShareKey } from './share-store.ts'

const pattern = /^([a-z2-7]{32})\.(0|[1-9][0-9]{0,2})$/

/** Throws a RangeError for what is no storage index or share number. */
export function shareName(storageIndex: StorageIndex, shareNumber: number): string {
  if (storageIndex.length !== storageIndexBytes) {
    throw new RangeError(`storage index: ${storageIndex.length} bytes, not ${storageIndexBytes}`)
  }
  if (!isShareNumber(shareNumber)) throw new RangeError(`share number: ${shareNumber}`)
  return `${toBase32(storageIndex)}.${shareNumber}`
}

/** The inverse of `shareName`; undefined for every other name. */
export function parseShareName(name: string): ShareKey | undefined {
  const [, letters, digits] = pattern.exec(name) ?? []
  const storageIndex = fromBase32(letters ?? '')
  const shareNumber = Number(digits)
  if (storageIndex === undefined || !isShareNumber(shareNumber)) return undefined
  return { storageIndex, shareNumber }
}

/** The order that stores list shares in: by base32, whose letters come after its digits, then by number. */
export function compareShares(a: ShareKey, b: ShareKey): number {
  const [first, second] = [toBase32(a.storageIndex), toBase32(b.storageIndex)]
  if (first === second) return a.shareNumber - b.shareNumber
  return first < second ? -1 : 1
}

/** The directory that a share of this name lies in: 1,024 of them, evenly filled. */
export function sharePrefix(name: string): string {
  return name.slice(0, 2)
}

export function isSharePrefix(name: string): boolean {
  return /^[a-z2-7]{2}$/.test(name)
}

export function isShareNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < maxShareCount
}
