/** When two entries say the same, wherever their contents are stored (docs/specs/versions.md, "Comparing"). */
import { compareBytes, equalBytes, utf8 } from '../base/bytes.ts'
import { encodeCbor } from '../base/cbor.ts'
import type { DirectoryEntry, EntryKind } from './entry.ts'
import { formatMeta } from './entry-meta.ts'

/** What an entry is beside its name and content. */
export type Attributes = Pick<DirectoryEntry, 'mode' | 'mtime' | 'meta'>

type DirectoryOf<E extends DirectoryEntry> = Extract<E, { kind: 'directory' }>

export function isDirectory(
  entry: DirectoryEntry | undefined,
): entry is DirectoryOf<DirectoryEntry> {
  return entry?.kind === 'directory'
}

export function sameEntry(a: DirectoryEntry | undefined, b: DirectoryEntry | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return sameContent(a, b) && compareAttributes(a, b) === 0
}

/** Whether they are of one kind and hold the same; of what is sealed, its key tells. */
export function sameContent(a: DirectoryEntry, b: DirectoryEntry): boolean {
  return a.kind === b.kind && equalBytes(contentKey(a), contentKey(b))
}

/** An order of all attributes, later times above earlier ones: 0 for equal ones only. */
export function compareAttributes(a: Attributes, b: Attributes): number {
  return (
    a.mtime.seconds - b.mtime.seconds ||
    a.mtime.nanoseconds - b.mtime.nanoseconds ||
    a.mode - b.mode ||
    compareBytes(encodeCbor(formatMeta(a.meta)), encodeCbor(formatMeta(b.meta)))
  )
}

export function attributesOf({ mode, mtime, meta }: DirectoryEntry): Attributes {
  return { mode, mtime, meta }
}

/** The entry under another name. */
export function renamed<E extends DirectoryEntry>(entry: E, name: Uint8Array): E {
  return { ...entry, name }
}

const nothing = utf8('')

function contentKey({ kind, content }: DirectoryEntry): Uint8Array {
  switch (kind) {
    case 'lit':
    case 'symlink':
      return content
    case 'file':
    case 'tree':
    case 'directory':
      return content.readKey
    default:
      return nothing
  }
}

/** Kinds that are files for whoever reads them. */
export function isFile({ kind }: { kind: EntryKind }): boolean {
  return kind === 'lit' || kind === 'file' || kind === 'tree'
}
