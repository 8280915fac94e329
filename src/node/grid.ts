/**
 * The public library interface: bytes in, a cap out; a cap in, bytes out.
 *
 * A Grid is assembled from parts that are all interfaces, so the same class runs over real
 * networks, over folders on this machine, and inside the simulation. `openGrid` (open-grid.ts)
 * makes one from a home.
 */
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import { formatCap } from '../caps/text.ts'
import { parseCap } from '../caps/parse.ts'
import type { ChunkProfile, EncodedShares, Encoder } from '../encoding/encoder.ts'
import { verdictOf } from './candidate.ts'
import { downloadFile } from './file-download.ts'
import { type FileInput, uploadFile } from './file-upload.ts'
import { downloadSegments } from './object-download.ts'
import { type ObjectReport, uploadObject } from './object-upload.ts'
import { PeerHealth } from './peer-health.ts'
import type { PeerPool, PeerReport } from './peer-pool.ts'
import { defaultRedundancy, type Redundancy } from './placement.ts'

export interface GridParts {
  clock: Clock
  random: Random
  peers: PeerPool
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
}

export interface PutOptions {
  signal?: AbortSignal
  /** All three, or none of them to take the grid's default. */
  redundancy?: Redundancy
  /** `account`: equal content gives equal objects. `random`: it converges with nothing. */
  convergence?: 'account' | 'random'
  profile?: ChunkProfile
  /** Called with the bytes of the input that are safely stored so far. */
  onProgress?: (storedBytes: number) => void
}

export interface PutReport {
  /** The capability: whoever holds this line can read the content. Secret. */
  cap: string
  sizeBytes: number
  redundancy: Redundancy | undefined
  objects: number
  /** The least number of distinct servers that any object of it is on; 0 when the cap holds all. */
  servers: number
  /** Shares on disk, and shares that were wanted. */
  sharesStored: number
  sharesWanted: number
  /** Bytes of shares sent, and bytes that servers proved to have already. */
  sentBytes: number
  hadBytes: number
  /** What the user should know, one line each. */
  notes: string[]
}

export interface GetOptions {
  signal?: AbortSignal
  /** Bytes [start, end) of the content; `end` beyond it is cut to its size. */
  range?: { start: number; end?: number }
}

/** Inputs up to this length are encoded on the calling thread. */
export const smallInputBytes: number = 256 * 1024

export class Grid {
  readonly #parts: GridParts
  readonly #health: PeerHealth

  constructor(parts: GridParts) {
    this.#parts = parts
    this.#health = new PeerHealth(parts.clock)
  }

  /**
   * Stores content and resolves to its cap once every object of it is on the disks of at least
   * `happy` distinct servers.
   *
   * @param input - an open file, or bytes as they come; `sizeBytes` of a stream is a hint
   * @throws E_NOT_ENOUGH_SERVERS, E_FILE
   */
  async put(
    input: FileInput & { sizeBytes?: number },
    options: PutOptions = {},
  ): Promise<PutReport> {
    const { clock, random, peers, secret } = this.#parts
    const { signal, convergence = this.#parts.convergence } = options
    const small = (input.sizeBytes ?? Infinity) <= smallInputBytes && 'stream' in input
    const redundancy = await this.#redundancy(options, small && (input.sizeBytes ?? 0) <= 64)
    const context = {
      encoder: small ? this.#parts.smallEncoder : this.#parts.encoder,
      settings: {
        secret: convergence === 'random' ? random.bytes(32) : secret,
        coding: { k: redundancy.k, n: redundancy.n },
        profile: options.profile ?? 'cdc',
      },
      place: (object: EncodedShares, { signal }: { signal: AbortSignal }) => {
        const upload = { clock, random, health: this.#health }
        return uploadObject(upload, peers.candidates(), object, redundancy, { signal })
      },
      onStored: options.onProgress,
    }
    const file = await uploadFile(context, input, { signal })
    return {
      cap: formatCap(file.cap),
      sizeBytes: file.sizeBytes,
      ...summary(file.reports, redundancy, this.#notes(options, redundancy)),
    }
  }

  /**
   * Reads content, or a range of it, in order; every piece has been verified before it is yielded.
   *
   * @throws E_CAP_* for a cap that is none or cannot read, E_NOT_ENOUGH_SHARES, E_ENCODING, E_COMMIT
   */
  async *get(cap: string, options: GetOptions = {}): AsyncGenerator<Uint8Array> {
    const parsed = parseCap(cap)
    const { start, end } = checkedRange(options.range, sizeOf(parsed))
    if (parsed.type === 'LIT') {
      yield parsed.data.slice(start, end)
      return
    }
    if (parsed.type !== 'CHK') throw cannotRead(parsed.type)
    const { clock, peers, encoder, smallEncoder } = this.#parts
    await peers.ready(options)
    const context = {
      clock,
      health: this.#health,
      encoder: parsed.sizeBytes <= smallInputBytes ? smallEncoder : encoder,
    }
    const pieces = downloadFile(
      (range, { signal }) => downloadSegments(context, peers.candidates(), range, { signal }),
      parsed,
      start,
      end,
      options,
    )
    yield* pieces
  }

  /** Bytes of the content behind a cap; no server is asked. Throws E_CAP_*. */
  size(cap: string): number {
    return sizeOf(parseCap(cap))
  }

  /** Asks every known server how it is. A server that does not answer is in the list all the same. */
  async status(options: { signal?: AbortSignal } = {}): Promise<PeerReport[]> {
    const { peers } = this.#parts
    await peers.ready(options)
    return Promise.all(
      peers.candidates().map(async ({ id, domain, accepts, peer }): Promise<PeerReport> => {
        const known = { id, domain, accepts, nickname: peers.nickname(id) }
        try {
          return { ...known, status: await peer.status(options), error: undefined }
        } catch (error) {
          return { ...known, status: undefined, error: verdictOf(id, error).message }
        }
      }),
    )
  }

  /** Ends connections and threads. What was acknowledged stays stored. */
  async close(): Promise<void> {
    const { peers, encoder, smallEncoder } = this.#parts
    await Promise.all([peers.close(), encoder.close(), smallEncoder.close()])
  }

  async #redundancy(options: PutOptions, literal: boolean): Promise<Redundancy> {
    const chosen = options.redundancy ?? this.#parts.redundancy
    if (literal) return chosen ?? { k: 1, happy: 1, n: 1 }
    await this.#parts.peers.ready({ signal: options.signal })
    if (chosen !== undefined) return checkRedundancy(chosen)
    const servers = this.#acceptingCount()
    const redundancy = defaultRedundancy(servers)
    if (redundancy !== undefined) return redundancy
    throw new GridError('E_NOT_ENOUGH_SERVERS', 'no storage server is known that accepts shares', {
      hint: 'see `grid status`; check the introducers and peers in config.toml',
      facts: { stored: 0, happy: 1, known: 0 },
    })
  }

  #acceptingCount(): number {
    return this.#parts.peers.candidates().filter(({ accepts }) => accepts).length
  }

  #notes(options: PutOptions, { k, happy, n }: Redundancy): string[] {
    const notes: string[] = []
    const lowered =
      options.redundancy === undefined && this.#parts.redundancy === undefined && n < 10
    if (lowered) {
      notes.push(
        `${this.#acceptingCount()} servers accept shares, so each object is coded ${k}-of-${n} (happy ${happy}): it survives the loss of any ${n - k} of them`,
      )
    }
    const note = this.#parts.peers.note()
    return note === undefined ? notes : [...notes, note]
  }
}

/** Throws a RangeError unless 1 ≤ k ≤ happy ≤ n ≤ 255: a put must never count as stored what k shares could not rebuild. */
export function checkRedundancy(redundancy: Redundancy): Redundancy {
  const { k, happy, n } = redundancy
  const whole = [k, happy, n].every((value) => Number.isInteger(value))
  if (!whole || k < 1 || happy < k || n < happy || n > 255) {
    throw new RangeError(`redundancy: not 1 ≤ k (${k}) ≤ happy (${happy}) ≤ n (${n}) ≤ 255`)
  }
  return redundancy
}

function summary(
  reports: readonly ObjectReport[],
  redundancy: Redundancy,
  notes: string[],
): Omit<PutReport, 'cap' | 'sizeBytes'> {
  const stored = reports.map(({ holders }) => holders.size)
  const literal = reports.length === 0
  const total = (pick: (report: ObjectReport) => number): number =>
    reports.reduce((sum, report) => sum + pick(report), 0)
  return {
    redundancy: literal ? undefined : redundancy,
    objects: reports.length,
    servers: literal ? 0 : Math.min(...stored),
    sharesStored: stored.reduce((sum, count) => sum + count, 0),
    sharesWanted: reports.length * redundancy.n,
    sentBytes: total(({ sentBytes }) => sentBytes),
    hadBytes: total(({ hadBytes }) => hadBytes),
    notes: literal ? [] : notes,
  }
}

function sizeOf(cap: ReturnType<typeof parseCap>): number {
  if (cap.type === 'LIT') return cap.data.length
  if (cap.type === 'CHK') return cap.sizeBytes
  throw cannotRead(cap.type)
}

function cannotRead(type: string): GridError {
  return new GridError('E_CAP_WEAK', `a ${type} cap does not read a file`, {
    hint: 'give a URI:CHK or URI:LIT cap',
  })
}

function checkedRange(
  range: GetOptions['range'],
  sizeBytes: number,
): { start: number; end: number } {
  const start = range?.start ?? 0
  const end = Math.min(range?.end ?? sizeBytes, sizeBytes)
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end) {
    throw new GridError(
      'E_USAGE',
      `bytes ${start} to ${end} are not a range of a file of ${sizeBytes} bytes`,
    )
  }
  return { start, end }
}
