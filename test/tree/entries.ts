/** Entries to fill directories with. */
import { toHex, u32be, utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { convergenceKeys, type ConvergenceKeys } from '../../src/caps/keys.ts'
import type { DirectoryEntry } from '../../src/tree/entry.ts'
import { NodeCutter } from '../../src/tree/node-end.ts'
import type { DirectoryChange } from '../../src/tree/directory-writer.ts'
import { listDirectory } from '../../src/tree/directory-reader.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import type { SliceReader } from '../../src/tree/slice-reader.ts'
import { plainStream } from '../../src/tree/stream-row.ts'

export const keys: ConvergenceKeys = convergenceKeys(Uint8Array.from({ length: 32 }, (_, i) => i))

export type EntryOfKind<K extends DirectoryEntry['kind']> = Extract<DirectoryEntry, { kind: K }>

/** A small file kept in the directory; `version` tells two of the same name apart. */
export function lit(name: string | Uint8Array, version = 0): EntryOfKind<'lit'> {
  return {
    name: typeof name === 'string' ? utf8(name) : name,
    kind: 'lit',
    mode: 0o644,
    mtime: { seconds: 1_700_000_000 + version, nanoseconds: version },
    meta: { uid: 1000, gid: 1000, owner: 'user', group: 'user' },
    content: u32be(version),
  }
}

/** A small file in one of a few bundles. */
export function bundled(name: string, i: number): EntryOfKind<'file'> {
  const object = {
    root: sha256(u32be(Math.floor(i / 100))),
    k: 3,
    n: 10,
    ciphertextBytes: 4 * 2 ** 20,
  }
  const stream = plainStream(object, 10_000 + (i % 5000), sha256(u32be(i)))
  return { ...lit(name), kind: 'file', content: { ...stream, offset: (i % 100) * 20_000 } }
}

/** Names in order: n0000000, n0000001, … */
export function nameOf(i: number): string {
  return `n${String(i).padStart(7, '0')}`
}

/** That many ascending names of which none ends a node of entries. */
export function namesWithoutEnd(count: number): string[] {
  const cutter = new NodeCutter(keys)
  const names: string[] = []
  for (let i = 0; names.length < count; i++) {
    if (!cutter.endsAfter(0, utf8(nameOf(i)))) names.push(nameOf(i))
  }
  return names
}

export async function listAll(reader: SliceReader, directory: NodeName): Promise<DirectoryEntry[]> {
  const entries: DirectoryEntry[] = []
  for await (const entry of listDirectory(reader, directory)) entries.push(entry)
  return entries
}

export function addition(entry: DirectoryEntry): DirectoryChange {
  return { name: entry.name, entry }
}

/** Hexadecimal keys: what two directories are compared by. */
export function keyOf({ readKey }: NodeName): string {
  return toHex(readKey)
}
