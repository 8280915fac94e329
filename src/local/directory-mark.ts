/**
 * Directories that say of themselves that they need no backup: a file of a known name in them,
 * maybe with a known beginning. The directory and the mark are kept, and nothing else in it.
 */
import { closeSync, constants, readSync } from 'node:fs'
import { utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { checkName } from '../tree/entry.ts'
import { kindOf } from './local-stats.ts'
import type { NameList } from './name-list.ts'
import type { OpenDirectory } from './open-directory.ts'

export interface DirectoryMark {
  name: Uint8Array
  /** What the file begins with; empty for anything. */
  header: Uint8Array
}

/** `--exclude-caches`: the Cache Directory Tagging Specification, https://bford.info/cachedir/ */
export const cacheMark: DirectoryMark = {
  name: utf8('CACHEDIR.TAG'),
  header: utf8('Signature: 8a477f597d28d172789f06886806bc55'),
}

/** `--exclude-if-present NAME[:HEADER]`. Throws E_USAGE for what is no name. */
export function parseMark(text: string): DirectoryMark {
  const colon = text.indexOf(':')
  const name = utf8(colon < 0 ? text : text.slice(0, colon))
  try {
    checkName(name)
  } catch (error) {
    throw new GridError('E_USAGE', 'not the name of a file that excludes', { cause: error })
  }
  return { name, header: utf8(colon < 0 ? '' : text.slice(colon + 1)) }
}

/** The first of `marks` that the directory bears. */
export function markOf(
  marks: readonly DirectoryMark[],
  directory: OpenDirectory,
  names: NameList,
): DirectoryMark | undefined {
  return marks.find((mark) => names.has(mark.name) && bears(directory, mark))
}

/** A regular file only: a link or a fifo of that name is no mark. */
function bears(directory: OpenDirectory, { name, header }: DirectoryMark): boolean {
  const stats = directory.look(name)
  if (stats === undefined || kindOf(stats) !== 'file') return false
  if (header.length === 0) return true
  try {
    const fd = directory.openFile(name, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const found = new Uint8Array(header.length)
      const length = readSync(fd, found, 0, header.length, 0)
      return length === header.length && Buffer.compare(found, header) === 0
    } finally {
      closeSync(fd)
    }
  } catch {
    return false // what cannot be read says nothing
  }
}
