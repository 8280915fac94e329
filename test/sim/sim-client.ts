/** One client of a simulated grid: the library's own Grid. */
import { concat } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Random } from '../../src/base/random.ts'
import type { Encoder } from '../../src/encoding/encoder.ts'
import { Grid } from '../../src/node/grid.ts'
import type { PeerPool } from '../../src/node/peers/peer-pool.ts'
import type { Redundancy } from '../../src/node/placement/placement.ts'

/** What a run asks of a client. */
export interface Client {
  put(bytes: Uint8Array): Promise<PutSummary>
  get(cap: string): Promise<Uint8Array>
}

export interface PutSummary {
  cap: string
  /** The least number of servers that any object is on; 0 when the cap holds all. */
  servers: number
  sentBytes: number
}

/** What a client is made of. */
export interface ClientParts {
  clock: Clock
  random: Random
  encoder: Encoder
  /** Convergence secret, the same for every client. */
  secret: Uint8Array
  redundancy: Redundancy
  pool: PeerPool
}

export class SimClient implements Client {
  readonly #grid: Grid

  constructor({ pool, encoder, ...parts }: ClientParts) {
    this.#grid = new Grid({ ...parts, peers: pool, encoder, smallEncoder: encoder })
  }

  put(bytes: Uint8Array): Promise<PutSummary> {
    return this.#grid.put({ stream: [bytes.slice()], sizeBytes: bytes.length })
  }

  async get(cap: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    for await (const piece of this.#grid.get(cap)) pieces.push(piece)
    return concat(...pieces)
  }
}
