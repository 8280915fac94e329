/**
 * The newest announcement of each node, bounded whatever strangers send: the state of an introducer
 * and of its clients (docs/specs/introducer.md, "Directory"). It reads no clock; callers say when
 * it is.
 */
import type { Announcement } from './announcement.ts'

export interface DirectoryLimits {
  gridName: string
  /** Nodes in all. */
  maxNodes: number
  /** Nodes that one source may be the first to name, so that a flood fills its own share only. */
  maxNodesOfSource: number | ((source: string) => number)
  /** How long a node is kept after its announcement has expired. */
  keepExpiredMs: number
}

export interface DirectoryEntry {
  readonly announcement: Announcement
  /** Who gave it, the first to name the node first; never empty. */
  readonly sources: readonly string[]
  /** When it expires by our clock, at most `maxLifetimeMs` from when it came. */
  readonly untilMs: number
  /** Number of the change that brought it; those of a directory only grow. */
  readonly change: number
}

/** What came of an announcement; only the first two are changes. */
export type Verdict = 'new' | 'newer' | 'known' | 'older' | 'expired' | 'other-grid' | 'full'

/** Sources remembered of one node. */
const maxSources = 16
/** No announcement counts for longer, whatever it says. */
export const maxLifetimeMs: number = 7 * 24 * 3600 * 1000

export class Directory {
  readonly #limits: DirectoryLimits
  /** In the order of their last change. */
  readonly #entries = new Map<string, DirectoryEntry>()
  #changes = 0

  constructor(limits: DirectoryLimits) {
    this.#limits = limits
  }

  /** Number of the last change; 0 before the first. */
  get cursor(): number {
    return this.#changes
  }

  get size(): number {
    return this.#entries.size
  }

  get(nodeId: string): DirectoryEntry | undefined {
    return this.#entries.get(nodeId)
  }

  /** Entries that changed after change number `cursor`, in the order of their changes. */
  *since(cursor: number): Generator<DirectoryEntry> {
    for (const entry of this.#entries.values()) if (entry.change > cursor) yield entry
  }

  /** Takes in what `source` gave at `nowMs`. */
  accept(announcement: Announcement, source: string, nowMs: number): Verdict {
    if (announcement.expiresAtMs <= nowMs) return 'expired'
    return this.restore(announcement, { sources: [source], untilMs: Infinity }, nowMs)
  }

  /** As `accept`, for what was kept from before: it may have expired in the meantime. */
  restore(
    announcement: Announcement,
    kept: Pick<DirectoryEntry, 'sources' | 'untilMs'>,
    nowMs: number,
  ): Verdict {
    const { nodeId, seq, expiresAtMs, gridName } = announcement
    if (gridName !== this.#limits.gridName) return 'other-grid'
    const untilMs = Math.min(kept.untilMs, expiresAtMs, nowMs + maxLifetimeMs)
    if (untilMs + this.#limits.keepExpiredMs <= nowMs) return 'expired'
    const held = this.#entries.get(nodeId)
    if (held === undefined) {
      if (!this.#makeRoom(kept.sources[0], nowMs)) return 'full'
      this.#put(nodeId, { announcement, sources: kept.sources, untilMs })
      return 'new'
    }
    if (seq < held.announcement.seq) return 'older'
    const sources = [...new Set([...held.sources, ...kept.sources])].slice(0, maxSources)
    if (seq > held.announcement.seq) {
      this.#put(nodeId, { announcement, sources, untilMs })
      return 'newer'
    }
    // of two with one number the first stays: it cannot be told which is meant
    this.#entries.set(nodeId, { ...held, sources })
    return 'known'
  }

  /** Forgets nodes whose announcement expired too long ago. */
  purge(nowMs: number): void {
    for (const [nodeId, { untilMs }] of this.#entries) {
      if (untilMs + this.#limits.keepExpiredMs <= nowMs) this.#entries.delete(nodeId)
    }
  }

  #put(nodeId: string, entry: Omit<DirectoryEntry, 'change'>): void {
    this.#entries.delete(nodeId)
    this.#entries.set(nodeId, { ...entry, change: ++this.#changes })
  }

  /**
   * Room for one more node of `source`, made by forgetting an expired one if need be. A node whose
   * announcement holds never gives way to a new one.
   */
  #makeRoom(source: string, nowMs: number): boolean {
    const ofSource = [...this.#entries].filter(([, { sources }]) => sources[0] === source)
    const { maxNodes, maxNodesOfSource: most } = this.#limits
    const share = typeof most === 'number' ? most : most(source)
    if (ofSource.length >= share) return this.#forgetExpired(ofSource, nowMs)
    return this.#entries.size < maxNodes || this.#forgetExpired(this.#entries, nowMs)
  }

  #forgetExpired(among: Iterable<[string, DirectoryEntry]>, nowMs: number): boolean {
    let oldest: string | undefined
    let oldestMs = nowMs
    for (const [nodeId, { untilMs }] of among) {
      if (untilMs > oldestMs) continue
      oldest = nodeId
      oldestMs = untilMs
    }
    return oldest !== undefined && this.#entries.delete(oldest)
  }
}
