/** Made-up rows: refs that hang together, of no content. */
import type { BackupMemory } from '../../src/backup/memory/backup-memory.ts'
import { checkOf, type KnownStream } from '../../src/node/content/known-stream.ts'
import type { CachedDirectory, CachedEntry } from '../../src/backup/memory/cache-row.ts'
import type { CacheWriter } from '../../src/backup/memory/cache-writer.ts'
import type { StoredRow } from '../../src/backup/memory/stored-row.ts'
import { sha256 } from '../../src/base/hash.ts'
import { concat, u32be, utf8 } from '../../src/base/bytes.ts'
import type { Random } from '../../src/base/random.ts'
import type { StoredFile, TaggedStream } from '../../src/node/content/stored-file.ts'
import type { ObjectRef } from '../../src/tree/refs.ts'

/** Bytes that differ from call to call and not from run to run. */
export class CountedRandom implements Random {
  #count = 0
  readonly #seed: string

  constructor(seed = 'random') {
    this.#seed = seed
  }

  bytes(length: number): Uint8Array {
    return bytesOf(`${this.#seed} ${this.#count++}`, length)
  }
}

export const basis: Uint8Array = bytesOf('basis', 32)
export const described: Uint8Array = bytesOf('described', 32)

export function bytesOf(seed: string | number, length: number): Uint8Array {
  const parts: Uint8Array[] = []
  for (let i = 0; 32 * i < length; i++) parts.push(sha256(utf8(`${seed}/`), u32be(i)))
  return concat(...parts).subarray(0, length)
}

export function objectOf(seed: string | number): ObjectRef {
  return { root: bytesOf(`root ${seed}`, 32), k: 3, n: 10, ciphertextBytes: 2 ** 21 }
}

export function streamOf(seed: string | number, object: ObjectRef = objectOf(seed)): TaggedStream {
  return {
    tag: bytesOf(`tag ${seed}`, 16),
    readKey: bytesOf(`key ${seed}`, 32),
    object,
    offset: 4096,
    plaintextBytes: 1000,
    compression: 'brotli',
    storedBytes: 500,
  }
}

export function fileOf(seed: string | number, object?: ObjectRef): StoredFile {
  const { tag, ...content } = streamOf(seed, object)
  return { kind: 'file', content, tag, sizeBytes: 1000, extents: [], nodes: [] }
}

export function literalOf(text: string): StoredFile {
  const content = utf8(text)
  return { kind: 'lit', content, tag: undefined, sizeBytes: content.length, extents: [], nodes: [] }
}

export function treeOf(seed: string | number, extents: number, nodes = 1): StoredFile {
  const object = objectOf(`${seed} node 0`)
  const plaintextBytes = 1000 * extents
  const content = {
    object,
    offset: 0,
    sliceBytes: 900,
    readKey: bytesOf(`key ${seed}`, 32),
    plaintextBytes,
  }
  return {
    kind: 'tree',
    content,
    tag: undefined,
    sizeBytes: plaintextBytes,
    extents: Array.from({ length: extents }, (_, i) => streamOf(`${seed} extent ${i}`)),
    nodes: Array.from({ length: nodes }, (_, i) => objectOf(`${seed} node ${i}`)),
  }
}

export function fingerprintOf(seed: string | number): Uint8Array {
  return bytesOf(`fingerprint ${seed}`, 40)
}

export function entryOf(name: string, content?: StoredFile): CachedEntry {
  const kind = content === undefined ? 'symlink' : 'file'
  return { name: utf8(name), kind, fingerprint: fingerprintOf(name), hardLink: undefined, content }
}

export function directoryOf(name: string, nodes = 1): CachedDirectory {
  return {
    name: utf8(name),
    fingerprint: fingerprintOf(name),
    ref: {
      object: objectOf(`${name} node 0`),
      offset: 128,
      sliceBytes: 700,
      readKey: bytesOf(`dir key ${name}`, 32),
    },
    nodes: Array.from({ length: nodes }, (_, i) => objectOf(`${name} node ${i}`)),
    totals: { bytes: 2 ** 40, files: 12, directories: 3, objects: 0 },
  }
}

/** A row as it was given to a writer. */
export type Row =
  | { step: 'enter'; name: Uint8Array }
  | { step: 'entry'; entry: CachedEntry }
  | { step: 'leave'; directory: CachedDirectory }

export function write(writer: CacheWriter, rows: Iterable<Row>): void {
  for (const row of rows) {
    if (row.step === 'enter') writer.enter(row.name)
    else if (row.step === 'entry') writer.entry(row.entry)
    else writer.leave(row.directory)
  }
}

/** What a row says, in the shape in which it was given. */
export function said(row: StoredRow): Row {
  if (row.step === 'enter') return { step: 'enter', name: row.name.slice() }
  if (row.step === 'leave') return { step: 'leave', directory: row.directory() }
  const { kind, fingerprint, hardLink } = row
  const name = row.name.slice()
  return { step: 'entry', entry: { name, kind, fingerprint, hardLink, content: row.content() } }
}

export function allRows(memory: BackupMemory): StoredRow[] {
  const all: StoredRow[] = []
  const rows = memory.rows()
  while (rows?.row !== undefined) {
    all.push(rows.row)
    rows.advance()
  }
  return all
}

export function known(stream: TaggedStream): KnownStream {
  const { readKey, object, offset, plaintextBytes, compression, storedBytes } = stream
  return {
    object,
    offset,
    plaintextBytes,
    compression,
    storedBytes,
    readKey,
    check: checkOf(readKey),
  }
}

/** A small tree with a row of every sort. */
export function sampleRows(): Row[] {
  const bundle = objectOf('bundle')
  return [
    { step: 'enter', name: utf8('') },
    { step: 'entry', entry: entryOf('a', fileOf('a', bundle)) },
    { step: 'entry', entry: { ...entryOf('b', literalOf('hello')), hardLink: 2 ** 53 - 1 } },
    { step: 'enter', name: utf8('c') },
    { step: 'entry', entry: { ...entryOf('d', treeOf('d', 3)), fingerprint: undefined } },
    { step: 'entry', entry: { ...entryOf('e'), hardLink: 0 } },
    { step: 'leave', directory: directoryOf('c') },
    { step: 'entry', entry: entryOf('f', fileOf('f', bundle)) },
    { step: 'leave', directory: { ...directoryOf(''), fingerprint: undefined } },
  ]
}
