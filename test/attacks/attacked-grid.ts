/** A grid in memory, on virtual time, whose servers misbehave as a test says. */
import assert from 'node:assert/strict'
import { concat } from '../../src/base/bytes.ts'
import { channelPair } from '../../src/base/channel.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import { Budget } from '../../src/base/limit.ts'
import type { ChkCap } from '../../src/caps/cap.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { storageIndexOf } from '../../src/encoding/descriptor.ts'
import { InlineEncoder } from '../../src/encoding/inline-encoder.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import type { Candidate, PeerVerdict } from '../../src/node/peers/candidate.ts'
import { connectStorage } from '../../src/node/peers/connect-storage.ts'
import { DialledPeer } from '../../src/node/peers/dialled-peer.ts'
import { Grid, type PutOptions } from '../../src/node/grid.ts'
import type { PutReport } from '../../src/node/put-report.ts'
import { type Fault, FaultyPeer } from '../../src/storage/faulty-peer.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import type { ShareStore } from '../../src/storage/share-store.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { type Hostility, hostileChannel } from './hostile-server.ts'

const encoder = new InlineEncoder(openErasureCode())
/** Far more than any operation may take. */
const patienceMs = 600_000

export interface AttackedGridOptions {
  servers?: number
  /** Servers are asked over the wire protocol and not in this process. */
  wire?: boolean
  /** What each server keeps its shares in, open; memory unless told. */
  store?: (i: number, clock: SimClock) => ShareStore
}

export class AttackedGrid {
  readonly clock: SimClock = new SimClock(new SimRandom('attacked'))
  readonly random: SimRandom = new SimRandom('attacked grid')
  /** Every server, in order of its number. */
  readonly servers: FaultyPeer[] = []
  /** What the client knows; may be cut down and replaced. */
  candidates: Candidate[]
  grid: Grid

  private constructor(options: AttackedGridOptions) {
    const { servers = 10, wire = false, store = () => new MemoryStore() } = options
    for (let i = 0; i < servers; i++) {
      const { clock, random } = this
      const peer = new LocalPeer({ id: `s${i}`, store: store(i, clock), clock, reserveBytes: 0 })
      this.servers.push(new FaultyPeer({ peer, clock, random }))
    }
    this.candidates = this.servers.map((server) => {
      const peer = wire ? this.#dialled(server) : server
      return { id: server.id, peer, domain: undefined, accepts: true }
    })
    this.grid = this.newClient()
  }

  static of(options: AttackedGridOptions = {}): AttackedGrid {
    return new AttackedGrid(options)
  }

  /** A client that has met no server yet; `salt` makes its convergence secret. */
  newClient(salt = 1): Grid {
    const peers = {
      ready: async () => {},
      candidates: () => this.candidates,
      note: () => undefined,
      nickname: (id: string) => id,
      close: async () => {},
    }
    const { clock, random } = this
    const secret = new Uint8Array(32).fill(salt)
    const redundancy = { k: 3, happy: 7, n: 10 }
    return new Grid({ clock, random, peers, encoder, smallEncoder: encoder, secret, redundancy })
  }

  /** Makes each of these servers misbehave in its own copy of a fault; the others are honest. */
  corrupt(numbers: Iterable<number>, fault: (i: number) => Fault): void {
    for (const server of this.servers) server.fault = undefined
    for (const i of numbers) this.servers[i].fault = fault(i)
  }

  /** Puts a server of the wire in the place of each of these that says what it likes. */
  replace(numbers: Iterable<number>, hostility: () => Hostility): void {
    for (const i of numbers) {
      const { id } = this.servers[i]
      const connect = async () => {
        const channel = hostileChannel(id, hostility())
        return connectStorage(id, channel, { clock: this.clock })
      }
      const peer = new DialledPeer({ id, clock: this.clock, connect })
      this.candidates[i] = { ...this.candidates[i], peer }
    }
  }

  /** Lets time pass until `work` has ended; fails when it does not. */
  async run<T>(work: Promise<T>): Promise<T> {
    let ended = false
    const end = (): void => {
      ended = true
    }
    work.then(end, end)
    await this.clock.run({
      done: () => ended,
      untilMs: this.clock.monotonicMs() + patienceMs,
    })
    assert.ok(ended, 'it never ends')
    return work
  }

  put(bytes: Uint8Array, options?: PutOptions): Promise<PutReport> {
    return this.run(this.grid.put({ stream: [bytes], sizeBytes: bytes.length }, options))
  }

  get(cap: string, range?: { start: number; end?: number }): Promise<Uint8Array> {
    return this.run(collected(this.grid, cap, range))
  }

  #dialled(server: FaultyPeer): DialledPeer {
    const { clock } = this
    const connect = async () => {
      const [near, far] = channelPair({ ids: ['client', server.id] })
      void serveStorage(server, far, { clock, budget: new Budget(2 ** 27) })
      return connectStorage(server.id, near, { clock })
    }
    return new DialledPeer({ id: server.id, clock, connect })
  }
}

/** The content of `cap`, or a range of it. */
export async function collected(
  grid: Grid,
  cap: string,
  range?: { start: number; end?: number },
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of grid.get(cap, { range })) pieces.push(piece)
  return concat(...pieces)
}

/** `length` bytes that differ from place to place, and from `salt` to `salt`. */
export function content(length: number, salt = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) + salt) & 0xff)
}

export function rootOfCap(cap: string): Uint8Array {
  return (parseCap(cap) as ChkCap).root
}

export function indexOfCap(cap: string): Uint8Array {
  return storageIndexOf(rootOfCap(cap))
}

/** The numbers `from` … `to`-1. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

/** Rejects unless `get` fails for want of shares; resolves to what each server did wrong. */
export async function notEnoughShares(get: Promise<unknown>): Promise<PeerVerdict[]> {
  return verdictsOf(get, 'E_NOT_ENOUGH_SHARES')
}

/** Rejects unless `put` fails for want of servers; resolves to what each server did wrong. */
export async function notEnoughServers(put: Promise<unknown>): Promise<PeerVerdict[]> {
  return verdictsOf(put, 'E_NOT_ENOUGH_SERVERS')
}

/** Rejects unless `put` fails for want of room; resolves as `notEnoughServers` does. */
export async function noRoom(put: Promise<unknown>): Promise<PeerVerdict[]> {
  return verdictsOf(put, 'E_FULL')
}

async function verdictsOf(
  work: Promise<unknown>,
  code: 'E_NOT_ENOUGH_SHARES' | 'E_NOT_ENOUGH_SERVERS' | 'E_FULL',
): Promise<PeerVerdict[]> {
  const error: unknown = await work.then(
    () => new GridError('E_INTERNAL', 'it succeeded'),
    (reason: unknown) => reason,
  )
  assert.ok(isGridError(error, code), String(error))
  return error.facts.servers as PeerVerdict[]
}
