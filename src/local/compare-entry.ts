/** Whether what has a name on this machine is what an entry says: its content, and all that is kept of it. */
import { closeSync, constants, fstatSync, readSync } from 'node:fs'
import { equalBytes } from '../base/bytes.ts'
import { maxMode, nanosecondsOf } from '../tree/entry.ts'
import { splitDevice } from './device-number.ts'
import { escapedName } from './escaped-name.ts'
import type { EntryFacts } from './facts.ts'
import { kindOf, type LocalStats } from './local-stats.ts'
import type { NativeCalls } from './native.ts'
import { detailOf, type NoticeCode } from './notice.ts'
import type { OpenDirectory } from './open-directory.ts'
import type { Owners } from './owner-names.ts'

export interface Comparing {
  native: NativeCalls | undefined
  owners: Owners
  numericIds: boolean
}

/** What is wrong; undefined if nothing is. */
export interface Difference {
  code: Extract<NoticeCode, 'missing' | 'differs'>
  detail?: string
}

const { O_NONBLOCK, O_RDONLY } = constants
const pieceBytes = 2 ** 17

/**
 * @param content - what a small file holds; undefined where that is looked at elsewhere
 * @throws the system's error
 */
export function compareEntry(
  directory: OpenDirectory,
  facts: EntryFacts,
  content: (() => Uint8Array) | undefined,
  comparing: Comparing,
): Difference | undefined {
  const stats = directory.look(facts.name)
  if (stats === undefined) return { code: 'missing' }
  if (kindOf(stats) !== facts.kind) return differs(['kind'])
  const wrong = metadataDifferences(stats, directory.pathOf(facts.name), facts, comparing)
  if (facts.kind === 'symlink' && !equalBytes(directory.readLink(facts.name), facts.target!))
    wrong.unshift('target')
  if (facts.kind === 'file') {
    const size = Number(stats.size)
    if (size !== facts.sizeBytes) wrong.unshift(`size ${size}`)
    else if (content !== undefined) {
      const at = contentDifference(directory, facts.name, content())
      if (at !== undefined) wrong.unshift(`content at byte ${at}`)
    }
  }
  return wrong.length === 0 ? undefined : differs(wrong)
}

/** Of a directory that is open: its own mode, owner, time and attributes. */
export function compareDirectory(
  directory: OpenDirectory,
  facts: EntryFacts,
  comparing: Comparing,
): Difference | undefined {
  const at = directory.pathOf(Uint8Array.of(0x2e))
  const wrong = metadataDifferences(directory.stats(), at, facts, comparing)
  return wrong.length === 0 ? undefined : differs(wrong)
}

/** The first byte at which a file, or its piece from `position` on, holds something else. */
export function fileDifference(
  fd: number,
  position: number,
  content: Uint8Array,
): number | undefined {
  const room = new Uint8Array(Math.min(pieceBytes, content.length))
  for (let at = 0; at < content.length;) {
    const length = readSync(fd, room, 0, Math.min(room.length, content.length - at), position + at)
    if (length === 0) return position + at
    const piece = room.subarray(0, length)
    const wanted = content.subarray(at, at + length)
    if (Buffer.compare(piece, wanted) !== 0)
      return position + at + piece.findIndex((byte, i) => byte !== wanted[i])
    at += length
  }
  return undefined
}

function contentDifference(
  directory: OpenDirectory,
  name: Uint8Array,
  content: Uint8Array,
): number | undefined {
  const fd = directory.openFile(name, O_RDONLY | O_NONBLOCK)
  try {
    return fileDifference(fd, 0, content)
  } finally {
    closeSync(fd)
  }
}

/** Opens a file that is to be compared piece by piece; undefined if another kind has its name. */
export function openToCompare(directory: OpenDirectory, name: Uint8Array): number | undefined {
  const fd = directory.openFile(name, O_RDONLY | O_NONBLOCK)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  return undefined
}

export function closeCompared(fd: number): void {
  closeSync(fd)
}

function metadataDifferences(
  stats: LocalStats,
  path: Uint8Array,
  facts: EntryFacts,
  comparing: Comparing,
): string[] {
  const { native, owners, numericIds } = comparing
  const { meta, kind, mode, mtime } = facts
  const wrong: string[] = []
  const idOf = (names: Owners['users'], name?: string): number | undefined =>
    numericIds || name === undefined ? undefined : names.idOf(name)
  const uid = idOf(owners.users, meta.owner) ?? meta.uid
  const gid = idOf(owners.groups, meta.group) ?? meta.gid
  if (uid !== undefined && Number(stats.uid) !== uid) wrong.push(`owner ${stats.uid}`)
  if (gid !== undefined && Number(stats.gid) !== gid) wrong.push(`group ${stats.gid}`)
  const has = Number(stats.mode) & maxMode
  if (kind !== 'symlink' && has !== mode) wrong.push(`mode ${has.toString(8)}`)
  const late = stats.mtimeNs - nanosecondsOf(mtime)
  const exact = native === undefined ? 1_000_000n : 1n
  if (late >= exact || late <= -exact) wrong.push('time')
  if (meta.device !== undefined) {
    const { major, minor } = splitDevice(stats.rdev)
    if (major !== meta.device.major || minor !== meta.device.minor) wrong.push('device')
  }
  for (const { name, value } of meta.xattrs ?? []) {
    const shown = escapedName(name)
    if (native === undefined) break
    try {
      const found = native.readXattr(path, name)
      if (found === undefined || !equalBytes(found, value)) wrong.push(`attribute ${shown}`)
    } catch (error) {
      wrong.push(`attribute ${shown}: ${detailOf(error)}`)
    }
  }
  return wrong
}

function differs(wrong: readonly string[]): Difference {
  return { code: 'differs', detail: wrong.join(', ') }
}
