/**
 * Restores a stored directory into a target: one walk, which runs ahead of what is fetched and
 * written. Small files are taken together by the objects that hold them; large ones extent by
 * extent. What cannot be had or made is reported, and the rest is done.
 */
import { asGridError } from '../../base/errors.ts'
import { Budget } from '../../base/limit.ts'
import { type EntryFacts, factsOf } from '../../local/facts.ts'
import type { Report } from '../../local/notice.ts'
import type { Outcome } from '../../local/place-entry.ts'
import type { Selection } from '../../local/selection.ts'
import type { TargetDirectory } from '../../local/target-directory.ts'
import type { TreeStore } from '../../node/content/tree-store.ts'
import type { DirectoryEntry } from '../../tree/entry.ts'
import type { ChildRow } from '../../tree/file-node.ts'
import type { NodeName } from '../../tree/node-ref.ts'
import type { BatchCrew } from './batch-crew.ts'
import { FileFlow } from './file-flow.ts'
import { handleExtents } from './large-file.ts'
import { HeldDirectory } from './held-directory.ts'
import { type TreeVisitor, walkTree } from './tree-walk.ts'

export type RestoreTrees = Pick<TreeStore, 'readSlice' | 'readSealed' | 'readContent' | 'extents'>

export interface RestoreOptions {
  crew: BatchCrew
  /** Where the target reports too. */
  report: Report
  selection?: Selection | undefined
  /** Where in the snapshot the directory is, for the selection. */
  path?: Uint8Array
  /** Called as it goes on; the same object each time. */
  onProgress?: (count: RestoreCount) => void
  signal?: AbortSignal
}

/** What a restore did, or would do. */
export interface RestoreCount {
  /** Whatever is no directory, that was written. */
  files: number
  /** Of those files. */
  bytes: number
  directories: number
  /** Among `files`: those in whose place something else was. */
  replaced: number
  /** Files that were there already, by an earlier run, and their bytes. */
  finished: number
  finishedBytes: number
  /** What was there and stays, since it may not be overwritten. */
  kept: number
  refused: number
}

/** Directories that are open while something in them is under way. */
const maxOpen = 384
const largeFiles = 4

/** Restores what is in `root` into `target`, which is finished with `facts` if there are any. */
export function restoreTree(
  trees: RestoreTrees,
  root: NodeName,
  into: { target: TargetDirectory; facts: EntryFacts | undefined },
  options: RestoreOptions,
): Promise<RestoreCount> {
  return new Restore(trees, options).tree(root, into)
}

/** Restores one entry that is no directory into `target`, under the name that it has. */
export function restoreEntry(
  trees: RestoreTrees,
  entry: DirectoryEntry,
  target: TargetDirectory,
  options: RestoreOptions,
): Promise<RestoreCount> {
  return new Restore(trees, options).only(entry, target)
}

type RestoredDirectory = HeldDirectory<TargetDirectory>

class Restore implements TreeVisitor<RestoredDirectory> {
  readonly #trees: RestoreTrees
  readonly #options: RestoreOptions
  readonly #flow: FileFlow
  readonly #large = new Budget(largeFiles)
  readonly #open = new Set<RestoredDirectory>()
  readonly #count: RestoreCount = {
    ...{ files: 0, bytes: 0, directories: 0, replaced: 0 },
    ...{ finished: 0, finishedBytes: 0, kept: 0, refused: 0 },
  }

  constructor(trees: RestoreTrees, options: RestoreOptions) {
    const { crew, report, signal } = options
    this.#trees = trees
    this.#options = options
    this.#flow = new FileFlow({
      ...{ trees, crew, purpose: 'place', report, signal },
      onOutcome: (outcome, sizeBytes) => this.#note(outcome, sizeBytes),
    })
  }

  async tree(
    root: NodeName,
    { target, facts }: { target: TargetDirectory; facts: EntryFacts | undefined },
  ): Promise<RestoreCount> {
    const top = HeldDirectory.top(target, facts, this.#events)
    this.#open.add(top)
    const { selection, path } = this.#options
    const { signal } = this.#flow
    return this.#toTheEnd(() =>
      walkTree(this.#trees, root, top, this, { selection, signal, ...(path && { path }) }),
    )
  }

  async only(entry: DirectoryEntry, target: TargetDirectory): Promise<RestoreCount> {
    const top = HeldDirectory.top(target, undefined, this.#events)
    // it is the user's own, and stays as it is
    top.spoil()
    return this.#toTheEnd(async () => {
      await this.entry(entry, top)
      top.release()
    })
  }

  enter(
    entry: DirectoryEntry,
    above: RestoredDirectory,
    _: Uint8Array,
    isPassed: boolean,
  ): RestoredDirectory | undefined {
    const directory = above.below(factsOf(entry))
    if (isPassed || directory.place() !== undefined) return directory
    directory.release()
    return undefined
  }

  entry(entry: DirectoryEntry, above: RestoredDirectory): void | Promise<void> {
    const facts = factsOf(entry)
    const target = above.place()
    if (target === undefined) return
    const outcome = target.begin(facts)
    if (outcome !== undefined) return this.#note(outcome, facts.sizeBytes)
    above.hold()
    if (entry.kind === 'tree') return this.#placeLarge(above, target, facts, entry.content)
    if (facts.meta.hardLink !== undefined) return this.#placeShared(above, target, facts, entry)
    if (entry.kind === 'file') return this.#flow.addStream(above, facts, entry.content)
    return this.#flow.addReady(above, facts, entry.kind === 'lit' ? entry.content : nothing)
  }

  skip(entry: DirectoryEntry, above: RestoredDirectory): void {
    above.keep(entry.name)
  }

  async leave(directory: RestoredDirectory, path: Uint8Array, error: unknown): Promise<void> {
    if (error !== undefined) {
      const cause = asGridError(error, 'E_NODE', 'a directory')
      this.#options.report({ code: 'content', path, detail: cause.code, cause })
      this.#note('refused', 0)
      directory.spoil()
    }
    directory.release()
    if (this.#open.size > maxOpen) await this.#flow.drainTo(() => this.#open.size <= maxOpen / 2)
  }

  readonly #events = {
    opened: (directory: RestoredDirectory, isThere: boolean): void => {
      if (isThere) {
        this.#open.add(directory)
        this.#count.directories++
      } else this.#count.refused++
    },
    closed: (directory: RestoredDirectory): void => {
      this.#open.delete(directory)
    },
  }

  async #toTheEnd(walk: () => Promise<void>): Promise<RestoreCount> {
    try {
      await this.#flow.toTheEnd(walk)
      return this.#count
    } finally {
      // whatever is not finished is gone on with by a later run
      for (const directory of this.#open) directory.abandon()
    }
  }

  /** One name of several: in turn after the others, with what it may be linked to. */
  async #placeShared(
    directory: RestoredDirectory,
    target: TargetDirectory,
    facts: EntryFacts,
    entry: DirectoryEntry,
  ): Promise<void> {
    const { kind } = entry
    const isFile = kind === 'lit' || kind === 'file' || kind === 'tree'
    const { signal } = this.#flow
    const content = () => (isFile ? this.#trees.readContent(entry, { signal }) : none())
    this.#note(await target.fill(facts, content), facts.sizeBytes)
    directory.release()
  }

  async #placeLarge(
    directory: RestoredDirectory,
    target: TargetDirectory,
    facts: EntryFacts,
    root: ChildRow,
  ): Promise<void> {
    const { signal, bytes } = this.#flow
    const leave = await this.#large.take(1, { signal })
    const source = { trees: this.#trees, crew: this.#options.crew, bytes, signal }
    this.#flow.start(async () => {
      try {
        const fill = (fd: number): Promise<void> => handleExtents(source, root, fd, 'write')
        this.#note(await target.fill(facts, { fill }), facts.sizeBytes)
        directory.release()
      } finally {
        leave()
      }
    })
  }

  #note(outcome: Outcome, sizeBytes: number): void {
    const count = this.#count
    if (outcome === 'made' || outcome === 'replaced') {
      count.files++
      count.bytes += sizeBytes
      if (outcome === 'replaced') count.replaced++
    } else if (outcome === 'finished') {
      count.finished++
      count.finishedBytes += sizeBytes
    } else count[outcome]++
    this.#options.onProgress?.(count)
  }
}

const nothing = new Uint8Array(0)

async function* none(): AsyncGenerator<Uint8Array> {}
