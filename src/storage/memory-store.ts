/** A share store in memory, of a given capacity: a grid in one process, and the twin of the disk in tests. */
import { fromBase32, toBase32 } from '../base/base32.ts'
import { concat } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import type { StorageIndex } from './peer.ts'
import { compareShares, shareName } from './share-name.ts'
import type {
  ShareEntry,
  ShareKey,
  ShareReader,
  ShareStore,
  ShareTotals,
  ShareWriter,
  Space,
} from './share-store.ts'

export interface MemoryStoreOptions {
  /** Bytes it has room for, those of unfinished shares included; 1 TiB unless told, so in effect endless. */
  capacityBytes?: number
}

export class MemoryStore implements ShareStore {
  /** By storage index in base32, then by share number. */
  readonly #objects = new Map<string, Map<number, Uint8Array>>()
  /** Those set aside, and every one that ever was. */
  readonly #damaged = new Map<string, ShareKey>()
  readonly #quarantine: Uint8Array[] = []
  readonly #room: Room

  constructor(options: MemoryStoreOptions = {}) {
    this.#room = new Room(options.capacityBytes ?? 2 ** 40)
  }

  async open(): Promise<void> {}

  async totals(): Promise<ShareTotals> {
    const totals = { shareCount: 0, shareBytes: 0, diskBytes: 0 }
    for (const shares of this.#objects.values()) {
      totals.shareCount += shares.size
      for (const share of shares.values()) totals.shareBytes += share.length
    }
    return { ...totals, diskBytes: totals.shareBytes }
  }

  async list(storageIndex: StorageIndex): Promise<number[]> {
    const shares = this.#objects.get(toBase32(storageIndex))
    return [...(shares?.keys() ?? [])].sort((a, b) => a - b)
  }

  async create(
    storageIndex: StorageIndex,
    shareNumber: number,
    shareBytes: number,
  ): Promise<ShareWriter> {
    return new MemoryWriter(shareBytes, this.#room, (share) => {
      const key = toBase32(storageIndex)
      const shares = this.#objects.get(key) ?? new Map<number, Uint8Array>()
      this.#room.give(shares.get(shareNumber)?.length ?? 0)
      this.#objects.set(key, shares.set(shareNumber, share))
      this.#damaged.delete(shareName(storageIndex, shareNumber))
    })
  }

  async read(storageIndex: StorageIndex, shareNumber: number): Promise<ShareReader | undefined> {
    const share = this.#objects.get(toBase32(storageIndex))?.get(shareNumber)
    return share && new MemoryReader(share)
  }

  async *entries(after?: ShareKey): AsyncGenerator<ShareEntry> {
    const entries = [...this.#objects].flatMap(([key, shares]) =>
      [...shares].map(([shareNumber, { length: shareBytes }]) => {
        return { storageIndex: fromBase32(key)!, shareNumber, shareBytes }
      }),
    )
    yield* entries
      .sort(compareShares)
      .filter((entry) => after === undefined || compareShares(entry, after) > 0)
  }

  async remove(storageIndex: StorageIndex, shareNumber: number): Promise<void> {
    const shares = this.#objects.get(toBase32(storageIndex))
    this.#room.give(shares?.get(shareNumber)?.length ?? 0)
    shares?.delete(shareNumber)
  }

  async setAside(
    storageIndex: StorageIndex,
    shareNumber: number,
    reader: ShareReader,
  ): Promise<boolean> {
    const shares = this.#objects.get(toBase32(storageIndex))
    const share = shares?.get(shareNumber)
    if (share === undefined || !(reader instanceof MemoryReader) || !reader.reads(share))
      return false
    shares?.delete(shareNumber)
    this.#quarantine.push(share)
    this.#damaged.set(shareName(storageIndex, shareNumber), { storageIndex, shareNumber })
    return true
  }

  async damaged(): Promise<ShareKey[]> {
    return [...this.#damaged.values()].sort(compareShares)
  }

  async space(): Promise<Space> {
    return { freeBytes: this.#room.freeBytes, totalBytes: this.#room.totalBytes }
  }
}

/** The bytes that are left of the capacity. */
class Room {
  readonly totalBytes: number
  freeBytes: number

  constructor(totalBytes: number) {
    this.totalBytes = totalBytes
    this.freeBytes = totalBytes
  }

  take(byteCount: number): void {
    if (byteCount > this.freeBytes) throw new GridError('E_FULL', 'the store has no room left')
    this.freeBytes -= byteCount
  }

  give(byteCount: number): void {
    this.freeBytes += byteCount
  }
}

class MemoryWriter implements ShareWriter {
  readonly #shareBytes: number
  readonly #room: Room
  readonly #publish: (share: Uint8Array) => void
  #parts: Uint8Array[] = []
  #written = 0
  #done = false

  constructor(shareBytes: number, room: Room, publish: (share: Uint8Array) => void) {
    this.#shareBytes = shareBytes
    this.#room = room
    this.#publish = publish
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    const part = concat(...pieces)
    if (this.#written + part.length > this.#shareBytes) {
      throw new RangeError(`share: more than ${this.#shareBytes} bytes`)
    }
    this.#room.take(part.length)
    this.#parts.push(part)
    this.#written += part.length
  }

  async commit(): Promise<void> {
    if (this.#written !== this.#shareBytes) {
      throw new RangeError(`share: ${this.#written} of ${this.#shareBytes} bytes`)
    }
    this.#done = true
    this.#publish(concat(...this.#parts))
    this.#parts = []
  }

  async abort(): Promise<void> {
    if (this.#done) return
    this.#done = true
    this.#parts = []
    this.#room.give(this.#written)
  }
}

class MemoryReader implements ShareReader {
  readonly #share: Uint8Array

  constructor(share: Uint8Array) {
    this.#share = share
  }

  get shareBytes(): number {
    return this.#share.length
  }

  /** Whether this is the share that it reads. */
  reads(share: Uint8Array): boolean {
    return share === this.#share
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    if (position + length > this.#share.length) {
      throw new GridError('E_IO', 'the share is shorter than expected')
    }
    return this.#share.slice(position, position + length)
  }

  async close(): Promise<void> {}
}
