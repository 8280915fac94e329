/**
 * The versions of a tree, as the snapshots of a log and their parents (docs/specs/versions.md,
 * "Versions"): which of them are heads, and what two of them go back to. Snapshots are opened only
 * where their parents matter; the public headers say which cannot.
 */
import { compareBytes, toHex } from '../base/bytes.ts'
import { isGridError } from '../base/errors.ts'
import { isAuthorOf, type ReadHeader } from '../log/entry.ts'
import { type LogView, trustedEntriesOf } from '../log/log-view.ts'
import type { Snapshot } from '../log/snapshot-body.ts'
import type { VersionMark } from './conflict-name.ts'

/** A snapshot entry of the log, not opened. */
export interface Version extends VersionMark {
  readonly entry: ReadHeader
  /** Hexadecimal id of the entry. */
  readonly key: string
  /** The snapshot before it in its chain, which it comes after whatever its parents say. */
  readonly before: Version | undefined
}

/** Opens the body of a snapshot. */
export type SnapshotOpener = (entry: ReadHeader) => Promise<Snapshot>

/** Bits of `bases`: on which side a version is, and that it is below one that both share. */
const ours = 1
const theirs = 2
const below = 4

export class VersionGraph {
  readonly #open: SnapshotOpener
  /** By the hexadecimal key of the author, ascending by seq. */
  readonly #chains = new Map<string, Version[]>()
  readonly #versions = new Map<string, Version>()
  readonly #opened: Map<string, Snapshot | undefined>

  /** @param opened - what was opened before, by `key`; kept and added to */
  constructor(view: LogView, open: SnapshotOpener, opened: Map<string, Snapshot | undefined>) {
    this.#open = open
    this.#opened = opened
    for (const chain of view.chains) {
      const versions: Version[] = []
      for (const entry of trustedEntriesOf(chain)) {
        const { kind, clientMs } = entry.fields
        if (kind !== 'snapshot' || view.rules.refusalOf(entry.fields) !== undefined) continue
        const device = chain.certificate?.label ?? 'admin'
        const version = { entry, key: toHex(entry.id), device, clientMs, before: versions.at(-1) }
        versions.push(version)
        this.#versions.set(version.key, version)
      }
      if (versions.length > 0) this.#chains.set(toHex(chain.author), versions)
    }
  }

  /** All versions, in an order in which none comes before one of its parents if its author is honest. */
  get all(): Version[] {
    return [...this.#versions.values()].sort((a, b) => weightOf(a) - weightOf(b) || inOrder(a, b))
  }

  /** What a version says; undefined for one whose body is no snapshot, or sealed to nobody. */
  async snapshotOf({ entry, key }: Version): Promise<Snapshot | undefined> {
    if (this.#opened.has(key)) return this.#opened.get(key)
    const snapshot = await this.#open(entry).catch((error: unknown) => {
      if (isGridError(error, 'E_SEAL', 'E_ENTRY', 'E_CBOR')) return undefined
      throw error
    })
    this.#opened.set(key, snapshot)
    return snapshot
  }

  /** Those it was made from, and the one before it in its chain; unknown ones are left out. */
  async parentsOf(version: Version): Promise<Version[]> {
    const snapshot = await this.snapshotOf(version)
    const named = (snapshot?.parents ?? []).map((id) => this.#versions.get(toHex(id)))
    const parents = new Set([version.before, ...named].filter((parent) => parent !== undefined))
    return [...parents]
  }

  /** Versions that no other comes after, in order. */
  async heads(): Promise<Version[]> {
    const newest = await Promise.all([...this.#chains.values()].map((chain) => this.#newest(chain)))
    const candidates = newest.filter((version) => version !== undefined)
    const heads: Version[] = []
    for (const version of candidates) {
      const others = candidates.filter((other) => other !== version)
      if (!(await this.#isBelowAny(version, others))) heads.push(version)
    }
    return heads.sort(inOrder)
  }

  /**
   * The newest that `version` and one of `versions` come after or are: those of which no other such
   * comes after. In order.
   */
  async bases(versions: readonly Version[], version: Version): Promise<Version[]> {
    const marks = new Map<Version, number>()
    const queue = new Set<Version>()
    const mark = (at: Version, bits: number): void => {
      const before = marks.get(at) ?? 0
      if ((before | bits) === before) return
      marks.set(at, before | bits)
      queue.add(at)
    }
    for (const each of versions) mark(each, ours)
    mark(version, theirs)
    while ([...queue].some((each) => (marks.get(each)! & below) === 0)) {
      const next = [...queue].reduce((a, b) => (weightOf(b) > weightOf(a) ? b : a))
      queue.delete(next)
      const bits = marks.get(next)!
      const isShared = (bits & ours) !== 0 && (bits & theirs) !== 0
      for (const parent of await this.parentsOf(next)) mark(parent, isShared ? bits | below : bits)
    }
    const shared = [...marks].filter(([, bits]) => bits === (ours | theirs))
    return shared.map(([each]) => each).sort(inOrder)
  }

  /** The last of a chain that is a snapshot: what does not open counts for nothing. */
  async #newest(chain: readonly Version[]): Promise<Version | undefined> {
    for (let version = chain.at(-1); version !== undefined; version = version.before)
      if ((await this.snapshotOf(version)) !== undefined) return version
    return undefined
  }

  async #isBelowAny(version: Version, others: readonly Version[]): Promise<boolean> {
    // As a rule a head names it.
    for (const other of others)
      if ((await this.parentsOf(other)).some((parent) => isAtOrAfter(parent, version))) return true
    for (const other of others) if (await this.#isBelow(version, other)) return true
    return false
  }

  /** Whether `from` comes after `version`. Of a chain only entries are opened that have seen it. */
  async #isBelow(version: Version, from: Version): Promise<boolean> {
    const searched = new Map<string, number>()
    const open = [from]
    for (let top = open.pop(); top !== undefined; top = open.pop()) {
      if (isAtOrAfter(top, version)) return true
      const { author, seq } = top.entry.fields
      const key = toHex(author)
      const upTo = searched.get(key) ?? 0
      if (seq <= upTo) continue
      searched.set(key, seq)
      const chain = this.#chains.get(key) ?? []
      // The first that saw it is the likeliest to have been made from it.
      for (const each of chain) {
        const at = each.entry.fields.seq
        if (at <= upTo || at > seq || !hasSeen(each, version)) continue
        const parents = await this.parentsOf(each)
        if (parents.some((parent) => isAtOrAfter(parent, version))) return true
        open.push(...parents)
      }
    }
    return false
  }
}

/** Earlier ones first, by the time that their writers give; the same for every reader. */
export function inOrder(a: Version, b: Version): number {
  return a.clientMs - b.clientMs || compareBytes(a.entry.id, b.entry.id)
}

/** Of one chain, and not before it. */
function isAtOrAfter(
  { entry: { fields } }: Version,
  { entry: { fields: other } }: Version,
): boolean {
  return fields.seq >= other.seq && compareBytes(fields.author, other.author) === 0
}

/** Whether the author of `version` knew of `other`, as its public header says. */
function hasSeen({ entry }: Version, { entry: { fields: other } }: Version): boolean {
  const ack = entry.fields.acks.find((each) => isAuthorOf(other, each))
  return ack !== undefined && ack.seq >= other.seq
}

/** Entries that its author knew of, by the header: more than any version that it comes after. */
function weightOf({ entry: { fields } }: Version): number {
  return fields.acks.reduce((sum, { seq }) => sum + seq, fields.seq)
}
