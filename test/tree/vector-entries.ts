/** Entries as test/vectors/directory.json gives them (test/second/directory.py), and back. */
import { fromHex, toHex, u32be, utf8 } from '../../src/base/bytes.ts'
import { formatCap } from '../../src/caps/text.ts'
import { compressions } from '../../src/encoding/compression.ts'
import { capOfEntry } from '../../src/tree/directory-cap.ts'
import { type DirectoryEntry, type DirectoryRef, entryKinds } from '../../src/tree/entry.ts'
import type { EntryMeta } from '../../src/tree/entry-meta.ts'
import type { NodeRef } from '../../src/tree/node-ref.ts'
import type { ObjectName } from '../../src/tree/refs.ts'
import type { StreamRef } from '../../src/tree/stream-row.ts'
import { type Bulk, bytesOf } from '../vectors/read.ts'
import { nameOf } from './entries.ts'

interface PlainMeta extends Omit<EntryMeta, 'xattrs' | 'device' | 'fuzzy'> {
  attributes?: [name: Bulk, value: Bulk][]
  device?: [major: number, minor: number]
  changed?: true
}

interface PlainPlace {
  root: string
  k: number
  n: number
  ciphertextBytes: number
  offset: number
  readKey: string
  sliceBytes?: number
  plaintextBytes?: number
  codec?: number
  storedBytes?: number
}

export interface PlainEntry {
  name: string
  kind: number
  mode: number
  seconds: number
  nanoseconds: number
  meta: PlainMeta
  /** Hex, where it is stored, or the number of a directory written before. */
  content: string | PlainPlace | number
}

export type Generated =
  | { gen: 'numbers'; from?: number; count: number }
  | { gen: 'links'; from?: number; count: number; bytes: number }

export type PlainEntries = Generated | (PlainEntry | Generated)[]

export function entriesOf(
  given: PlainEntries,
  written: readonly DirectoryRef[] = [],
): DirectoryEntry[] {
  if (!Array.isArray(given)) return generated(given)
  return given.flatMap((part) => ('gen' in part ? generated(part) : [entryOf(part, written)]))
}

function generated(given: Generated): DirectoryEntry[] {
  const { from = 0, count } = given
  return Array.from({ length: count }, (_, i): DirectoryEntry => {
    const mtime = { seconds: 1_700_000_000, nanoseconds: 5 }
    const front = { name: utf8(nameOf(from + i)), mode: 0o644, mtime, meta: {} }
    return given.gen === 'numbers'
      ? { ...front, kind: 'lit', content: u32be(from + i) }
      : { ...front, kind: 'symlink', content: utf8('a'.repeat(given.bytes)) }
  })
}

export function entryOf(plain: PlainEntry, written: readonly DirectoryRef[] = []): DirectoryEntry {
  const { name, kind, mode, seconds, nanoseconds, meta } = plain
  return {
    name: fromHex(name),
    kind: entryKinds[kind],
    mode,
    mtime: { seconds, nanoseconds },
    meta: metaOf(meta),
    content: contentOf(plain, written),
  } as DirectoryEntry
}

function metaOf({ attributes, device, changed, ...rest }: PlainMeta): EntryMeta {
  return {
    ...rest,
    ...(attributes && {
      xattrs: attributes.map(([name, value]) => ({ name: bytesOf(name), value: bytesOf(value) })),
    }),
    ...(device && { device: { major: device[0], minor: device[1] } }),
    ...(changed && { fuzzy: true }),
  }
}

function contentOf(
  { kind, content }: PlainEntry,
  written: readonly DirectoryRef[],
): DirectoryEntry['content'] {
  if (typeof content === 'number') return written[content]
  if (typeof content === 'string') return kind > 4 ? undefined : fromHex(content)
  const { root, k, n, ciphertextBytes, offset, readKey, codec = 0 } = content
  const { plaintextBytes = 0, storedBytes = plaintextBytes, sliceBytes = 0 } = content
  const place = {
    object: { root: fromHex(root), k, n, ciphertextBytes },
    offset,
    readKey: fromHex(readKey),
  }
  if (kind === 1) return { ...place, plaintextBytes, storedBytes, compression: compressions[codec] }
  return kind === 2 ? { ...place, sliceBytes, plaintextBytes } : { ...place, sliceBytes }
}

/** An entry of an opened node of the object `own`, which is not described again, with its cap. */
export function plainEntry(entry: DirectoryEntry, own: ObjectName): unknown {
  const { name, kind, mode, mtime, meta } = entry
  const cap = capOfEntry(entry)
  return {
    name: toHex(name),
    kind: entryKinds.indexOf(kind),
    mode,
    ...mtime,
    meta: plainMeta(meta),
    content: plainContent(entry, own),
    ...(cap && { cap: formatCap(cap) }),
  }
}

function plainMeta({ xattrs, device, fuzzy, ...rest }: EntryMeta): PlainMeta {
  return {
    ...rest,
    ...(xattrs && { attributes: xattrs.map(({ name, value }) => [toHex(name), toHex(value)]) }),
    ...(device && { device: [device.major, device.minor] }),
    ...(fuzzy && { changed: true }),
  }
}

function plainContent({ kind, content }: DirectoryEntry, own: ObjectName): unknown {
  if (kind === 'file') return { ...plainPlace(content, own), ...plainStreamOf(content) }
  if (kind === 'tree') {
    const { sliceBytes, plaintextBytes } = content
    return { ...plainPlace(content, own), sliceBytes, plaintextBytes }
  }
  if (kind === 'directory') return { ...plainPlace(content, own), sliceBytes: content.sliceBytes }
  return content === undefined ? '' : toHex(content)
}

function plainStreamOf({ plaintextBytes, compression, storedBytes }: StreamRef): object {
  if (compression === 'stored') return { plaintextBytes }
  return { plaintextBytes, codec: compressions.indexOf(compression), storedBytes }
}

function plainPlace({ object, offset, readKey }: NodeRef | StreamRef, own: ObjectName): object {
  const { root, k, n, ciphertextBytes } = object
  const length = toHex(root) === toHex(own.root) ? {} : { ciphertextBytes }
  return { root: toHex(root), k, n, ...length, offset, readKey: toHex(readKey) }
}
