/**
 * Reads again what was restored, and compares it with the snapshot: every byte of every file with
 * what its sealed bytes hold, and all that is kept beside. Everything that differs is reported.
 */
import { asGridError } from '../../base/errors.ts'
import { ComparedDirectory } from '../../local/compared-directory.ts'
import { type EntryFacts, factsOf } from '../../local/facts.ts'
import { systemOwners } from '../../local/owner-names.ts'
import type { NativeCalls } from '../../local/native.ts'
import type { DirectoryEntry } from '../../tree/entry.ts'
import type { NodeName } from '../../tree/node-ref.ts'
import { FileFlow } from './file-flow.ts'
import { HeldDirectory } from './held-directory.ts'
import { handleExtents } from './large-file.ts'
import type { RestoreOptions, RestoreTrees } from './restore.ts'
import { type TreeVisitor, walkTree } from './tree-walk.ts'

export interface CheckOptions extends Omit<RestoreOptions, 'onProgress'> {
  /** What the target was opened with. */
  native: NativeCalls | undefined
  numericIds: boolean
  onProgress?: (count: CheckCount) => void
}

export interface CheckCount {
  /** Whatever is no directory, and is as it should be. */
  files: number
  /** Bytes of all that were compared. */
  bytes: number
  /** What is not there, or not as it should be, or could not be compared. */
  wrong: number
}

/** Compares what is in `root` with `target`, a directory of this machine, and that with `facts`. */
export function checkTree(
  trees: RestoreTrees,
  root: NodeName,
  into: { target: string; facts: EntryFacts | undefined },
  options: CheckOptions,
): Promise<CheckCount> {
  return new Check(trees, options).tree(root, into)
}

/** Compares one entry that is no directory with what has its name in `target`. */
export function checkEntry(
  trees: RestoreTrees,
  entry: DirectoryEntry,
  target: string,
  options: CheckOptions,
): Promise<CheckCount> {
  return new Check(trees, options).only(entry, target)
}

type Compared = HeldDirectory<ComparedDirectory>

/** Directories that are open while something in them is under way. */
const maxOpen = 384

class Check implements TreeVisitor<Compared> {
  readonly #trees: RestoreTrees
  readonly #options: CheckOptions
  readonly #flow: FileFlow
  readonly #open = new Set<Compared>()
  readonly #count: CheckCount = { files: 0, bytes: 0, wrong: 0 }

  constructor(trees: RestoreTrees, options: CheckOptions) {
    const { crew, report, signal } = options
    this.#trees = trees
    this.#options = options
    this.#flow = new FileFlow({
      ...{ trees, crew, purpose: 'compare', report, signal },
      onOutcome: (outcome, sizeBytes) => {
        this.#note(outcome === 'finished', sizeBytes)
      },
    })
  }

  async tree(
    root: NodeName,
    { target, facts }: { target: string; facts: EntryFacts | undefined },
  ): Promise<CheckCount> {
    const top = this.#top(target, facts)
    const { selection, path } = this.#options
    const { signal } = this.#flow
    return this.#toTheEnd(() =>
      walkTree(this.#trees, root, top, this, { selection, signal, ...(path && { path }) }),
    )
  }

  async only(entry: DirectoryEntry, target: string): Promise<CheckCount> {
    const top = this.#top(target, undefined)
    return this.#toTheEnd(async () => {
      await this.entry(entry, top)
      top.release()
    })
  }

  enter(
    entry: DirectoryEntry,
    above: Compared,
    _: Uint8Array,
    isPassed: boolean,
  ): Compared | undefined {
    const directory = above.below(factsOf(entry))
    if (isPassed || directory.place() !== undefined) return directory
    directory.release()
    return undefined
  }

  entry(entry: DirectoryEntry, above: Compared): void | Promise<void> {
    const facts = factsOf(entry)
    const place = above.place()
    if (place === undefined) return
    if (!place.isLinked(facts)) this.#count.wrong++
    above.hold()
    if (entry.kind === 'file') return this.#flow.addStream(above, facts, entry.content)
    if (entry.kind !== 'tree')
      return this.#flow.addReady(above, facts, entry.kind === 'lit' ? entry.content : nothing)
    const { signal, bytes } = this.#flow
    const source = { trees: this.#trees, crew: this.#options.crew, bytes, signal }
    return this.#large(place, facts, (fd) =>
      handleExtents(source, entry.content, fd, 'check'),
    ).then(() => {
      above.release()
    })
  }

  async leave(directory: Compared, path: Uint8Array, error: unknown): Promise<void> {
    if (error !== undefined) {
      const cause = asGridError(error, 'E_NODE', 'a directory')
      this.#options.report({ code: 'content', path, detail: cause.code, cause })
      this.#note(false, 0)
    }
    directory.release()
    if (this.#open.size > maxOpen) await this.#flow.drainTo(() => this.#open.size <= maxOpen / 2)
  }

  #top(target: string, facts: EntryFacts | undefined): Compared {
    const { report, native, numericIds } = this.#options
    const owners = systemOwners()
    const run = { report, native, owners, numericIds, links: new Map() }
    const top = HeldDirectory.top(ComparedDirectory.at(target, run), facts, this.#events)
    this.#open.add(top)
    return top
  }

  readonly #events = {
    opened: (directory: Compared, isThere: boolean): void => {
      if (isThere) this.#open.add(directory)
      else this.#count.wrong++
    },
    closed: (directory: Compared): void => {
      this.#open.delete(directory)
    },
  }

  async #large(
    place: ComparedDirectory,
    facts: EntryFacts,
    check: (fd: number) => Promise<void>,
  ): Promise<void> {
    const isRight = await place.large(facts, check)
    this.#flow.signal.throwIfAborted()
    this.#note(isRight, facts.sizeBytes)
  }

  async #toTheEnd(walk: () => Promise<void>): Promise<CheckCount> {
    try {
      await this.#flow.toTheEnd(walk)
      return this.#count
    } finally {
      for (const directory of this.#open) directory.abandon()
    }
  }

  #note(isRight: boolean, sizeBytes: number): void {
    if (isRight) this.#count.files++
    else this.#count.wrong++
    this.#count.bytes += sizeBytes
    this.#options.onProgress?.(this.#count)
  }
}

const nothing = new Uint8Array(0)
