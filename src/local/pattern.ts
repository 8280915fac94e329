/**
 * Patterns for paths, as users of rsync, restic and git expect them:
 *
 *   name     that name anywhere           a/b      those two after each other, anywhere
 *   /a/b     from the root of the tree    a/       directories only
 *   * ?      within a name                a/**     all that is below, at any depth
 *   !a       takes back what an earlier pattern said
 *
 * Bytes throughout, so that names that are no UTF-8 can be meant too.
 */
import { utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { compileGlob, type NameMatcher } from './glob.ts'
import { escapedName } from './escaped-name.ts'

export interface Pattern {
  negated: boolean
  /** Whether `components` is fit by the whole path. A directory is told by `isDirectory`. */
  matches(components: readonly Uint8Array[], isDirectory: boolean): boolean
}

/** Longer than any path that Linux takes. */
export const maxPatternBytes = 4096

const slash = 0x2f
const backslash = 0x5c
const anyDepth = Symbol('**')
type Part = NameMatcher | typeof anyDepth

/**
 * @param root - the path of the tree: an anchored pattern that begins with it goes on from there,
 *   so that absolute paths mean what they say
 * @throws E_USAGE for what can match nothing
 */
export function parsePattern(text: string | Uint8Array, root?: Uint8Array): Pattern {
  const given = typeof text === 'string' ? utf8(text) : text
  const negated = given[0] === 0x21
  const body = withoutRoot(given.subarray(negated ? 1 : 0), root)
  const pieces = splitPath(body)
  if (pieces.length === 0 || given.length > maxPatternBytes || pieces.some(leadsUp))
    throw new GridError('E_USAGE', `not a pattern: ${escapedName(given.subarray(0, 200))}`)
  const directoriesOnly = body.at(-1) === slash && body.at(-2) !== backslash
  const parts = pieces.map((piece) => (isAnyDepth(piece) ? anyDepth : compileGlob(piece)))
  // what `a/**` means is below a, and not a itself
  if (parts.at(-1) === anyDepth) parts.push(() => true)
  if (body[0] !== slash && parts[0] !== anyDepth) parts.unshift(anyDepth)
  return {
    negated,
    matches: (components, isDirectory) =>
      (isDirectory || !directoriesOnly) && fits(parts, components),
  }
}

/** As a shell's glob over names, with `**` in the place of `*`. */
function fits(parts: readonly Part[], components: readonly Uint8Array[]): boolean {
  // most patterns are one name, and then only the last component counts
  if (parts.length === 2 && parts[0] === anyDepth && parts[1] !== anyDepth)
    return components.length > 0 && parts[1](components[components.length - 1])
  let [part, at] = [0, 0]
  let [retryPart, retryAt] = [-1, 0]
  while (at < components.length || part < parts.length) {
    const current: Part | undefined = parts[part]
    if (current === anyDepth) {
      ;[retryPart, retryAt] = [++part, at]
    } else if (current !== undefined && at < components.length && current(components[at])) {
      part++
      at++
    } else {
      if (retryPart < 0 || retryAt >= components.length) return false
      ;[part, at] = [retryPart, ++retryAt]
    }
  }
  return true
}

/** Patterns of a file, one a line; lines that are empty or begin with `#` are none. */
export function patternLines(content: Uint8Array): Uint8Array[] {
  return splitAt(content, 0x0a)
    .map((line) => (line.at(-1) === 0x0d ? line.subarray(0, -1) : line))
    .filter((line) => line.length > 0 && line[0] !== 0x23)
}

/** The components of a path: what is between slashes, without the empty and without `.`. */
export function splitPath(path: Uint8Array): Uint8Array[] {
  return splitAt(path, slash).filter(
    (piece) => piece.length > 0 && !(piece.length === 1 && piece[0] === 0x2e),
  )
}

export function splitAt(bytes: Uint8Array, separator: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let start = 0
  for (let end = bytes.indexOf(separator); end >= 0; end = bytes.indexOf(separator, start)) {
    pieces.push(bytes.subarray(start, end))
    start = end + 1
  }
  pieces.push(bytes.subarray(start))
  return pieces
}

/** What of an absolute path is below `root`; anything else as it is. */
export function withoutRoot(path: Uint8Array, root: Uint8Array | undefined): Uint8Array {
  if (root === undefined || root.length <= 1 || path.length <= root.length) return path
  const begins = Buffer.compare(path.subarray(0, root.length), root) === 0
  return begins && path[root.length] === slash ? path.subarray(root.length) : path
}

function isAnyDepth(piece: Uint8Array): boolean {
  return piece.length === 2 && piece[0] === 0x2a && piece[1] === 0x2a
}

function leadsUp(piece: Uint8Array): boolean {
  return piece.length === 2 && piece[0] === 0x2e && piece[1] === 0x2e
}
