/** A log as a holder of its read or verify seed sees it: what servers show, and what snapshots say. */
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { asGridError, GridError, isGridError } from '../../base/errors.ts'
import { peerIdOf } from '../../base/peer-id.ts'
import type { ReadHeader } from '../../log/entry.ts'
import { type FetchedEntry, fetchChain } from '../../log/fetch-chain.ts'
import { heal } from '../../log/heal.ts'
import type { LogPeer } from '../../log/log-peer.ts'
import type { LogReader, ReadOptions } from '../../log/log-reader.ts'
import type { LogView } from '../../log/log-view.ts'
import { fetchReceiptTimes } from '../../log/receipt-times.ts'
import { openBody, type SealRole } from '../../log/sealed-body.ts'
import {
  readSnapshot,
  readSnapshotCheck,
  type Snapshot,
  type SnapshotCheck,
} from '../../log/snapshot-body.ts'

export interface ReadableLogOptions {
  reader: LogReader
  role: SealRole
  /** The read or the verify seed. */
  seed: Uint8Array
  peers: () => readonly LogPeer[]
  ready: (options: { signal?: AbortSignal }) => Promise<void>
  clock: Clock
}

/** A snapshot as far as the cap opens it. All texts in it may hold anything. */
export interface LogSnapshot {
  /** 32 bytes. */
  id: Uint8Array
  author: Uint8Array
  /** Name of the device, by its certificate. */
  device: string
  seq: number
  /** When it was written, by the device's clock. */
  clientMs: number
  /** What a LOG-Read cap opens. */
  snapshot: Snapshot | undefined
  /** What a LOG-Verify cap opens. */
  check: SnapshotCheck | undefined
  /** Why there is neither. */
  error: GridError | undefined
}

export interface SnapshotsOptions {
  /** The newest ones only; all unless told. */
  last?: number
  signal?: AbortSignal
}

/** Entries whose bodies are fetched together. */
const pageEntries = 64

export class ReadableLog {
  readonly #options: ReadableLogOptions
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: ReadableLogOptions) {
    this.#options = options
  }

  /** Whether it opens what snapshots say, or only what they stand on. */
  get role(): SealRole {
    return this.#options.role
  }

  /**
   * The log as its servers show it now; what was read before is not fetched again.
   *
   * @throws E_UNREACHABLE if no server that answers has the log
   */
  read(options: ReadOptions = {}): Promise<LogView> {
    const work = async (): Promise<LogView> => {
      await this.#options.ready(options)
      return this.#options.reader.read(options)
    }
    const reading = this.#turn.then(work, work)
    this.#turn = reading.catch(() => undefined)
    return reading
  }

  /**
   * Hands the log's servers what they lack of `view`; resolves to how many lacked something and have it
   * now. One that lost the log counts towards a quorum again.
   */
  async heal(view: LogView, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    const own = new Set(view.rules.configs.flatMap(({ servers }) => servers.map(peerIdOf)))
    const behind = new Set(
      view.servers.flatMap(({ server, verdict }) =>
        verdict === 'absent' || verdict === 'lagging' ? server : [],
      ),
    )
    const peers = this.#options.peers().filter(({ id }) => own.has(id))
    const targets = peers.filter(({ id }) => behind.has(id))
    if (targets.length === 0) return 0
    const { clock } = this.#options
    const healed = await heal(view, { targets, peers, clock, ...(signal && { signal }) })
    return healed.filter(({ error }) => error === undefined).length
  }

  /** Yields the trusted snapshots in the order of their times, each opened as it comes. */
  async *snapshots(view: LogView, options: SnapshotsOptions = {}): AsyncGenerator<LogSnapshot> {
    const { last, signal } = options
    const sorted = [...view.entries('snapshot')].sort(
      (a, b) => a.fields.clientMs - b.fields.clientMs || a.fields.seq - b.fields.seq,
    )
    const wanted = last === undefined ? sorted : sorted.slice(Math.max(0, sorted.length - last))
    yield* this.openAll(view, wanted, { signal })
  }

  /** Yields the snapshots that `entries` are, in their order, each opened as it comes. */
  async *openAll(
    view: LogView,
    entries: readonly ReadHeader[],
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<LogSnapshot> {
    for (let at = 0; at < entries.length; at += pageEntries) {
      signal?.throwIfAborted()
      const page = entries.slice(at, at + pageEntries)
      const bodies = await this.#bodies(view, page, { signal })
      for (const entry of page) yield this.#open(view, entry, bodies.get(toHex(entry.id)))
    }
  }

  /** When a quorum of servers has received each of `entries`, by the hex of its id; as `fetchReceiptTimes`. */
  receiptTimes(
    view: LogView,
    entries: readonly ReadHeader[],
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<Map<string, number>> {
    const { logId, rules } = view
    const { clock } = this.#options
    const sources = { logId, configs: rules.configs, peers: this.#answering(view), clock }
    return fetchReceiptTimes(entries, { ...sources, ...(signal && { signal }) })
  }

  /** The body of an entry of any kind. Throws E_ABSENT. */
  async body(
    view: LogView,
    entry: ReadHeader,
    options: { signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    const body = (await this.#bodies(view, [entry], options)).get(toHex(entry.id))
    if (body !== undefined) return body
    throw new GridError('E_ABSENT', 'no server gives what this entry says')
  }

  /** What one snapshot says, to a reader. Throws E_ABSENT, E_SEAL, E_ENTRY; E_CAP_WEAK to a verifier. */
  async open(
    view: LogView,
    entry: ReadHeader,
    options: { signal?: AbortSignal } = {},
  ): Promise<Snapshot> {
    const bodies = await this.#bodies(view, [entry], options)
    const { snapshot, error } = this.#open(view, entry, bodies.get(toHex(entry.id)))
    if (snapshot !== undefined) return snapshot
    throw error ?? new GridError('E_CAP_WEAK', 'a LOG-Verify cap opens no snapshot')
  }

  #open(view: LogView, entry: ReadHeader, body: Uint8Array | undefined): LogSnapshot {
    const { fields, id } = entry
    const { author, seq, clientMs } = fields
    const device = view.rules.certificateOf(author)?.label ?? ''
    const shown = { id, author, device, seq, clientMs }
    const nothing = { snapshot: undefined, check: undefined }
    if (body === undefined) {
      const error = new GridError('E_ABSENT', 'no server gives what this entry says')
      return { ...shown, ...nothing, error }
    }
    const { role, seed } = this.#options
    try {
      const plaintext = openBody(fields, role, seed, body)
      const opened =
        role === 'reader'
          ? { snapshot: readSnapshot(plaintext), check: undefined }
          : { snapshot: undefined, check: readSnapshotCheck(plaintext) }
      return { ...shown, ...opened, error: undefined }
    } catch (error) {
      return { ...shown, ...nothing, error: asGridError(error, 'E_ENTRY', 'an entry') }
    }
  }

  /** Bodies by the hex of the entry's id, from one server after the other until none is missing. */
  async #bodies(
    view: LogView,
    page: readonly ReadHeader[],
    options: { signal?: AbortSignal },
  ): Promise<Map<string, Uint8Array>> {
    const missing = new Map(page.map((entry) => [toHex(entry.id), entry]))
    const bodies = new Map<string, Uint8Array>()
    const take = ({ id, body }: FetchedEntry): void => {
      if (body !== undefined && missing.delete(toHex(id))) bodies.set(toHex(id), body)
    }
    for (const peer of this.#sources(view)) {
      if (missing.size === 0) break
      await this.#fetch(peer, view.logId, [...missing.values()], take, options)
    }
    return bodies
  }

  async #fetch(
    peer: LogPeer,
    logId: Uint8Array,
    entries: readonly ReadHeader[],
    take: (entry: FetchedEntry) => void,
    { signal }: { signal?: AbortSignal },
  ): Promise<void> {
    const { clock } = this.#options
    const ranges = new Map<string, { author: Uint8Array; firstSeq: number; lastSeq: number }>()
    for (const { fields } of entries) {
      const { author, seq } = fields
      const key = toHex(author)
      const { firstSeq, lastSeq } = ranges.get(key) ?? { firstSeq: seq, lastSeq: seq }
      const range = { firstSeq: Math.min(firstSeq, seq), lastSeq: Math.max(lastSeq, seq) }
      ranges.set(key, { author, ...range })
    }
    try {
      for (const range of ranges.values()) {
        const wanted = { ...range, logId, bodies: 'all', receipts: false } as const
        for await (const entry of fetchChain(peer, wanted, { clock, signal })) take(entry)
      }
    } catch (error) {
      if (signal?.aborted || !isGridError(error)) throw error
    }
  }

  #answering({ servers }: LogView): LogPeer[] {
    const said = new Set(servers.flatMap(({ server, reason }) => (reason ? [] : server)))
    return this.#options.peers().filter(({ id }) => said.has(id))
  }

  /** Those first that have all that was read. */
  #sources({ servers }: LogView): LogPeer[] {
    const ranks = new Map(servers.map(({ server, verdict }) => [server, verdict]))
    const rank = ({ id }: LogPeer): number => order.indexOf(ranks.get(id) ?? 'absent')
    return this.#options
      .peers()
      .filter(({ id }) => ranks.has(id) && ranks.get(id) !== 'absent')
      .sort((a, b) => rank(a) - rank(b))
  }
}

const order = ['current', 'lagging', 'forked', 'wrong', 'silent', 'absent']
