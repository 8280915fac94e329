/**
 * Paths within a tree: names are bytes, and people write them as text in which whatever is no
 * visible UTF-8 stands as `\xHH` and a backslash as `\\` (docs/specs/versions.md, "Names as text").
 * What is shown can be typed in again.
 */
import { concat, utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { isPlainText } from '../base/plain-text.ts'
import { checkName, maxNameBytes } from '../tree/entry.ts'

/** Names from the root down; empty for the root itself. */
export type Path = readonly Uint8Array[]

/** Directories below directories. */
export const maxPathNames = 255

/**
 * The path that `text` says. Slashes at the ends and repeated ones mean nothing.
 *
 * @throws E_USAGE for `.` and `..`, for names too long or with a zero, for a lone backslash, for
 *   more than 255 names
 */
export function parsePath(text: string): Path {
  const names = text.split('/').filter((part) => part !== '')
  if (names.length > maxPathNames) throw badPath(`it has more than ${maxPathNames} names`)
  return names.map(parseName)
}

/** The inverse of `formatName`. Throws as `parsePath`. */
export function parseName(text: string): Uint8Array {
  if (text.includes('\ufffd')) throw badPath('a character in it was not UTF-8')
  const parts = text.split(/(\\x[0-9a-f]{2}|\\\\)/i).map((part, i) => {
    if (i % 2 === 1)
      return part === '\\\\' ? utf8('\\') : Uint8Array.of(parseInt(part.slice(2), 16))
    if (part.includes('\\')) throw badPath('a backslash stands alone')
    return utf8(part)
  })
  const name = concat(...parts)
  try {
    checkName(name)
  } catch (cause) {
    const why = name.length > maxNameBytes ? 'a name in it is too long' : 'a name in it is none'
    throw badPath(why, cause)
  }
  return name
}

/** A name as text that no terminal is confused by, and that tells any two names apart. */
export function formatName(name: Uint8Array): string {
  let text = ''
  for (let at = 0; at < name.length;) {
    const length = sequenceLength(name[at])
    const bytes = name.subarray(at, at + length)
    const character = decode(bytes)
    if (character === '\\') text += '\\\\'
    else if (character !== undefined && isPlainText(character)) text += character
    else {
      text += `\\x${name[at].toString(16).padStart(2, '0')}`
      at++
      continue
    }
    at += length
  }
  return text
}

/** Names with slashes between; the root is the empty text. */
export function formatPath(path: Path): string {
  return path.map(formatName).join('/')
}

/** As a key of a Map: one character a byte. */
export function nameKey(name: Uint8Array): string {
  let key = ''
  for (const byte of name) key += String.fromCharCode(byte)
  return key
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes of the UTF-8 sequence that begins so; 1 where none does. */
function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4
  if (first >= 0xe0) return 3
  return first >= 0xc0 ? 2 : 1
}

function badPath(why: string, cause?: unknown): GridError {
  return new GridError('E_USAGE', `this is no path in a tree: ${why}`, {
    hint: 'write other bytes as \\xHH, and a backslash as \\\\',
    cause,
  })
}
