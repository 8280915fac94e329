/** How new objects come to servers: by which coding, under which secret, and over whom. */
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { Pacer } from '../../base/pacer.ts'
import type { Random } from '../../base/random.ts'
import type {
  ChunkProfile,
  EncodedShares,
  Encoder,
  EncodeSettings,
} from '../../encoding/encoder.ts'
import type { FileState } from '../../encoding/file-reader.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import { type AuditReport, auditObjects } from '../check/audit.ts'
import { syncFileReader } from '../encoder/file-source.ts'
import type { LogAccount } from '../logs/log-account.ts'
import type { ObjectReport } from '../objects/object-report.ts'
import { uploadObject } from '../objects/object-upload.ts'
import type { PeerHealth } from '../peers/peer-health.ts'
import type { PeerPool } from '../peers/peer-pool.ts'
import { type Crowding, defaultRedundancy, type Redundancy } from '../placement/placement.ts'

export interface PlacerParts {
  clock: Clock
  random: Random
  peers: PeerPool
  health: PeerHealth
  /** For large inputs: worker threads. */
  encoder: Encoder
  /** For small ones: this thread, which saves starting a worker. The same one will do. */
  smallEncoder: Encoder
  /** Convergence secret of the account, 32 bytes. */
  secret: Uint8Array
  /** What every put uses unless told otherwise; by the number of servers if absent. */
  redundancy?: Redundancy
  /** What every put uses unless told otherwise; `account` if absent. */
  convergence?: 'account' | 'random'
  /** What tells whether an open file was written to; the machine's own files if absent. */
  stateOf?: (fd: number) => FileState
}

/** How objects are to be made, where the grid's default will not do. */
export interface PlaceOptions {
  /** All three, or none of them to take the grid's default. */
  redundancy?: Redundancy
  /** `account`: equal content gives equal objects. `random`: it converges with nothing. */
  convergence?: 'account' | 'random'
  /** Another convergence secret than the account's, such as that of a log; 32 bytes. */
  secret?: Uint8Array
  profile?: ChunkProfile
}

export class Placer {
  readonly #parts: PlacerParts
  readonly stateOf: (fd: number) => FileState
  #crowding: Crowding | undefined

  constructor(parts: PlacerParts) {
    this.#parts = parts
    this.stateOf = parts.stateOf ?? syncFileReader.state.bind(syncFileReader)
  }

  /**
   * The coding of new objects, once the servers are known.
   *
   * @throws E_NOT_ENOUGH_SERVERS where there is none; RangeError for one that is not sound
   */
  async redundancy(options: PlaceOptions & { signal?: AbortSignal }): Promise<Redundancy> {
    const { peers } = this.#parts
    await peers.ready({ signal: options.signal })
    const chosen = options.redundancy ?? this.#parts.redundancy
    if (chosen !== undefined) return checkRedundancy(chosen)
    const redundancy = defaultRedundancy(this.acceptingCount())
    if (redundancy !== undefined) return redundancy
    throw new GridError('E_NOT_ENOUGH_SERVERS', 'no storage server is known that accepts shares', {
      hint: 'see `grid status`; check the introducers and peers in config.toml',
      facts: { stored: 0, happy: 1, known: 0 },
    })
  }

  settings(options: PlaceOptions, { k, n }: Redundancy): EncodeSettings {
    const { random, secret, convergence } = this.#parts
    const isRandom = (options.convergence ?? convergence) === 'random'
    return {
      secret: options.secret ?? (isRandom ? random.bytes(32) : secret),
      coding: { k, n },
      profile: options.profile ?? 'cdc',
    }
  }

  /** The failure domain that got the most shares too many of any one object so far. */
  get crowding(): Crowding | undefined {
    return this.#crowding
  }

  /** Places an object, for an account if one is given, and gives its memory back. Throws E_NOT_ENOUGH_SERVERS. */
  async place(
    object: EncodedShares,
    redundancy: Redundancy,
    { account, ...options }: { signal?: AbortSignal; pacer?: Pacer; account?: LogAccount },
  ): Promise<ObjectReport> {
    const { clock, random, health, peers } = this.#parts
    const candidates = account?.candidates() ?? peers.candidates()
    const context = { clock, random, health }
    const report = await uploadObject(context, candidates, object, redundancy, options)
    const { crowding } = report
    if ((crowding?.shareCount ?? 0) > (this.#crowding?.shareCount ?? 0)) this.#crowding = crowding
    return report
  }

  /** Looks whether objects are where they should be (audit.ts). */
  async audit(
    objects: readonly ObjectRef[],
    options: { signal?: AbortSignal },
  ): Promise<AuditReport> {
    const { clock, random, health, peers } = this.#parts
    await peers.ready(options)
    return auditObjects({ clock, random, health }, peers.candidates(), objects, options)
  }

  /** Holds uploads to a rate that they share. Throws a RangeError unless it is positive. */
  pacer(bytesPerSecond: number): Pacer {
    return new Pacer({ clock: this.#parts.clock, bytesPerSecond })
  }

  /** The encoder for an input of so many bytes. */
  encoderFor(inputBytes: number): Encoder {
    const { encoder, smallEncoder } = this.#parts
    return inputBytes <= smallInputBytes ? smallEncoder : encoder
  }

  acceptingCount(): number {
    return this.#parts.peers.candidates().filter(({ accepts }) => accepts).length
  }
}

/** Inputs up to this length are encoded on the calling thread. */
export const smallInputBytes: number = 256 * 1024

/** Throws a RangeError unless 1 ≤ k ≤ happy ≤ n ≤ 255: a put must never count as stored what k shares could not rebuild. */
export function checkRedundancy(redundancy: Redundancy): Redundancy {
  const { k, happy, n } = redundancy
  const whole = [k, happy, n].every((value) => Number.isInteger(value))
  if (!whole || k < 1 || happy < k || n < happy || n > 255) {
    throw new RangeError(`redundancy: not 1 ≤ k (${k}) ≤ happy (${happy}) ≤ n (${n}) ≤ 255`)
  }
  return redundancy
}
