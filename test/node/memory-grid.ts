/** A grid of servers in memory that tests can take away, replace and look into. */
import { concat } from '../../src/base/bytes.ts'
import { type Clock, SystemClock } from '../../src/base/clock.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { noTrace } from '../../src/base/trace.ts'
import { InlineEncoder } from '../../src/encoding/inline-encoder.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { syncFileReader } from '../../src/node/encoder/file-source.ts'
import type { Candidate } from '../../src/node/peers/candidate.ts'
import { Grid, type GridParts, type PutOptions } from '../../src/node/grid.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { altered } from '../sim/altered.ts'

export const clock: Clock = new SystemClock()
const random = new SystemRandom()
const encoder = new InlineEncoder(openErasureCode(), syncFileReader)

export class MemoryGrid {
  readonly candidates: Candidate[] = []
  /** What each server keeps its shares in. */
  readonly stores: MemoryStore[] = []
  readonly grid: Grid

  private constructor(secret: Uint8Array, parts: Partial<GridParts>) {
    const peers = {
      ready: async () => {},
      candidates: () => this.candidates,
      note: () => undefined,
      nickname: (id: string) => id,
      close: async () => {},
    }
    const usual = { clock, random, peers, encoder, smallEncoder: encoder, secret }
    this.grid = new Grid({ ...usual, ...parts })
  }

  static async of(
    servers: number,
    secret: Uint8Array = new Uint8Array(32).fill(1),
    parts: Partial<GridParts> = {},
  ): Promise<MemoryGrid> {
    const grid = new MemoryGrid(secret, parts)
    for (let i = 0; i < servers; i++) await grid.add()
    return grid
  }

  /** One more server. */
  async add(): Promise<void> {
    await this.lose(this.candidates.length)
  }

  /** Makes server `i` one that has nothing; at the end, one more. */
  async lose(i: number): Promise<void> {
    const seed = new Uint8Array(32).fill(i + 1)
    const id = peerIdOf(publicKeyOfSeed(seed))
    const store = new MemoryStore({ capacityBytes: 2 ** 28 })
    await store.open()
    const logs = { store: new MemoryLogStore(), seed }
    const peer = new LocalPeer({ id, store, logs, clock, trace: noTrace, reserveBytes: 0 })
    this.stores[i] = store
    this.candidates[i] = { id, peer, domain: undefined, accepts: true }
  }

  /** Changes every share that server `i` keeps, behind its back. */
  async spoil(i: number, change: (share: Uint8Array) => void): Promise<void> {
    const store = this.stores[i]
    for await (const { storageIndex, shareNumber, shareBytes } of store.entries()) {
      const share = await (await store.read(storageIndex, shareNumber))!.read(0, shareBytes)
      change(share)
      const writer = await store.create(storageIndex, shareNumber, shareBytes)
      await writer.write([share])
      await writer.commit()
    }
  }

  /** Another client of the same servers. */
  another(parts: Partial<GridParts> = {}, secret: Uint8Array = new Uint8Array(32).fill(1)): Grid {
    const other = new MemoryGrid(secret, parts)
    other.candidates.push(...this.candidates)
    return other.grid
  }

  /** Puts something in front of server `i`. */
  wrap(i: number, wrapper: (peer: StoragePeer) => Partial<StoragePeer>): void {
    const candidate = this.candidates[i]
    const { peer } = candidate
    this.candidates[i] = { ...candidate, peer: altered(peer, wrapper(peer)) }
  }

  put(bytes: Uint8Array, options?: PutOptions): ReturnType<Grid['put']> {
    return this.grid.put({ stream: [bytes], sizeBytes: bytes.length }, options)
  }

  async get(cap: string, range?: { start: number; end?: number }): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    for await (const piece of this.grid.get(cap, { range })) pieces.push(piece)
    return concat(...pieces)
  }
}

export function content(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((i + seed) * 31 + (i >> 8) + seed) & 0xff)
}

/** Makes a share one of a version that is not known, of another make. */
export function makeNewer(share: Uint8Array): void {
  share.set(new TextEncoder().encode('GRS2'))
  share[40] ^= 1
}
