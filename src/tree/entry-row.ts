/**
 * Entries as rows of a node of depth 0 (docs/specs/directory.md, "Entries").
 *
 *   [name, kind, mode, seconds, nanoseconds, meta, content]
 */
import type { CborValue } from '../base/cbor.ts'
import {
  checkName,
  checkTarget,
  type DirectoryEntry,
  entryKinds,
  maxLitBytes,
  maxMode,
  maxNameBytes,
  maxSeconds,
  maxSymlinkBytes,
} from './entry.ts'
import { formatMeta, parseMeta } from './entry-meta.ts'
import { formatChildRow, parseChildRow } from './file-node.ts'
import { childNumber, parseNodeRef } from './node-ref.ts'
import { asArray, asBytes, asInteger, malformedNode, type Refs, type RefTable } from './refs.ts'
import { formatStream, parseStream } from './stream-row.ts'

const nothing = new Uint8Array(0)
const maxNanoseconds = 999_999_999

export function formatEntry(table: RefTable, entry: DirectoryEntry): CborValue {
  const { name, kind, mode, mtime, meta } = entry
  return [
    name,
    entryKinds.indexOf(kind),
    mode,
    mtime.seconds,
    mtime.nanoseconds,
    formatMeta(meta),
    formatContent(table, entry),
  ]
}

/** The inverse of `formatEntry`. Throws E_NODE. */
export function parseEntry(value: CborValue, refs: Refs): DirectoryEntry {
  const [nameBytes, number, mode, seconds, nanoseconds, metaPairs, content] = asArray(value, 7)
  const name = asBytes(nameBytes, 1, maxNameBytes)
  checkName(name)
  const kind = entryKinds[asInteger(number, 0, entryKinds.length - 1)]
  const meta = parseMeta(metaPairs)
  if ((meta.device !== undefined) !== (kind === 'char-device' || kind === 'block-device'))
    throw malformedNode('a device without its numbers, or numbers without a device')
  return {
    name,
    kind,
    mode: asInteger(mode, 0, maxMode),
    mtime: {
      seconds: asInteger(seconds, -maxSeconds, maxSeconds),
      nanoseconds: asInteger(nanoseconds, 0, maxNanoseconds),
    },
    meta,
    content: parseContent(kind, content, refs),
  } as DirectoryEntry
}

function formatContent(table: RefTable, { kind, content }: DirectoryEntry): CborValue {
  switch (kind) {
    case 'lit':
    case 'symlink':
      return content
    case 'file':
      return formatStream(table, content)
    case 'tree':
      return formatChildRow(table, content)
    case 'directory':
      return [childNumber(table, content), content.readKey]
    default:
      return nothing
  }
}

function parseContent(
  kind: DirectoryEntry['kind'],
  value: CborValue,
  refs: Refs,
): DirectoryEntry['content'] {
  switch (kind) {
    case 'lit':
      return asBytes(value, 0, maxLitBytes)
    case 'symlink':
      return asTarget(value)
    case 'file':
      return parseStream(value, refs)
    case 'tree':
      return parseChildRow(value, refs)
    case 'directory': {
      const [number, key] = asArray(value, 2)
      return parseNodeRef(refs, number, key)
    }
    default:
      asBytes(value, 0)
      return undefined
  }
}

function asTarget(value: CborValue): Uint8Array {
  const target = asBytes(value, 1, maxSymlinkBytes)
  checkTarget(target)
  return target
}
