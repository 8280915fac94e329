/**
 * A directory of this machine with all that is below it, read for a backup or a copy: names in
 * order of bytes, files and directories together, as the rows of a stored directory want them.
 *
 * Nothing that cannot be read ends a walk; it is reported. What is held is the names of the
 * directories between the root and the place where the walk is, and a number for each file that
 * has more names still to come.
 */
import { concat } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { type DirectoryMark, markOf } from './directory-mark.ts'
import type { EntryFacts } from './facts.ts'
import { HardLinks } from './hard-links.ts'
import { describeEntry, type LocalEntry, WalkedEntry } from './local-entry.ts'
import { type LocalFile, openLocalFile } from './local-file.ts'
import { isSocket, kindOf, type LocalStats } from './local-stats.ts'
import type { NameList } from './name-list.ts'
import type { NativeCalls } from './native.ts'
import { detailOf, type NoticeCode, type Report } from './notice.ts'
import { OpenDirectory } from './open-directory.ts'
import { type Owners, systemOwners } from './owner-names.ts'
import { type Choice, everything, type Selection } from './selection.ts'

export interface LocalTreeOptions {
  report: Report
  /** Without it extended attributes are not seen, which is reported once. */
  native?: NativeCalls | undefined
  /** Leave extended attributes alone, and say nothing of it. */
  withoutXattrs?: boolean
  selection?: Selection
  /** Directories that bear one of these are entered for the mark only. */
  marks?: readonly DirectoryMark[]
  /**
   * Stay on these file systems, or on that of the root: directories on others are kept empty, but
   * for those that only lead to what is taken.
   */
  oneFileSystem?: boolean | ReadonlySet<bigint>
  owners?: Owners
  /** Directories below the root, one inside the other: 255 unless given. */
  maxDepth?: number
}

/** `enter` and `leave` stand for a directory before and after what is in it. */
export interface LocalStep {
  step: 'entry' | 'enter' | 'leave'
  entry: LocalEntry
}

/** A directory that the walk is in. */
interface Frame {
  entry: LocalEntry
  directory: OpenDirectory
  names: NameList
  next: number
  /** Whether its `enter` was given out: not yet, if it is taken only for what is below. */
  entered: boolean
  /** Of what is in it. */
  selection: Selection
  /** The one name that counts in a marked directory. */
  only?: Uint8Array
}

/** As many as a restore makes. */
export const maxDepth = 255

const slash = Uint8Array.of(0x2f)
const nothing = new Uint8Array(0)

export class LocalTree {
  readonly #path: string | Uint8Array
  readonly #options: LocalTreeOptions
  readonly #owners: Owners
  readonly #links = new HardLinks()
  /** From the root to the directory whose names come next. */
  readonly #frames: Frame[] = []

  /** Of the directory that `path` leads to, through links too. */
  constructor(path: string | Uint8Array, options: LocalTreeOptions) {
    this.#path = path
    this.#options = options
    this.#owners = options.owners ?? systemOwners()
  }

  /**
   * One step at a time: the root first and last, with an empty path. An entry can be described and
   * opened until the next step is asked for. To be walked once; it closes what it opened, also if
   * it is left early.
   *
   * @throws the system's error if the root cannot be opened and listed
   */
  *walk(): Generator<LocalStep, void> {
    const root = OpenDirectory.at(this.#path)
    const { native, withoutXattrs = false } = this.#options
    if (native === undefined && !withoutXattrs) this.#report('xattrs-unseen', nothing)
    try {
      this.#enter(this.#entryOf(nothing, nothing, root.stats())!, root, true)
      yield* this.#steps()
    } finally {
      for (const { directory } of this.#frames.splice(1)) directory.close()
      this.#frames.pop()
      root.close()
    }
  }

  /** Of the entry of the current step, whichever it is; sooner if it is an open file. Throws the system's error. */
  describe(entry: LocalEntry, file?: LocalFile): EntryFacts {
    const { report, native, withoutXattrs = false } = this.#options
    return describeEntry(entry, {
      directory: this.#directoryOf(entry),
      file,
      owners: this.#owners,
      native: withoutXattrs ? undefined : native,
      report,
    })
  }

  /** Opens the file of the current step. Throws E_FILE_CHANGED or the system's error. */
  open(entry: LocalEntry): LocalFile {
    return openLocalFile(entry, this.#directoryOf(entry))
  }

  *#steps(): Generator<LocalStep, void> {
    yield { step: 'enter', entry: this.#frames[0].entry }
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      const entry = this.#nextIn(frame)
      if (entry === undefined) {
        if (frame.entered) yield { step: 'leave', entry: frame.entry }
        if (this.#frames.length === 1) return
        this.#frames.pop()
        frame.directory.close()
        continue
      }
      const choice = this.#choose(entry, frame.selection)
      if (choice === 'skip') continue
      if (choice === 'take' && !frame.entered) yield* this.#enterAbove()
      if (entry.kind !== 'directory') yield { step: 'entry', entry }
      else if (this.#descend(frame, entry, choice === 'take') && choice === 'take')
        yield { step: 'enter', entry }
    }
  }

  /** Directories that were passed, now that something in them is taken. */
  *#enterAbove(): Generator<LocalStep, void> {
    for (const frame of this.#frames) {
      if (frame.entered) continue
      frame.entered = true
      yield { step: 'enter', entry: frame.entry }
    }
  }

  #choose(entry: LocalEntry, selection: Selection): Choice {
    const { oneFileSystem = false } = this.#options
    const choice =
      selection === everything ? 'take' : selection.choose(entry.path, entry.kind === 'directory')
    if (oneFileSystem !== false && entry.kind !== 'directory' && !this.#isAtHome(entry))
      return 'skip'
    return choice
  }

  /** The next name of a directory that is there and of a kind that is kept. */
  #nextIn(frame: Frame): LocalEntry | undefined {
    const { names, only, directory } = frame
    while (frame.next < names.length) {
      const name = names.at(frame.next++)
      if (only !== undefined && Buffer.compare(only, name) !== 0) continue
      const entry = this.#lookAt(directory, name, frame.entry.path)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  #lookAt(directory: OpenDirectory, name: Uint8Array, above: Uint8Array): LocalEntry | undefined {
    const { native } = this.#options
    try {
      const stats = native === undefined ? directory.look(name) : native.look(directory.fd, name)
      if (stats !== undefined) return this.#entryOf(name, above, stats)
      this.#report('vanished', pathBelow(above, name))
    } catch (error) {
      this.#report('unreadable', pathBelow(above, name), detailOf(error))
    }
    return undefined
  }

  #entryOf(name: Uint8Array, above: Uint8Array, stats: LocalStats): LocalEntry | undefined {
    const kind = kindOf(stats)
    if (kind !== undefined) return new WalkedEntry({ name, kind, stats }, above, this.#links)
    this.#report(isSocket(stats) ? 'socket' : 'unreadable', pathBelow(above, name))
    return undefined
  }

  /** Opens a directory; false if that cannot be. */
  #descend(above: Frame, entry: LocalEntry, entered: boolean): boolean {
    const { maxDepth: deepest = maxDepth } = this.#options
    if (this.#frames.length > deepest) {
      this.#report('too-deep', entry.path)
      return false
    }
    try {
      const directory = above.directory.open(entry.name)
      try {
        this.#enter(entry, directory, entered)
        return true
      } catch (error) {
        directory.close()
        throw error
      }
    } catch (error) {
      this.#report(
        isDiskError(error, 'ENOENT') ? 'vanished' : 'unreadable',
        entry.path,
        detailOf(error),
      )
      return false
    }
  }

  #enter(entry: LocalEntry, directory: OpenDirectory, entered: boolean): void {
    const { marks = [], oneFileSystem = false } = this.#options
    const names = directory.names()
    const { selection = everything } = this.#options
    const above = this.#frames.at(-1)?.selection ?? selection
    const within = this.#frames.length === 0 ? above : (above.below?.(entry.path) ?? above)
    const frame: Frame = { entry, directory, names, next: 0, entered, selection: within }
    const mark = markOf(marks, directory, names)
    if (mark !== undefined) frame.only = mark.name
    if (oneFileSystem !== false && entered && !this.#isAtHome(entry)) frame.next = names.length
    this.#frames.push(frame)
  }

  #isAtHome({ stats }: LocalEntry): boolean {
    const { oneFileSystem } = this.#options
    if (this.#frames.length === 0) return true
    if (typeof oneFileSystem === 'object') return oneFileSystem.has(stats.dev)
    return stats.dev === this.#frames[0].entry.stats.dev
  }

  /** The directory that has the entry's name. */
  #directoryOf(entry: LocalEntry): OpenDirectory {
    const { length } = this.#frames
    if (length === 0) throw new RangeError('entry: the walk is over')
    const frame = this.#frames.findLastIndex((each) => each.entry === entry)
    return this.#frames[frame < 0 ? length - 1 : Math.max(0, frame - 1)].directory
  }

  #report(code: NoticeCode, path: Uint8Array, detail?: string): void {
    this.#options.report(detail === undefined ? { code, path } : { code, path, detail })
  }
}

function pathBelow(above: Uint8Array, name: Uint8Array): Uint8Array {
  return above.length === 0 ? name.slice() : concat(above, slash, name)
}
