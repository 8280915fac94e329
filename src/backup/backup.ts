/**
 * Backs a tree up into a log: stores what changed, appends a snapshot, and remembers what the next
 * run can do without. A long run appends partial snapshots on its way (docs/backup.md, "A run").
 */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { isGridError } from '../base/errors.ts'
import type { CapOf } from '../caps/cap.ts'
import type { Report } from '../local/notice.ts'
import type { ChainWriter } from '../log/chain-writer.ts'
import type { AppendReport } from '../log/quorum-append.ts'
import type { BackupRun, SnapshotTotals } from '../log/snapshot-body.ts'
import type { AuditReport } from '../node/check/audit.ts'
import type { Grid } from '../node/grid.ts'
import type { LogAccount } from '../node/logs/log-account.ts'
import type { TreeWriter } from '../node/content/tree-writer.ts'
import { noLack, type StoreLack, sumOfLacks } from '../node/objects/store-totals.ts'
import { capOfDirectory } from '../tree/directory-cap.ts'
import type { DirectoryRef } from '../tree/entry.ts'
import { type BackupCount, noCount } from './backup-count.ts'
import { BackupRound, type RoundItem } from './backup-round.ts'
import { DirectoryBuilder } from './directory-builder.ts'
import { keepFresh, type RunStart, startOfRun } from './fresh-objects.ts'
import { MergedWalk } from './merged-walk.ts'
import type { RunMemory } from './memory/run-memory.ts'
import { sampleOf } from './sample.ts'
import type { BackupSource } from './source.ts'

export interface BackupParts {
  grid: Pick<Grid, 'trees' | 'logs'>
  clock: Clock
  random: Random
  /** Opens what is known of the runs before; nothing of what they saw, if that is to be forgotten. */
  openMemory: (options: { forget: boolean }) => Promise<RunMemory>
  /** The tree, made anew for each walk. */
  source: (report: Report) => BackupSource
  /** Told of what was left out or not wholly kept, once for each walk. */
  report: Report
}

/** What a snapshot says besides what was found. */
export interface BackupFacts {
  host: string
  label: string
  /** Absolute, as bytes of the system. */
  paths: readonly Uint8Array[]
  /** The directory that the topmost one stands for. */
  root: Uint8Array
  tags: readonly string[]
  tool: string
}

export interface BackupOptions {
  append: CapOf<'LOG-Append'>
  facts: BackupFacts
  signal: AbortSignal
  /** After so long a partial snapshot is appended, and the walk begins again; never unless given. */
  checkpointMs?: number
  uploadBytesPerSecond?: number
  /** Called often, with what grows. */
  onProgress?: (count: BackupCount) => void
  /** Called with every snapshot but the last one. */
  onCheckpoint?: (snapshot: AppendReport) => void
}

export interface BackupReport {
  snapshot: AppendReport
  /** Name of the device in the log, and the number of the entry in its chain. */
  device: string
  seq: number
  totals: SnapshotTotals
  count: BackupCount
  /** Plaintext bytes that no run had stored before, and bytes of shares that were sent for them. */
  addedBytes: number
  sentBytes: number
  /** Of what the run stored: what is on fewer servers than it should be. */
  lack: StoreLack
  /** Whether anything was left out. */
  partial: boolean
  /** Of a sample of what the snapshot before stands on. */
  audit: AuditReport
}

/** What one walk came to. */
interface Round {
  ref: DirectoryRef
  totals: SnapshotTotals
  /** Whether the walk came to its end. */
  isWhole: boolean
  writer: TreeWriter
}

/**
 * Runs until a snapshot of the whole tree is durable in the log.
 *
 * @throws E_NOT_ENOUGH_SERVERS, E_NOT_DURABLE and whatever else the log says, E_LOCKED; the system's
 *   error if the root cannot be read. What was stored until then need not be stored again.
 */
export async function runBackup(parts: BackupParts, options: BackupOptions): Promise<BackupReport> {
  const { grid, clock, openMemory } = parts
  const { append, signal } = options
  // whoever holds the chain is the only one here who backs up into it
  const device = await grid.logs.device(append, { signal })
  const account = await grid.logs.storing(append, { signal })
  const run = { startedMs: Math.floor(clock.nowMs()), addedBytes: 0, sentBytes: 0 }
  let lack = noLack
  const retry = { rebuild: false, forget: false }
  for (;;) {
    const walk = new OneWalk(parts, options, await openMemory(retry), {
      ...{ rebuild: retry.rebuild, account, writer: device.writer },
    })
    try {
      const { isWhole, snapshot, ...found } = await walk.backUp(run)
      lack = sumOfLacks(lack, found.lack)
      if (isWhole) {
        const { addedBytes, sentBytes } = run
        const { label, seq } = device
        const { count } = walk
        return { snapshot, device: label, seq, count, addedBytes, sentBytes, ...found, lack }
      }
      options.onCheckpoint?.(snapshot)
    } catch (error) {
      if (signal.aborted) throw error
      // directories of the last run that nobody gives back are written again, from the tree itself
      if (!retry.rebuild && isGridError(error, ...unreadable)) retry.rebuild = true
      else if (!retry.forget && isForgettable(error)) retry.forget = true
      else throw error
    }
  }
}

/** What is remembered is of no use, and all of it is stored anew. */
function isForgettable(error: unknown): boolean {
  return isGridError(error, 'E_CACHE') || (isGridError(error) && error.facts.wanting !== undefined)
}

const unreadable = ['E_NOT_ENOUGH_SHARES', 'E_ENCODING', 'E_COMMIT', 'E_NODE', 'E_SIZE'] as const

/** Objects that each run looks at, and of more one in so many besides. */
const auditedObjects = 64
const auditedOneIn = 1000

/** Where a walk stores, and how. */
interface WalkPlace {
  /** Undefined where the device may not store for the log. */
  account: LogAccount | undefined
  writer: ChainWriter
  rebuild: boolean
}

class OneWalk {
  readonly #parts: BackupParts
  readonly #options: BackupOptions
  readonly #memory: RunMemory
  readonly #rebuild: boolean
  readonly #place: WalkPlace
  readonly count: BackupCount = noCount()

  constructor(parts: BackupParts, options: BackupOptions, memory: RunMemory, place: WalkPlace) {
    this.#parts = parts
    this.#options = options
    this.#memory = memory
    this.#place = place
    this.#rebuild = place.rebuild || memory.mustRebuild
  }

  /** Adds to `run` what it stored. */
  async backUp(run: Pick<BackupRun, 'startedMs' | 'addedBytes' | 'sentBytes'>): Promise<{
    snapshot: AppendReport
    isWhole: boolean
    lack: StoreLack
    totals: SnapshotTotals
    partial: boolean
    audit: AuditReport
  }> {
    const { grid } = this.#parts
    const { append, facts, signal } = this.#options
    const memory = this.#memory
    const auditing = this.#audit()
    const start = startOfRun(this.#parts.clock)
    try {
      const { ref, isWhole, writer, ...round } = await this.#store()
      run.addedBytes += writer.totals.newPlaintextBytes
      run.sentBytes += writer.totals.sentBytes
      const totals = { ...round.totals, objects: memory.objectCount }
      const partial = !isWhole || this.count.notices > 0
      const { root, tags, ...rest } = facts
      const cap = capOfDirectory(ref)
      const snapshot = { ...rest, cap, totals, partial, run: { root, tags, ...run } }
      await this.#keepFresh(writer, start)
      const appended = await grid.logs.append(append, snapshot, { signal })
      await memory.commit(appended.id)
      const { lack } = writer.totals
      return { snapshot: appended, isWhole, lack, totals, partial, audit: await auditing }
    } catch (error) {
      await memory.abandon()
      throw error
    }
  }

  async #keepFresh({ redundancy }: TreeWriter, start: RunStart): Promise<void> {
    const { account, writer } = this.#place
    if (account === undefined) return
    const { clock } = this.#parts
    const { signal } = this.#options
    await keepFresh({ account, writer, clock, redundancy }, this.#memory, start, { signal })
  }

  #store(): Promise<Round> {
    const { append, signal, uploadBytesPerSecond } = this.#options
    const secret = append.convergenceSecret
    return this.#parts.grid.trees.write((writer) => this.#walkInto(writer), {
      signal,
      ...(this.#place.account && { account: this.#place.account }),
      ...(secret && { secret }),
      ...(uploadBytesPerSecond !== undefined && { uploadBytesPerSecond }),
    })
  }

  async #walkInto(writer: TreeWriter): Promise<Round> {
    const { clock, source: open, report } = this.#parts
    const { checkpointMs, onProgress } = this.#options
    const { unfinished } = this.#memory
    const counting: Report = (notice) => {
      // nobody keeps sockets: whoever listens makes its own
      if (notice.code !== 'socket') this.count.notices++
      report(notice)
    }
    const source = open(counting)
    const remembered = this.#memory.rows()
    const walk = new MergedWalk(source.walk(), remembered)
    const builder = new DirectoryBuilder(writer, this.#memory.next)
    const files = writer.files<RoundItem>({
      compress: true,
      known: (tag) => this.#memory.known(tag),
      onExtent: (item, index, extent) => {
        item.countedBytes += extent.plaintextBytes
        this.count.doneBytes += extent.plaintextBytes
        const { path, fingerprint, isSettled } = item
        if (isSettled) unfinished.addExtent(path, fingerprint, index, extent)
      },
    })
    // what is rebuilt holds nothing of what was not come to
    const mayStop = !this.#rebuild || remembered === undefined
    const cancel = this.#afterEach(mayStop ? checkpointMs : undefined, () => {
      // a walk that stored nothing yet would never come further than this one
      if (this.count.readBytes > 0) walk.stop()
    })
    try {
      const round = new BackupRound({
        ...{ source, walk, builder, files, unfinished, clock, onProgress },
        ...{ report: counting, count: this.count, rebuild: this.#rebuild, signal: writer.signal },
      })
      await round.run()
      return { ...builder.root, isWhole: walk.isWhole, writer }
    } finally {
      await files.end()
      cancel()
    }
  }

  /** Looks at a sample of what the last snapshot stands on, beside the walk. It ends nothing. */
  async #audit(): Promise<AuditReport> {
    const { grid, random } = this.#parts
    const { signal } = this.#options
    const { before } = this.#memory
    if (before === undefined) return { objects: [], silent: [] }
    const count = auditedObjects + Math.ceil(before.count / auditedOneIn)
    const sample = sampleOf(before, count, random)
    return grid.trees.audit(sample, { signal }).catch(() => ({ objects: [], silent: [] }))
  }

  /** Until the result is called. */
  #afterEach(intervalMs: number | undefined, work: () => void): () => void {
    if (intervalMs === undefined) return () => undefined
    const { clock } = this.#parts
    let cancel = (): void => {}
    const wait = (): void => {
      cancel = clock.after(intervalMs, () => {
        wait()
        work()
      })
    }
    wait()
    return () => cancel()
  }
}
