/**
 * The public library interface: bytes in, a cap out; a cap in, bytes out.
 *
 * A Grid is assembled from parts that are all interfaces, so the same class runs over real
 * networks, over folders on this machine, and inside the simulation. `openGrid` (open-grid.ts)
 * makes one from a home.
 */
import type { Clock } from '../base/clock.ts'
import { heardByMany } from '../base/deadline.ts'
import { errorText, GridError, isGridError } from '../base/errors.ts'
import { plainText } from '../base/plain-text.ts'
import type { Random } from '../base/random.ts'
import { attenuate } from '../caps/attenuate.ts'
import type { Cap, ChkCap, ChkSliceCap, LitCap } from '../caps/cap.ts'
import { formatCap } from '../caps/text.ts'
import { parseCap } from '../caps/parse.ts'
import type { EncodedShares, Encoder } from '../encoding/encoder.ts'
import type { FileState } from '../encoding/file-reader.ts'
import { streamOfCap } from '../tree/directory-cap.ts'
import { verdictOf } from './peers/candidate.ts'
import { checkedRange, type ContentRange } from './content/content-range.ts'
import { capOfContent } from './content/file-content.ts'
import { downloadFile, downloadStream, type SegmentReader } from './content/file-download.ts'
import { type FileInput, uploadFile } from './content/file-upload.ts'
import { downloadSegments } from './objects/object-download.ts'
import type { LeaseRecord } from './home/lease-record.ts'
import { type LogRecords, memoryRecords } from './logs/log-records.ts'
import { Logs } from './logs/logs.ts'
import { PeerHealth } from './peers/peer-health.ts'
import type { IntroducerReport, PeerPool, PeerReport } from './peers/peer-pool.ts'
import type { Redundancy } from './placement/placement.ts'
import { Placer, type PlaceOptions, smallInputBytes } from './content/placer.ts'
import { StoreSums, type StoreTotals } from './objects/store-totals.ts'
import { lackNotes, type PutReport, summaryOf } from './put-report.ts'
import { TreeStore } from './content/tree-store.ts'
import { Upkeep } from './upkeep.ts'

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
  /** What tells whether an open file was written to; the machine's own files if absent. */
  stateOf?: (fd: number) => FileState
  /** What is remembered of logs from one run to the next; as long as the process if absent. */
  records?: LogRecords
  /** Told of what was put and will end; of nothing where leases do not end. */
  leases?: Pick<LeaseRecord, 'note' | 'close'>
  /** Peer id that servers know this client by; needed where they keep accounts. */
  clientId?: string
}

export interface PutOptions extends PlaceOptions {
  signal?: AbortSignal
  /** Called with the bytes of the input that are safely stored so far. */
  onProgress?: (storedBytes: number) => void
}

export interface GetOptions {
  signal?: AbortSignal
  /** Bytes [start, end) of the content; `end` beyond it is cut to its size. */
  range?: ContentRange
}

/** Runs up to this length are decoded on the calling thread. */
const smallSegmentCount = 4

export class Grid {
  readonly #parts: GridParts
  readonly #health: PeerHealth
  readonly #placer: Placer
  /** Directories, and the files in them. */
  readonly trees: TreeStore
  /** Append-only logs of snapshots. */
  readonly logs: Logs
  /** Check, repair and renewal, with verify caps. */
  readonly upkeep: Upkeep

  constructor(parts: GridParts) {
    this.#parts = parts
    this.#health = new PeerHealth(parts.clock)
    this.#placer = new Placer({ ...parts, health: this.#health })
    this.trees = new TreeStore(this.#placer, async (range, options) => {
      await parts.peers.ready(options)
      const { encoder, smallEncoder } = parts
      const isSmall = range.segmentCount <= smallSegmentCount
      return this.#segments(isSmall ? smallEncoder : encoder)(range, options)
    })
    this.logs = new Logs({
      ...parts,
      records: parts.records ?? memoryRecords(),
      clientId: parts.clientId ?? '',
    })
    const { clock, random, peers, encoder, smallEncoder, secret } = parts
    const upkeep = { clock, random, peers, encoder, smallEncoder, secret, health: this.#health }
    this.upkeep = new Upkeep({ ...upkeep, reader: this.trees, logs: this.logs })
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
    const { signal } = options
    const small = (input.sizeBytes ?? Infinity) <= smallInputBytes && 'stream' in input
    const redundancy = await this.#redundancy(options, small && (input.sizeBytes ?? 0) <= 64)
    const sums = new StoreSums(redundancy.n)
    const context = {
      encoder: this.#placer.encoderFor(small ? 0 : Infinity),
      settings: this.#placer.settings(options, redundancy),
      place: async (
        object: EncodedShares,
        plaintextBytes: number,
        { signal }: { signal: AbortSignal },
      ) => sums.add(await this.#placer.place(object, redundancy, { signal }), plaintextBytes),
      onStored: options.onProgress,
    }
    const file = await uploadFile(context, input, { signal })
    await file.stored
    const cap = capOfContent(file.content)
    return {
      cap: formatCap(cap),
      sizeBytes: file.sizeBytes,
      ...summaryOf(sums.totals, redundancy, [
        ...(await this.#noteLease(cap, sums.totals)),
        ...lackNotes(sums.totals),
        ...this.#notes(options, redundancy),
      ]),
    }
  }

  /**
   * Reads content, or a range of it, in order; every piece has been verified before it is yielded.
   *
   * @throws E_CAP_* for a cap that is none or cannot read, E_NOT_ENOUGH_SHARES, E_ENCODING, E_COMMIT
   */
  async *get(cap: string, options: GetOptions = {}): AsyncGenerator<Uint8Array> {
    const parsed = readable(parseCap(cap))
    const { start, end } = checkedRange(options.range, sizeOf(parsed))
    if (parsed.type === 'LIT') {
      yield parsed.data.slice(start, end)
      return
    }
    const { peers, encoder, smallEncoder } = this.#parts
    await peers.ready(options)
    const segments = this.#segments(sizeOf(parsed) <= smallInputBytes ? smallEncoder : encoder)
    if (parsed.type === 'CHK') yield* downloadFile(segments, parsed, start, end, options)
    else yield* downloadStream(segments, streamOfCap(parsed), start, end, options)
  }

  /** Bytes of the content behind a cap; no server is asked. Throws E_CAP_*. */
  size(cap: string): number {
    return sizeOf(readable(parseCap(cap)))
  }

  /** Asks every known server how it is. A server that does not answer is in the list all the same. */
  async status(options: { signal?: AbortSignal } = {}): Promise<PeerReport[]> {
    const { peers } = this.#parts
    await peers.ready(options)
    const heard = heardByMany(options)
    return Promise.all(
      peers.candidates().map(async ({ id, domain, accepts, peer }): Promise<PeerReport> => {
        const known = { id, domain, accepts, nickname: peers.nickname(id) }
        try {
          return { ...known, status: await peer.status(heard), error: undefined }
        } catch (error) {
          return { ...known, status: undefined, error: verdictOf(id, error).message }
        }
      }),
    )
  }

  /** How the introducers are; none where nobody introduces servers. */
  async introducers(options: { signal?: AbortSignal } = {}): Promise<IntroducerReport[]> {
    return (await this.#parts.peers.introducers?.(options)) ?? []
  }

  /** How new objects are coded now; undefined where no server is known that takes shares. */
  async redundancy(options: { signal?: AbortSignal } = {}): Promise<Redundancy | undefined> {
    try {
      return await this.#placer.redundancy(options)
    } catch (error) {
      if (isGridError(error, 'E_NOT_ENOUGH_SERVERS')) return undefined
      throw error
    }
  }

  /** What to know of where objects were put so far, and to do about it: one line each. */
  get placementNotes(): string[] {
    const { crowding } = this.#placer
    if (crowding === undefined) return []
    const { label, shareCount } = crowding
    return [
      `${shareCount} shares of one object are on servers of ${plainText(label)}, and may be lost together: add servers elsewhere, or give each its own node.domain`,
    ]
  }

  /** What people call a server; its id if it has no name. */
  nickname(id: string): string {
    return this.#parts.peers.nickname(id)
  }

  /** Ends connections and threads. What was acknowledged stays stored. */
  async close(): Promise<void> {
    const { peers, encoder, smallEncoder, leases } = this.#parts
    await this.logs.close()
    // what is not remembered fails nothing: the put that it is of has long been answered
    await leases?.close().catch(() => undefined)
    await Promise.all([peers.close(), encoder.close(), smallEncoder.close()])
  }

  async #redundancy(options: PutOptions, literal: boolean): Promise<Redundancy> {
    if (literal) return options.redundancy ?? this.#parts.redundancy ?? { k: 1, happy: 1, n: 1 }
    return this.#placer.redundancy(options)
  }

  /** A home that cannot be written is no reason to fail what is stored. */
  async #noteLease(cap: ChkCap | LitCap, { objects }: StoreTotals): Promise<string[]> {
    if (cap.type === 'LIT') return []
    try {
      await this.#parts.leases?.note(formatCap(attenuate(cap, 'CHK-Verifier')), objects)
      return []
    } catch (error) {
      return [
        `when it ends could not be written down, so status will not know: ${errorText(error)}`,
      ]
    }
  }

  #segments(encoder: Encoder): SegmentReader {
    const { clock, peers } = this.#parts
    const context = { clock, health: this.#health, encoder }
    return (range, options) => downloadSegments(context, peers.candidates(), range, options)
  }

  #notes(options: PutOptions, { k, happy, n }: Redundancy): string[] {
    const notes: string[] = []
    const lowered =
      options.redundancy === undefined && this.#parts.redundancy === undefined && n < 10
    if (lowered) {
      notes.push(
        `${this.#placer.acceptingCount()} servers accept shares, so each object is coded ${k}-of-${n} (happy ${happy}): it survives the loss of any ${n - k} of them`,
      )
    }
    const note = this.#parts.peers.note()
    return [...notes, ...(note === undefined ? [] : [note]), ...this.placementNotes]
  }
}

type ReadableCap = LitCap | ChkCap | ChkSliceCap

function readable(cap: Cap): ReadableCap {
  if (cap.type === 'LIT' || cap.type === 'CHK' || cap.type === 'CHK-Slice') return cap
  throw cannotRead(cap.type)
}

function sizeOf(cap: ReadableCap): number {
  return cap.type === 'LIT' ? cap.data.length : cap.sizeBytes
}

function cannotRead(type: string): GridError {
  return new GridError('E_CAP_WEAK', `a ${type} cap does not read a file`, {
    hint: 'give a URI:CHK, URI:CHK-Slice or URI:LIT cap',
  })
}
