/** Entries as commands show them: a line for people, facts for programs. Caps only where asked for. */
import { capOfEntry } from '../tree/directory-cap.ts'
import { formatCap } from '../caps/text.ts'
import { type DirectoryEntry, type EntryKind, sizeOfEntry, type Timestamp } from '../tree/entry.ts'
import { formatName, formatPath, type Path } from '../files/path.ts'
import type { Facts } from './output.ts'

const kindLetters: Readonly<Record<EntryKind, string>> = {
  lit: '-',
  file: '-',
  tree: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  'char-device': 'c',
  'block-device': 'b',
}

/** What a kind is to people: how a file is stored is not their business. */
export function kindOf({ kind }: DirectoryEntry): string {
  return kind === 'lit' || kind === 'tree' ? 'file' : kind
}

/** Facts of an entry at `path`. */
export function factsOfEntry(path: Path, entry: DirectoryEntry, withCap: boolean): Facts {
  const sizeBytes = sizeOfEntry(entry)
  const cap = withCap ? capTextOf(entry) : undefined
  return {
    path: formatPath(path),
    kind: kindOf(entry),
    mode: modeDigits(entry),
    mtime: formatTime(entry.mtime),
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(entry.kind === 'symlink' && { target: formatName(entry.content) }),
    ...(cap !== undefined && { cap }),
  }
}

/** `-rw-r--r--      1234  2026-11-25 18:30  notes.txt`. */
export function longLine(entry: DirectoryEntry, name: string): string {
  const size = String(sizeOfEntry(entry) ?? '-').padStart(10)
  const target = entry.kind === 'symlink' ? ` -> ${formatName(entry.content)}` : ''
  const time = formatTime(entry.mtime).slice(0, 16).replace('T', ' ').padEnd(16)
  return `${formatMode(entry)} ${size}  ${time}  ${name}${target}`
}

export function capTextOf(entry: DirectoryEntry): string | undefined {
  const cap = capOfEntry(entry)
  return cap && formatCap(cap)
}

/** `drwxr-xr-x`, with s and t as ls has them. */
export function formatMode({ kind, mode }: Pick<DirectoryEntry, 'kind' | 'mode'>): string {
  const letters = Array.from('rwxrwxrwx', (letter, i) => ((mode >> (8 - i)) & 1 ? letter : '-'))
  const special = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ] as const
  for (const [bit, at, letter] of special)
    if ((mode & bit) !== 0) letters[at] = letters[at] === 'x' ? letter : letter.toUpperCase()
  return kindLetters[kind] + letters.join('')
}

/** RFC 3339 in UTC, to the second; whatever no calendar has is a number of seconds. */
export function formatTime({ seconds }: Timestamp): string {
  const date = new Date(seconds * 1000)
  const isShown = !Number.isNaN(date.getTime()) && Math.abs(date.getUTCFullYear()) <= 9999
  return isShown ? date.toISOString().replace('.000', '') : `@${seconds}`
}

function modeDigits({ mode }: DirectoryEntry): string {
  return mode.toString(8).padStart(4, '0')
}
