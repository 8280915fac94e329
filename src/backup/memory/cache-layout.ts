/** What stands at the two ends of a cache file, and where its pages are (docs/specs/backup-cache.md, "File"). */
import { concat, readU32be, readU64be, u32be, u64be } from '../../base/bytes.ts'
import type { CachedKeys } from './cached-keys.ts'
import { pageBytes } from './row-pages.ts'
import { damagedCache, sealBytes } from './sealed-page.ts'

export const cacheVersion = 1
export const basisBytes = 32
/** Of what does not depend on how entries are described. */
export const undescribed: Uint8Array = new Uint8Array(basisBytes)
export const sealedPageBytes: number = pageBytes + sealBytes

/** What the rows depend on. */
export interface CacheHeader {
  /** 32 bytes: a digest of all that makes rows of one run of use to another, as the caller has it. */
  basis: Uint8Array
  /** 32 bytes: a digest of what entries are described by, besides what fingerprints tell of. */
  described: Uint8Array
  keys: CachedKeys
}

/** Written last: without it, a file is none. */
export interface CacheTrailer {
  rowPages: number
  /** Bytes in the last of these pages, before it is sealed. */
  lastRowBytes: number
  objectPages: number
  lastObjectBytes: number
  objects: number
  /** Streams that have a tag: of files, and extents. */
  streams: number
}

/** Pages are numbered from here, through all kinds of them. */
export const headerNumber = 0
/** The trailer's: no page has it. */
export const trailerNumber: number = 2 ** 32 - 1

/** version ‖ keys ‖ basis ‖ described */
export const sealedHeaderBytes: number = 2 + 2 * basisBytes + sealBytes
/** Four u32 and two u64. */
export const sealedTrailerBytes: number = 32 + sealBytes

export function formatHeader({ basis, described, keys }: CacheHeader): Uint8Array {
  if (basis.length !== basisBytes || described.length !== basisBytes)
    throw new RangeError('backup cache: a basis is 32 bytes')
  return concat(Uint8Array.of(cacheVersion, keys === 'kept' ? 0 : 1), basis, described)
}

/** Undefined for a header of another version. Throws E_CACHE. */
export function parseHeader(bytes: Uint8Array): CacheHeader | undefined {
  if (bytes[0] !== cacheVersion) return undefined
  if (bytes.length !== 2 + 2 * basisBytes || bytes[1] > 1)
    throw damagedCache('a header that is none')
  const [basis, described] = [bytes.slice(2, 2 + basisBytes), bytes.slice(2 + basisBytes)]
  return { basis, described, keys: bytes[1] === 0 ? 'kept' : 'none' }
}

export function formatTrailer(trailer: CacheTrailer): Uint8Array {
  const { rowPages, lastRowBytes, objectPages, lastObjectBytes, objects, streams } = trailer
  return concat(
    ...[rowPages, lastRowBytes, objectPages, lastObjectBytes].map(u32be),
    u64be(objects),
    u64be(streams),
  )
}

/** Throws E_CACHE, also if the file is not as long as it says. */
export function parseTrailer(bytes: Uint8Array, fileBytes: number): CacheTrailer {
  const [rowPages, lastRowBytes, objectPages, lastObjectBytes] = [0, 4, 8, 12].map((at) =>
    readU32be(bytes, at),
  )
  const [objects, streams] = [readU64be(bytes, 16), readU64be(bytes, 24)]
  if (objects === undefined || streams === undefined || rowPages < 1 || lastRowBytes > pageBytes)
    throw damagedCache('a trailer that is none')
  const trailer = { rowPages, lastRowBytes, objectPages, lastObjectBytes, objects, streams }
  const length =
    sealedHeaderBytes +
    sectionBytes(rowPages, lastRowBytes) +
    sectionBytes(objectPages, lastObjectBytes) +
    sealedTrailerBytes
  if (length !== fileBytes) throw damagedCache('it is not as long as it was')
  return trailer
}

/** Where a page of rows or objects starts, 1 and up, if all before it are full. */
export function pageStart(number: number): number {
  return sealedHeaderBytes + (number - 1) * sealedPageBytes
}

/** Bytes of some pages in the file, of which all but the last are full. */
export function sectionBytes(pages: number, lastBytes: number): number {
  return pages === 0 ? 0 : (pages - 1) * sealedPageBytes + lastBytes + sealBytes
}
