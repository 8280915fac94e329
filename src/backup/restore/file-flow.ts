/**
 * Files of a walk on their way through a crew: fetched by the objects that hold them, in batches,
 * within a budget of bytes, beside the walk. The walk is held up only when too much is under way.
 */
import { Bell } from '../../base/bell.ts'
import { isGridError } from '../../base/errors.ts'
import { Budget } from '../../base/limit.ts'
import type { EntryFacts } from '../../local/facts.ts'
import type { Report } from '../../local/notice.ts'
import type { Outcome } from '../../local/place-entry.ts'
import { pathBelow, type TargetHandle } from '../../local/target-directory.ts'
import type { SealedRun, TreeStore } from '../../node/content/tree-store.ts'
import type { StreamRef } from '../../tree/stream-row.ts'
import type { BatchCrew } from './batch-crew.ts'
import { arrived, type BatchPurpose } from './batch-run.ts'
import { FileBatch, itemsOf } from './file-batch.ts'
import { StreamGroups, type StreamRun } from './stream-groups.ts'

/** A directory that stays open while something in it is under way. */
export interface FlowDirectory {
  readonly handle: TargetHandle
  release(): void
}

export interface FileFlowOptions {
  trees: Pick<TreeStore, 'readSealed'>
  crew: BatchCrew
  purpose: BatchPurpose
  report: Report
  /** What came of a file. */
  onOutcome: (outcome: Outcome, sizeBytes: number) => void
  signal: AbortSignal | undefined
}

/** Sealed bytes that are fetched, or waited for, at once. */
const inFlightBytes = 24 * 2 ** 20
const runBytes = 4 * 2 ** 20
const maxWaiting = 4096
/** Entries that need nothing fetched are handed on by so many together. */
const readyCount = 512
const readyBytes = 2 ** 18

export class FileFlow {
  readonly #options: FileFlowOptions
  readonly #groups: StreamGroups<FlowBatch>
  #ready = new FlowBatch()
  /** Of sealed bytes. */
  readonly bytes: Budget = new Budget(inFlightBytes)
  readonly #running = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  /** Aborts with the first failure that ends everything, and as the caller does. */
  readonly signal: AbortSignal
  readonly #progress = new Bell()

  constructor(options: FileFlowOptions) {
    this.#options = options
    const { signal } = options
    this.signal =
      signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
    this.#groups = new StreamGroups({
      newBatch: () => new FlowBatch(),
      ...{ runBytes, waiting: maxWaiting },
    })
  }

  /** A file in a bundle; the directory is released when it is done. Waits only where it gives a promise. */
  addStream(
    directory: FlowDirectory,
    facts: EntryFacts,
    stream: StreamRef,
  ): Promise<void> | undefined {
    const runs = this.#groups.add(stream, (batch) => {
      batch.add(directory, facts, stream)
    })
    return runs.length === 0 ? undefined : this.#fetchAll(runs)
  }

  /** A file whose content is at hand, or what has none. */
  addReady(
    directory: FlowDirectory,
    facts: EntryFacts,
    content: Uint8Array,
  ): Promise<void> | undefined {
    this.#ready.add(directory, facts, content)
    return this.#ready.count < readyCount ? undefined : this.#runReady()
  }

  /** Runs `work` beside the walk; what it throws ends everything. */
  start(work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => this.#stop.abort(error))
      .finally(() => {
        this.#running.delete(running)
        this.#progress.ring()
      })
    this.#running.add(running)
  }

  /** Hands on all that waits, and resolves when `isEnough`, or when nothing is under way. */
  async drainTo(isEnough: () => boolean): Promise<void> {
    await this.#flush()
    while (this.#running.size > 0 && !isEnough()) await this.#progress.next({ signal: this.signal })
  }

  /** Runs the walk, and everything to its end. Throws the first failure, or the caller's reason. */
  async toTheEnd(walk: () => Promise<void>): Promise<void> {
    try {
      await walk()
      await this.drainTo(() => false)
    } catch (error) {
      this.#stop.abort(error)
    }
    await Promise.allSettled(this.#running)
    this.signal.throwIfAborted()
  }

  async #flush(): Promise<void> {
    await this.#fetchAll(this.#groups.takeAll())
    await this.#runReady()
  }

  async #fetchAll(runs: readonly StreamRun<FlowBatch>[]): Promise<void> {
    for (const run of runs) {
      const { signal } = this
      const release = await this.bytes.take(run.endByte - run.startByte, { signal })
      this.start(() => this.#fetchRun(run).finally(release))
    }
  }

  async #fetchRun({ object, startByte, endByte, batch }: StreamRun<FlowBatch>): Promise<void> {
    const { trees } = this.#options
    let sealed: SealedRun
    try {
      sealed = await trees.readSealed(object, startByte, endByte, { signal: this.signal })
    } catch (error) {
      if (!isGridError(error) || this.signal.aborted) throw error
      this.#refuse(batch, error)
      return
    }
    await this.#run(batch, sealed)
  }

  async #runReady(): Promise<void> {
    const batch = this.#ready
    if (batch.count === 0) return
    this.#ready = new FlowBatch()
    const release = await this.bytes.take(readyBytes, { signal: this.signal })
    this.start(() => this.#run(batch, undefined).finally(release))
  }

  async #run(flow: FlowBatch, sealed: SealedRun | undefined): Promise<void> {
    const { crew, purpose, report, onOutcome } = this.#options
    const { handles: directories, sizes, batch } = flow
    const job = { kind: purpose, directories, batch: batch.message(), sealed }
    const { outcomes, notices } = await crew.run(job)
    for (const notice of notices) report(arrived(notice))
    for (const [i, outcome] of outcomes.entries()) onOutcome(outcome, sizes[i])
    flow.release()
  }

  /** The sealed bytes of all of them cannot be had. */
  #refuse(flow: FlowBatch, cause: GridErrorLike): void {
    const { report, onOutcome } = this.#options
    for (const { directory, facts } of itemsOf(flow.batch.message())) {
      const path = pathBelow(flow.handles[directory].path, facts.name)
      report({ code: 'content', path, detail: cause.code, cause })
      onOutcome('refused', facts.sizeBytes)
    }
    flow.release()
  }
}

type GridErrorLike = Error & { code: string }

/** A batch, with the directories that its entries are in. */
class FlowBatch {
  readonly batch: FileBatch = new FileBatch()
  readonly handles: TargetHandle[] = []
  readonly sizes: number[] = []
  readonly #numbers = new Map<FlowDirectory, number>()
  readonly #held: FlowDirectory[] = []

  get count(): number {
    return this.sizes.length
  }

  add(directory: FlowDirectory, facts: EntryFacts, content: StreamRef | Uint8Array): void {
    let number = this.#numbers.get(directory)
    if (number === undefined) {
      number = this.handles.push(directory.handle) - 1
      this.#numbers.set(directory, number)
    }
    this.batch.add(number, facts, content)
    this.sizes.push(facts.sizeBytes)
    this.#held.push(directory)
  }

  release(): void {
    for (const directory of this.#held.splice(0)) directory.release()
  }
}
