/** A tree to look into: finds paths, lists directories and walks them, in constant memory. */
import { toHex } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { findEntry, listDirectory, type ListOptions } from '../tree/directory-reader.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import type { SliceReader } from '../tree/slice-reader.ts'
import { formatPath, maxPathNames, type Path } from './path.ts'
import { isDirectory } from '../tree/same-entry.ts'

/** What a path names: an entry, or the root, which has none. */
export interface Found {
  path: Path
  /** Undefined for the root. */
  entry: DirectoryEntry | undefined
}

export interface Walked {
  /** From where the walk began. */
  path: Path
  entry: DirectoryEntry
}

export interface WalkOptions {
  /** Whether to go into a directory; all by default. */
  enter?: (walked: Walked) => boolean
  signal?: AbortSignal
}

/** Directories being listed at one moment, the innermost last. */
interface Level {
  path: Path
  key: string
  entries: AsyncGenerator<DirectoryEntry>
}

export class TreeView {
  readonly reader: SliceReader
  /** Undefined for a tree in which nothing was ever put. */
  readonly root: NodeName | undefined

  constructor(reader: SliceReader, root: NodeName | undefined) {
    this.reader = reader
    this.root = root
  }

  /** What is at `path`, or undefined. A file on the way is nothing to go through. */
  async find(path: Path): Promise<Found | undefined> {
    let entry: DirectoryEntry | undefined
    for (const [i, name] of path.entries()) {
      const directory = i === 0 ? this.root : isDirectory(entry) ? entry.content : undefined
      entry = directory && (await findEntry(this.reader, directory, name))
      if (entry === undefined) return undefined
    }
    return { path, entry }
  }

  /** As `find`. Throws E_FILE if nothing is there. */
  async get(path: Path): Promise<Found> {
    const found = await this.find(path)
    if (found === undefined)
      throw new GridError('E_FILE', `${shown(path)}: no such file or directory`, {
        hint: 'see what is there: grid ls; make a directory: grid mkdir -p',
      })
    return found
  }

  /** The directory at `path`; undefined for an empty root. Throws E_FILE if there is none. */
  async directory(path: Path): Promise<NodeName | undefined> {
    const { entry } = await this.get(path)
    if (entry === undefined) return this.root
    if (isDirectory(entry)) return entry.content
    throw new GridError('E_FILE', `${shown(path)} is not a directory`)
  }

  /** Entries of the directory at `path`, by name. Throws as `directory` and `listDirectory`. */
  async *list(path: Path, options: ListOptions = {}): AsyncGenerator<DirectoryEntry> {
    const directory = await this.directory(path)
    if (directory !== undefined) yield* listDirectory(this.reader, directory, options)
  }

  /**
   * Everything below a directory, each before what is in it, by name.
   *
   * @throws E_NODE for directories more than 255 deep, or one that is in itself
   */
  async *walk(directory: NodeName | undefined, options: WalkOptions = {}): AsyncGenerator<Walked> {
    const { enter = () => true, signal } = options
    const levels: Level[] = []
    const descend = (into: NodeName, path: Path): void => {
      const key = toHex(into.readKey)
      if (levels.length >= maxPathNames) throw tooDeep()
      if (levels.some((level) => level.key === key)) throw tooDeep()
      levels.push({ path, key, entries: listDirectory(this.reader, into) })
    }
    if (directory !== undefined) descend(directory, [])
    try {
      for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
        signal?.throwIfAborted()
        const step = await level.entries.next()
        if (step.done === true) {
          levels.pop()
          continue
        }
        const entry = step.value
        const walked = { path: [...level.path, entry.name], entry }
        yield walked
        if (isDirectory(entry) && enter(walked)) descend(entry.content, walked.path)
      }
    } finally {
      for (const { entries } of levels) await entries.return(undefined)
    }
  }
}

function shown(path: Path): string {
  return path.length === 0 ? 'the root' : formatPath(path)
}

function tooDeep(): GridError {
  return new GridError('E_NODE', 'directories too deep in each other, or in themselves')
}
