/** Logs kept in memory, up to a capacity: the twin of the disk in tests, and a grid in one process. */
import { fromHex, toHex } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { LogIndex } from './log-index.ts'
import type {
  EntryBytes,
  EntryRecord,
  LogId,
  LogStore,
  StoredEntry,
  StoredLog,
} from './log-store.ts'
import type { Space } from './share-store.ts'

export interface MemoryLogStoreOptions {
  /** Bytes it has room for; 1 TiB unless told, so in effect endless. */
  capacityBytes?: number
}

export class MemoryLogStore implements LogStore {
  readonly #logs = new Map<string, MemoryLog>()
  readonly #capacityBytes: number

  constructor(options: MemoryLogStoreOptions = {}) {
    this.#capacityBytes = options.capacityBytes ?? 2 ** 40
  }

  async open(): Promise<void> {}

  async count(): Promise<number> {
    return this.#logs.size
  }

  async *names(): AsyncGenerator<LogId> {
    for (const name of this.#logs.keys()) yield fromHex(name)
  }

  async log(logId: LogId): Promise<StoredLog | undefined> {
    return this.#logs.get(toHex(logId))
  }

  async create(logId: LogId, genesis: Uint8Array): Promise<StoredLog> {
    const known = this.#logs.get(toHex(logId))
    if (known !== undefined) return known
    this.#checkRoom(genesis.length)
    const log = new MemoryLog(genesis.slice(), (byteCount) => this.#checkRoom(byteCount))
    this.#logs.set(toHex(logId), log)
    return log
  }

  async space(): Promise<Space> {
    return { freeBytes: this.#freeBytes(), totalBytes: this.#capacityBytes }
  }

  #checkRoom(byteCount: number): void {
    if (byteCount <= this.#freeBytes()) return
    throw new GridError('E_FULL', 'the store has no room left')
  }

  #freeBytes(): number {
    let free = this.#capacityBytes
    for (const { genesis, bytes } of this.#logs.values()) free -= genesis.length + bytes
    return free
  }
}

type MemoryEntry = StoredEntry & EntryBytes

class MemoryLog implements StoredLog {
  readonly genesis: Uint8Array
  readonly #checkRoom: (byteCount: number) => void
  readonly #index = new LogIndex<MemoryEntry>()

  constructor(genesis: Uint8Array, checkRoom: (byteCount: number) => void) {
    this.genesis = genesis
    this.#checkRoom = checkRoom
  }

  get bytes(): number {
    return this.#index.bytes
  }

  async refresh(): Promise<boolean> {
    return false
  }

  authors(): Uint8Array[] {
    return this.#index.authors()
  }

  chain(author: Uint8Array): readonly StoredEntry[] {
    return this.#index.chain(author)
  }

  forks(author: Uint8Array): readonly StoredEntry[] {
    return this.#index.forks(author)
  }

  async read(entry: StoredEntry, withBody: boolean): Promise<EntryBytes> {
    const { head, body } = entry as MemoryEntry
    return { head: head.slice(), body: withBody ? body?.slice() : undefined }
  }

  async append(records: readonly EntryRecord[]): Promise<void> {
    this.#checkRoom(records.reduce((sum, { head, body }) => sum + lengthOf(head, body), 0))
    this.#index.add(
      records.map((record) => ({
        ...record,
        head: record.head.slice(),
        body: record.body?.slice(),
        headBytes: record.head.length,
        bodyBytes: record.body?.length,
      })),
    )
  }
}

function lengthOf(head: Uint8Array, body: Uint8Array | undefined): number {
  return head.length + (body?.length ?? 0)
}
