/**
 * Puts two trees together that go back to one, entry by entry (docs/specs/versions.md, "Merging").
 * Neither side's additions and changes are lost: where both changed one name, both results stand.
 */
import { compareBytes, equalBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { diffDirectories, type EntryDifference } from '../tree/directory-diff.ts'
import { findEntry } from '../tree/directory-reader.ts'
import { changeDirectory, type DirectoryChange } from '../tree/directory-writer.ts'
import type { DirectoryEntry, DirectoryRef } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import { conflictName, type VersionMark } from './conflict-name.ts'
import { maxPathNames, nameKey } from './path.ts'
import {
  attributesOf,
  type Attributes,
  compareAttributes,
  isDirectory,
  renamed,
  sameContent,
  sameEntry,
} from '../tree/same-entry.ts'
import type { Scratch } from './scratch.ts'

type Directory = NodeName | undefined
type Entry = DirectoryEntry | undefined

/** The same directory as three versions have it; undefined where it is not there. */
export interface ThreeWays {
  base: Directory
  /** Its entries keep their names. */
  first: Directory
  /** In a conflict its entry is renamed. */
  second: Directory
}

/** @param mark - of the version that `second` is */
export async function mergeTrees(
  scratch: Scratch,
  ways: ThreeWays,
  mark: VersionMark,
): Promise<DirectoryRef> {
  return new Merge(scratch, mark).directories(ways, 0)
}

class Merge {
  readonly #scratch: Scratch
  readonly #mark: VersionMark

  constructor(scratch: Scratch, mark: VersionMark) {
    this.#scratch = scratch
    this.#mark = mark
  }

  async directories({ base, first, second }: ThreeWays, depth: number): Promise<DirectoryRef> {
    if (depth > maxPathNames) throw new GridError('E_NODE', 'directories too deep in each other')
    const scratch = this.#scratch
    if (isSame(first, second) || isSame(base, second)) return this.#whole(first)
    if (isSame(base, first)) return this.#whole(second)
    const changes: DirectoryChange[] = []
    const made = new Set<string>()
    const theirs = diffDirectories(scratch, base, second)
    for await (const [ours, other] of sideBySide(diffDirectories(scratch, base, first), theirs)) {
      if (other === undefined) continue
      const { name } = other
      if (ours === undefined) {
        changes.push({ name, entry: other.after })
        continue
      }
      const { kept, moved } = await this.#entries(ours.before, ours.after, other.after, depth)
      changes.push({ name, entry: kept })
      if (moved === undefined) continue
      const free = await this.#freeName(moved, { base, first, second }, made)
      if (free !== undefined) changes.push({ name: free, entry: renamed(moved, free) })
    }
    changes.sort((a, b) => compareBytes(a.name, b.name))
    return changeDirectory(scratch, first, changes)
  }

  /** What becomes of a name that both sides changed; `moved` needs another name. */
  async #entries(
    base: Entry,
    first: Entry,
    second: Entry,
    depth: number,
  ): Promise<{ kept: Entry; moved?: DirectoryEntry }> {
    if (sameEntry(first, second) || sameEntry(base, second)) return { kept: first }
    if (sameEntry(base, first)) return { kept: second }
    if (isDirectory(first) && isDirectory(second)) {
      const attributes = mergedAttributes(isDirectory(base) ? base : undefined, first, second)
      const content = await this.#below({ base, first, second }, depth)
      return { kept: { ...first, ...attributes, content } }
    }
    // A directory that was emptied on one side is what the other side has put into it since.
    const [left, right] = isDirectory(base)
      ? [
          await this.#rest(base, first, depth, 'first'),
          await this.#rest(base, second, depth, 'second'),
        ]
      : [first, second]
    if (left === undefined || right === undefined) return { kept: left ?? right }
    if (sameContent(left, right) && !isDirectory(left))
      return { kept: compareAttributes(left, right) >= 0 ? left : right }
    return { kept: left, moved: right }
  }

  /** Of a directory, which the other side has no more, what is not as it was; undefined for nothing. */
  async #rest(
    base: DirectoryEntry,
    entry: Entry,
    depth: number,
    side: 'first' | 'second',
  ): Promise<Entry> {
    if (!isDirectory(entry)) return entry
    const content = await this.#below(
      { base, first: undefined, second: undefined, [side]: entry },
      depth,
    )
    return (await this.#scratch.isEmpty(content)) ? undefined : { ...entry, content }
  }

  #below(
    { base, first, second }: { base: Entry; first: Entry; second: Entry },
    depth: number,
  ): Promise<DirectoryRef> {
    const contentOf = (entry: Entry): Directory => (isDirectory(entry) ? entry.content : undefined)
    const ways = { base: contentOf(base), first: contentOf(first), second: contentOf(second) }
    return this.directories(ways, depth + 1)
  }

  /** The first conflict name that nobody uses; undefined if the entry is there under one already. */
  async #freeName(
    entry: DirectoryEntry,
    { first, second }: ThreeWays,
    made: Set<string>,
  ): Promise<Uint8Array | undefined> {
    for (let count = 1; ; count++) {
      const name = conflictName(entry.name, this.#mark, count)
      const taken = await Promise.all(
        [first, second].map(async (side) => side && findEntry(this.#scratch, side, name)),
      )
      const isThere = taken.map((other) => other && sameEntry(renamed(other, entry.name), entry))
      if (isThere.includes(true)) return undefined
      if (taken.some((other) => other !== undefined) || made.has(nameKey(name))) continue
      made.add(nameKey(name))
      return name
    }
  }

  async #whole(directory: Directory): Promise<DirectoryRef> {
    if (directory === undefined) return this.#scratch.empty()
    return changeDirectory(this.#scratch, directory, [])
  }
}

function isSame(a: Directory, b: Directory): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a.readKey, b.readKey)
}

/** Those that only one side changed; where both did, the greater. */
function mergedAttributes(
  base: DirectoryEntry | undefined,
  first: DirectoryEntry,
  second: DirectoryEntry,
): Attributes {
  if (base !== undefined && compareAttributes(base, first) === 0) return attributesOf(second)
  if (base !== undefined && compareAttributes(base, second) === 0) return attributesOf(first)
  return attributesOf(compareAttributes(first, second) >= 0 ? first : second)
}

type Pair = [EntryDifference | undefined, EntryDifference | undefined]

/** Two sequences that ascend by name, as one. */
async function* sideBySide(
  left: AsyncGenerator<EntryDifference>,
  right: AsyncGenerator<EntryDifference>,
): AsyncGenerator<Pair> {
  const next = async (
    from: AsyncGenerator<EntryDifference>,
  ): Promise<EntryDifference | undefined> => {
    const step = await from.next()
    return step.done === true ? undefined : step.value
  }
  let [a, b] = [await next(left), await next(right)]
  while (a !== undefined || b !== undefined) {
    const order = a === undefined ? 1 : b === undefined ? -1 : compareBytes(a.name, b.name)
    yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined]
    if (order <= 0) a = await next(left)
    if (order >= 0) b = await next(right)
  }
}
