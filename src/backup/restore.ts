/**
 * Restores a stored directory into a target: one walk, which runs ahead of what is fetched and
 * written. Small files are taken together by the objects that hold them; large ones extent by
 * extent; all within a budget of bytes. What cannot be had or made is reported, and the rest is done.
 */
import { Bell } from '../base/bell.ts'
import { asGridError, isGridError } from '../base/errors.ts'
import { Budget } from '../base/limit.ts'
import { type EntryFacts, factsOf } from '../local/facts.ts'
import type { Report } from '../local/notice.ts'
import type { Outcome } from '../local/place-entry.ts'
import type { Selection } from '../local/selection.ts'
import type { TargetDirectory, TargetHandle } from '../local/target-directory.ts'
import type { TreeStore } from '../node/tree-store.ts'
import type { DirectoryEntry } from '../tree/entry.ts'
import type { ChildRow } from '../tree/file-node.ts'
import type { NodeName } from '../tree/node-ref.ts'
import type { StreamRef } from '../tree/stream-row.ts'
import type { BatchCrew } from './batch-crew.ts'
import { arrived } from './batch-run.ts'
import { FileBatch } from './file-batch.ts'
import { fillLargeFile } from './large-file.ts'
import { RestoreDirectory } from './restore-directory.ts'
import { StreamGroups, type StreamRun } from './stream-groups.ts'
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

/** A small file that waits for its sealed bytes; or what needs none. */
interface Waiting {
  directory: RestoreDirectory
  facts: EntryFacts
  stream: StreamRef
}
type Ready = Omit<Waiting, 'stream'> & { bytes: Uint8Array }

/** Sealed bytes that are fetched, or waited for, at once. */
const inFlightBytes = 48 * 2 ** 20
const runBytes = 4 * 2 ** 20
const maxWaiting = 4096
/** Entries that need nothing fetched are made by so many together. */
const readyCount = 512
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

class Restore implements TreeVisitor<RestoreDirectory> {
  readonly #trees: RestoreTrees
  readonly #options: RestoreOptions
  readonly #count: RestoreCount = {
    ...{ files: 0, bytes: 0, directories: 0, replaced: 0 },
    ...{ finished: 0, finishedBytes: 0, kept: 0, refused: 0 },
  }
  readonly #groups = new StreamGroups<Waiting>({ runBytes, waiting: maxWaiting })
  #ready: Ready[] = []
  readonly #bytes = new Budget(inFlightBytes)
  readonly #large = new Budget(largeFiles)
  readonly #running = new Set<Promise<void>>()
  /** Aborts with the first failure that ends everything, and as the caller does. */
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #closed = new Bell()
  readonly #open = new Set<RestoreDirectory>()

  constructor(trees: RestoreTrees, options: RestoreOptions) {
    this.#trees = trees
    this.#options = options
    const { signal } = options
    this.#signal =
      signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
  }

  async tree(
    root: NodeName,
    { target, facts }: { target: TargetDirectory; facts: EntryFacts | undefined },
  ): Promise<RestoreCount> {
    const top = RestoreDirectory.top(target, facts, this.#events)
    const { selection, path } = this.#options
    return this.#toTheEnd(() =>
      walkTree(this.#trees, root, top, this, {
        selection,
        ...(path && { path }),
        signal: this.#signal,
      }),
    )
  }

  async only(entry: DirectoryEntry, target: TargetDirectory): Promise<RestoreCount> {
    const top = RestoreDirectory.top(target, undefined, this.#events)
    // it is the user's own, and stays as it is
    top.spoil()
    return this.#toTheEnd(async () => {
      await this.entry(entry, top)
      top.release()
    })
  }

  enter(
    entry: DirectoryEntry,
    above: RestoreDirectory,
    _: Uint8Array,
    isPassed: boolean,
  ): RestoreDirectory | undefined {
    const directory = above.below(factsOf(entry))
    if (isPassed || this.#isThere(directory)) return directory
    directory.release()
    return undefined
  }

  entry(entry: DirectoryEntry, above: RestoreDirectory): void | Promise<void> {
    const facts = factsOf(entry)
    const target = above.target()
    if (target === undefined) return
    const outcome = target.begin(facts)
    if (outcome !== undefined) return this.#note(outcome, facts)
    above.hold()
    const isShared = facts.meta.hardLink !== undefined
    if (entry.kind === 'tree') return this.#placeLarge(above, target, facts, entry.content)
    if (isShared) return this.#placeShared(above, target, facts, entry)
    if (entry.kind === 'file') {
      const runs = this.#groups.add({ directory: above, facts, stream: entry.content })
      return runs.length === 0 ? undefined : this.#fetchAll(runs)
    }
    const bytes = entry.kind === 'lit' ? entry.content : nothing
    this.#ready.push({ directory: above, facts, bytes })
    return this.#ready.length < readyCount ? undefined : this.#placeReady()
  }

  skip(entry: DirectoryEntry, above: RestoreDirectory): void {
    above.keep(entry.name)
  }

  async leave(directory: RestoreDirectory, path: Uint8Array, error: unknown): Promise<void> {
    if (error !== undefined) {
      const { code } = asGridError(error, 'E_NODE', 'a directory')
      this.#options.report({ code: 'content', path, detail: code, cause: error })
      this.#count.refused++
      directory.spoil()
    }
    directory.release()
    if (this.#open.size <= maxOpen) return
    await this.#flush()
    while (this.#open.size > maxOpen / 2 && this.#running.size > 0)
      await this.#closed.next({ signal: this.#signal })
  }

  readonly #events = {
    opened: (directory: RestoreDirectory, isThere: boolean): void => {
      if (isThere) {
        this.#open.add(directory)
        this.#count.directories++
      } else this.#count.refused++
    },
    closed: (directory: RestoreDirectory): void => {
      this.#open.delete(directory)
      this.#closed.ring()
    },
  }

  #isThere(directory: RestoreDirectory): boolean {
    return directory.target() !== undefined
  }

  async #toTheEnd(walk: () => Promise<void>): Promise<RestoreCount> {
    try {
      await walk()
      await this.#flush()
      while (this.#running.size > 0) await Promise.all(this.#running)
    } catch (error) {
      this.#fail(error)
    }
    await Promise.allSettled(this.#running)
    // whatever is not finished is gone on with by a later run
    for (const directory of this.#open) directory.abandon()
    this.#signal.throwIfAborted()
    return this.#count
  }

  #fail(error: unknown): void {
    this.#stop.abort(error)
    this.#closed.ring()
  }

  /** Runs `work` beside the walk. */
  #start(work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running.delete(running)
        this.#closed.ring()
      })
    this.#running.add(running)
  }

  async #flush(): Promise<void> {
    await this.#fetchAll(this.#groups.takeAll())
    await this.#placeReady()
  }

  async #fetchAll(runs: readonly StreamRun<Waiting>[]): Promise<void> {
    for (const run of runs) {
      const release = await this.#bytes.take(run.endByte - run.startByte, { signal: this.#signal })
      this.#start(() => this.#placeRun(run).finally(release))
    }
  }

  async #placeRun(run: StreamRun<Waiting>): Promise<void> {
    const { object, startByte, endByte, files } = run
    const batch = new Directories()
    for (const { directory, facts, stream } of files) batch.add(directory, facts, stream)
    try {
      const options = { signal: this.#signal }
      const sealed = await this.#trees.readSealed(object, startByte, endByte, options)
      await this.#placeBatch(batch, files, sealed)
    } catch (error) {
      if (!isGridError(error) || error.code === 'E_FILE' || this.#signal.aborted) throw error
      for (const { directory, facts } of files) this.#refuse(directory, facts, error)
    }
    for (const { directory } of files) directory.release()
  }

  async #placeReady(): Promise<void> {
    const ready = this.#ready
    if (ready.length === 0) return
    this.#ready = []
    const batch = new Directories()
    for (const { directory, facts, bytes } of ready) batch.add(directory, facts, bytes)
    const release = await this.#bytes.take(ready.length * 256, { signal: this.#signal })
    this.#start(async () => {
      await this.#placeBatch(batch, ready, undefined).finally(release)
      for (const { directory } of ready) directory.release()
    })
  }

  async #placeBatch(
    { handles, batch }: Directories,
    files: readonly Omit<Waiting, 'stream'>[],
    sealed: Awaited<ReturnType<RestoreTrees['readSealed']>> | undefined,
  ): Promise<void> {
    const { crew, report } = this.#options
    const job = { kind: 'place', directories: handles, batch: batch.message(), sealed } as const
    const { outcomes, notices } = await crew.place(job)
    for (const notice of notices) report(arrived(notice))
    for (const [i, outcome] of outcomes.entries()) this.#note(outcome, files[i].facts)
  }

  /** One name of several: in turn after the others, with what it may be linked to. */
  async #placeShared(
    directory: RestoreDirectory,
    target: TargetDirectory,
    facts: EntryFacts,
    entry: DirectoryEntry,
  ): Promise<void> {
    const { kind } = entry
    const isFile = kind === 'lit' || kind === 'file' || kind === 'tree'
    const options = { signal: this.#signal }
    const content = () => (isFile ? this.#trees.readContent(entry, options) : none())
    this.#note(await target.fill(facts, content), facts)
    directory.release()
  }

  async #placeLarge(
    directory: RestoreDirectory,
    target: TargetDirectory,
    facts: EntryFacts,
    root: ChildRow,
  ): Promise<void> {
    const signal = this.#signal
    const leave = await this.#large.take(1, { signal })
    const { crew } = this.#options
    const large = { trees: this.#trees, crew, bytes: this.#bytes, signal }
    this.#start(async () => {
      try {
        const fill = (fd: number): Promise<void> => fillLargeFile(large, root, fd)
        this.#note(await target.fill(facts, { fill }), facts)
        directory.release()
      } finally {
        leave()
      }
    })
  }

  #refuse(directory: RestoreDirectory, facts: EntryFacts, error: unknown): void {
    const { code } = asGridError(error, 'E_FILE', 'a file')
    const path = directory.target()?.spotOf(facts).path ?? facts.name
    this.#options.report({ code: 'content', path, detail: code, cause: error })
    this.#note('refused', facts)
  }

  #note(outcome: Outcome, { sizeBytes }: EntryFacts): void {
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

/** A batch, and the numbers of the directories in it. */
class Directories {
  readonly batch: FileBatch = new FileBatch()
  readonly handles: TargetHandle[] = []
  readonly #numbers = new Map<RestoreDirectory, number>()

  add(directory: RestoreDirectory, facts: EntryFacts, content: StreamRef | Uint8Array): void {
    let number = this.#numbers.get(directory)
    if (number === undefined) {
      number = this.handles.push(directory.target()!.handle!) - 1
      this.#numbers.set(directory, number)
    }
    this.batch.add(number, facts, content)
  }
}

const nothing = new Uint8Array(0)

async function* none(): AsyncGenerator<Uint8Array> {}
