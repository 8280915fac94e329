/**
 * Holds runs of backups, and what is read of them, to their promises (docs/simulation.md). What is
 * owed depends on who is well; that nothing wrong is ever shown, that what is acknowledged is there,
 * and that everything ends, is owed always.
 */
import { equalBytes, toHex } from '../../../src/base/bytes.ts'
import { isDiskError } from '../../../src/base/disk.ts'
import { isGridError } from '../../../src/base/errors.ts'
import type { CapOf } from '../../../src/caps/cap.ts'
import { formatCap } from '../../../src/caps/text.ts'
import { storageIndexOf } from '../../../src/encoding/descriptor.ts'
import { quorumOf } from '../../../src/log/log-config.ts'
import { timestampOf } from '../../../src/tree/entry.ts'
import type { ObjectRef } from '../../../src/tree/refs.ts'
import { holdersOf } from '../holders.ts'
import type { Span } from '../judge.ts'
import { recoveryMs, troubleOf } from '../plan.ts'
import type { SimServer } from '../sim-server.ts'
import type { Tally } from '../tally.ts'
import { type BackupPlan, isWithin, lastingTrouble } from './backup-plan.ts'
import type { CacheMemory, StoredCheck } from './cache-memory.ts'
import type { ReadEntry } from './snapshot-reader.ts'
import type { Expected, Seen } from './walk-witness.ts'

export interface BackupJudgeOptions {
  plan: BackupPlan
  servers: readonly SimServer[]
  tally: Tally
  nowMs: () => number
  onViolation: (what: string) => void
}

/** A snapshot as a reader found it. */
export interface ReadSnapshot {
  id: Uint8Array
  cap: CapOf<'DIR-CHK'> | undefined
  /** Its tree, or why it cannot be had. */
  tree: ReadonlyMap<string, ReadEntry> | undefined
  error: unknown
}

/** No run and no read takes longer where enough servers are well. */
const promptMs = 180_000
/** None takes longer. */
const patienceMs = 3_600_000
/** Disks up to this size fill up. */
const smallDiskBytes = 2 ** 22

export class BackupJudge implements StoredCheck {
  readonly #case: BackupJudgeOptions
  /** What snapshots must hold that were offered to the log, by their caps. */
  readonly #expected = new Map<string, Expected[]>()
  /** Ids of snapshots that were said to be durable, and since when. */
  readonly #committed = new Map<string, number>()
  /** Whether the plan's faults are those that a backup must survive. */
  readonly #isTame: boolean
  readonly #lasting: ReadonlySet<number>

  constructor(options: BackupJudgeOptions) {
    this.#case = options
    const { plan } = options
    this.#isTame = isWithin(this.#faults, plan.options)
    this.#lasting = lastingTrouble(this.#faults)
  }

  broken(error: unknown): void {
    this.#accuse(`the simulation itself failed: ${(error as Error).stack ?? ''}`)
  }

  left(what: string): void {
    this.#accuse(/^B\d/.test(what) ? what : `B5: ${what}`)
  }

  /** A snapshot of this tree is about to be offered to the log. */
  appending(cap: CapOf<'DIR-CHK'>, expected: Expected): void {
    if (expected.isPartial) this.#case.tally.reached('backup: partial snapshot')
    const name = formatCap(cap)
    this.#expected.set(name, [...(this.#expected.get(name) ?? []), expected])
  }

  committed(id: Uint8Array): void {
    const { tally, nowMs, servers } = this.#case
    tally.add('snapshot')
    if (servers.some(({ lie }) => lie !== undefined)) tally.reached('backup: with a liar about')
    this.#committed.set(toHex(id), nowMs())
  }

  /** A journal is told that objects are stored. */
  stored(objects: readonly ObjectRef[]): void {
    const { servers, plan, nowMs } = this.#case
    const { happy, n } = plan.options
    for (const { root } of objects) {
      const index = storageIndexOf(root)
      const holders = holdersOf(servers, index, { claimed: happy, n, byMs: nowMs() })
      if (holders >= happy) continue
      this.#accuse(`B3: a journal is told of an object that is on ${holders} servers`)
    }
  }

  succeeded(span: Span): void {
    const { tally } = this.#case
    tally.add('run')
    this.#checkEnd('a run', span, this.#runIsDue(span))
    if (this.#unwell(span).size > 0) tally.reached('backup: survived a fault')
  }

  failed(machine: number, error: unknown, span: Span): void {
    const { tally } = this.#case
    tally.add('run failed')
    this.#checkEnd('a run', span, false)
    const isDiskBad = this.#isDiskBad(machine, span)
    if (isDiskBad) tally.reached('backup: the disk of the machine failed')
    const isFact = isGridError(error) ? error.code !== 'E_INTERNAL' : isDiskError(error, ...codes)
    if (!isFact) this.#accuse(`B5: a run failed by a mistake of ours: ${described(error)}`)
    if (this.#runIsDue(span) && !isDiskBad && !this.#isSplit(machine, span))
      this.#accuse(`B5: a run failed with enough servers well: ${described(error)}`)
    if (isGridError(error, 'E_NOT_DURABLE')) tally.reached('backup: not durable')
    if (isGridError(error, 'E_NOT_ENOUGH_SERVERS')) tally.reached('backup: too few servers')
  }

  checkKeys(id: string, memory: CacheMemory): void {
    if (memory.undead > 0) this.#accuse(`B7: ${id} still has ${memory.undead} keys of earlier runs`)
  }

  /** What a reader found; of all snapshots, if `isAll`. */
  read(snapshots: readonly ReadSnapshot[], span: Span, isAll: boolean): void {
    const { tally } = this.#case
    tally.add('read')
    this.#checkEnd('a read', span, false)
    const isDue = this.#readIsDue(span)
    const found = new Set(snapshots.map(({ id }) => toHex(id)))
    if (isAll && this.#logIsDue(span)) {
      for (const [id, sinceMs] of this.#committed) {
        if (sinceMs < span.fromMs && !found.has(id)) this.#accuse(`B2: snapshot ${id} is gone`)
      }
    }
    for (const snapshot of snapshots) this.#checkSnapshot(snapshot, isDue)
  }

  readFailed(error: unknown, span: Span): void {
    this.#case.tally.add('read failed')
    this.#checkEnd('a read', span, false)
    if (!isGridError(error) || error.code === 'E_INTERNAL')
      this.#accuse(`B5: a read failed by a mistake of ours: ${described(error)}`)
    if (this.#logIsDue(span)) this.#accuse(`B2: the log cannot be read: ${described(error)}`)
  }

  #checkSnapshot({ id, cap, tree, error }: ReadSnapshot, isDue: boolean): void {
    const { tally } = this.#case
    const name = toHex(id).slice(0, 8)
    if (cap !== undefined && !this.#expected.has(formatCap(cap)))
      return this.#accuse(`B2: snapshot ${name} is of a tree that nobody stored`)
    if (cap === undefined || tree === undefined) {
      if (!isGridError(error) || error.code === 'E_INTERNAL')
        this.#accuse(`B5: a read failed by a mistake of ours: ${described(error)}`)
      if (isDue) this.#accuse(`B1: snapshot ${name} cannot be read: ${described(error)}`)
      return tally.reached('backup: a snapshot out of reach')
    }
    tally.add('snapshot read')
    const all = this.#expected.get(formatCap(cap)) ?? []
    const wrong = all.map((expected) => this.#wrongWith(tree, expected))
    if (wrong.every((each) => each !== undefined)) this.#accuse(`B1: snapshot ${name}: ${wrong[0]}`)
  }

  #wrongWith(tree: ReadonlyMap<string, ReadEntry>, expected: Expected): string | undefined {
    const { entries, kept, left } = expected
    for (const [path, seen] of entries) {
      const found = tree.get(path)
      if (found === undefined) {
        if (!left.has(path)) return `${path} is missing`
      } else {
        const wrong = this.#wrongEntry(found, seen)
        if (wrong !== undefined) return `${path} ${wrong}`
      }
    }
    for (const [path, { versions, isSure }] of kept) {
      const found = tree.get(path)
      if (found === undefined && isSure) return `${path} is missing, which the walk did not come to`
      if (found === undefined) continue
      this.#case.tally.reached('backup: kept what a walk did not come to')
      const wrong = versions.map((seen) => this.#wrongEntry(found, seen))
      if (wrong.every((each) => each !== undefined)) return `${path}, as it was, ${wrong[0]}`
    }
    for (const path of tree.keys()) {
      if (!entries.has(path) && !kept.has(path)) return `${path} is there, and was not`
    }
    return undefined
  }

  #wrongEntry({ entry, content }: ReadEntry, seen: Seen): string | undefined {
    const { kind } = seen.node
    const foundKind = content === undefined ? entry.kind : 'file'
    if (foundKind !== kind) return `is a ${foundKind}, and was a ${kind}`
    if (entry.mode !== seen.mode) return `has mode ${entry.mode}, and had ${seen.mode}`
    const { seconds, nanoseconds } = timestampOf(seen.mtimeNs)
    const isTimeKept = entry.mtime.seconds === seconds && entry.mtime.nanoseconds === nanoseconds
    if (!isTimeKept) return `has another time`
    if (entry.kind === 'symlink' && Buffer.from(entry.content).toString('latin1') !== seen.target)
      return 'leads elsewhere'
    if (content === undefined) return undefined
    if (entry.meta.fuzzy === true) {
      this.#case.tally.reached('backup: a file changed while it was read')
      return seen.versions.length > 1 ? undefined : 'is marked, and did not change'
    }
    const isTrue = seen.versions.some((version) => equalBytes(version, content))
    if (isTrue && seen.versions.length > 1)
      this.#case.tally.reached('backup: a file changed in a walk')
    return isTrue ? undefined : 'holds what it did not hold then'
  }

  get #faults() {
    return this.#case.plan.items.filter((item) => item.kind === 'fault')
  }

  /** Whether a run by a machine that reaches all must have succeeded. */
  #runIsDue(span: Span): boolean {
    const { servers, plan } = this.#case
    if (!this.#isTame || plan.options.diskBytes <= smallDiskBytes) return false
    const well = servers.length - this.#unwell(span).size
    return well >= plan.options.happy && well >= quorumOf(servers.length)
  }

  /** Whether a quorum was well, and few enough ever lied or forgot. */
  #logIsDue(span: Span): boolean {
    const { servers } = this.#case
    return this.#isTame && servers.length - this.#unwell(span).size >= quorumOf(servers.length)
  }

  /** Whether k shares of every object must be left within reach. */
  #readIsDue(span: Span): boolean {
    const { happy, k } = this.#case.plan.options
    return this.#logIsDue(span) && happy - this.#unwell(span).size >= k
  }

  /** Servers in trouble at some time of the span, and those that ever lied, rotted or forgot. */
  #unwell({ fromMs, toMs }: Span): Set<number> {
    const unwell = new Set(this.#lasting)
    for (const event of this.#faults) {
      const trouble = troubleOf(event)
      if (trouble.fromMs <= toMs && trouble.toMs >= fromMs) unwell.add(event.server)
    }
    return unwell
  }

  #isSplit(machine: number, { fromMs, toMs }: Span): boolean {
    return this.#case.plan.items.some(
      (item) =>
        item.kind === 'split' &&
        item.machine === machine &&
        item.atMs <= toMs &&
        item.atMs + item.forMs + recoveryMs >= fromMs,
    )
  }

  #isDiskBad(machine: number, { fromMs, toMs }: Span): boolean {
    return this.#case.plan.items.some(
      (item) =>
        item.kind === 'machine-disk' &&
        item.machine === machine &&
        item.atMs <= toMs &&
        item.atMs + item.forMs >= fromMs,
    )
  }

  #checkEnd(what: string, { fromMs, toMs }: Span, isDue: boolean): void {
    if (toMs - fromMs > (isDue ? promptMs : patienceMs))
      this.#accuse(`B5: ${what} took ${Math.round((toMs - fromMs) / 1000)} s`)
  }

  #accuse(what: string): void {
    this.#case.onViolation(what)
  }
}

const codes = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE']

function described(error: unknown): string {
  if (isGridError(error)) return `${error.code} ${error.message} ${JSON.stringify(error.facts)}`
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
}
