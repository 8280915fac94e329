/**
 * An Encoder over worker threads. Memory is bounded by the bytes of shares in flight, whatever the
 * size of the file: output buffers come from a budget, travel to the worker and back by transfer,
 * and are reused.
 */
import { concat } from '../../base/bytes.ts'
import { Budget } from '../../base/limit.ts'
import { maxExtentBytes } from '../../encoding/chunker.ts'
import { contentEncodedBytes, maxExtentEncodedBytes } from '../../encoding/codec.ts'
import type { Coding } from '../../encoding/descriptor.ts'
import type {
  ContentOptions,
  CutExtent,
  DecodeOutcome,
  DecodeRequest,
  EncodedExtent,
  EncodedShares,
  Encoder,
  EncodeSettings,
  ExtentInput,
  Packed,
  RecodedShares,
  RecodeOptions,
} from '../../encoding/encoder.ts'
import { encodedLength } from '../../encoding/object.ts'
import type { PackInput } from '../../encoding/pack.ts'
import { BufferPool, type Lease } from './buffer-pool.ts'
import type { FinalReply, WorkerRequest } from './encoder-messages.ts'
import { EncoderThread } from './encoder-thread.ts'
import { parsePacked } from './packed-rows.ts'

export interface WorkerEncoderOptions {
  /** Threads, ≥ 1. */
  threads: number
  /** Bytes of encoded shares in memory at once. */
  budgetBytes?: number
  /** Which Reed–Solomon kernel; the fastest that the engine runs, if absent. */
  engine?: 'simd' | 'package'
}

type Reply<Kind extends FinalReply['kind']> = Extract<FinalReply, { kind: Kind }>

interface Options {
  signal?: AbortSignal
}

const defaultBudgetBytes = 32 * 2 ** 20
/** What usually comes of a pack fits in it. */
const packedBytes = 2 * 2 ** 20
/** Extents that are cut, and packs that are not released, beside one for each thread: to keep the threads busy. */
const ahead = 2

export class WorkerEncoder implements Encoder {
  readonly #threads = new Set<EncoderThread>()
  readonly #idle: EncoderThread[] = []
  readonly #places: Budget
  readonly #shareMemory: BufferPool
  readonly #plainMemory: BufferPool
  readonly #packMemory: BufferPool
  /** What the extents that are out lie in. */
  readonly #leases = new WeakMap<CutExtent, Lease>()
  readonly #engine: 'simd' | 'package' | undefined

  constructor(options: WorkerEncoderOptions) {
    this.#places = new Budget(options.threads)
    this.#shareMemory = new BufferPool(options.budgetBytes ?? defaultBudgetBytes)
    const jobs = options.threads + ahead
    this.#plainMemory = new BufferPool(jobs * maxExtentBytes)
    this.#packMemory = new BufferPool(jobs * packedBytes)
    this.#engine = options.engine
  }

  async cut(
    input: ExtentInput,
    settings: EncodeSettings,
    options: Options = {},
  ): Promise<CutExtent | undefined> {
    const isFile = 'fd' in input
    const given = isFile ? undefined : owned(input.bytes)
    const lease = given
      ? await this.#plainMemory.count(given.buffer, options)
      : await this.#plainMemory.take(maxExtentBytes, options)
    try {
      const room = given ?? new Uint8Array(lease.bytes)
      const file = isFile ? input : undefined
      const request = { kind: 'cut', file, room, settings } as const
      const { room: back, length, tag } = await this.#run('cut', request, [lease.bytes], options)
      if (length > 0) return this.#lent({ plaintext: new Uint8Array(back, 0, length), tag }, lease)
      lease.giveBack(back)
      return undefined
    } catch (error) {
      lease.giveBack(undefined)
      throw error
    }
  }

  async encode(
    extent: CutExtent,
    settings: EncodeSettings,
    options: Options = {},
  ): Promise<EncodedExtent> {
    const { plaintext } = extent
    try {
      const out = await this.#shareMemory.take(maxExtentEncodedBytes(settings.coding), options)
      const request = { kind: 'extent', plaintext, settings, out: out.bytes } as const
      const transfers = [out.bytes, plaintext.buffer as ArrayBuffer]
      const reply = await this.#encoded(request, transfers, out, options)
      this.#leases.get(extent)?.giveBack(reply.plaintext)
      return { ...this.#shares(reply, settings.coding, out), ...reply.stream! }
    } finally {
      this.#leases.get(extent)?.giveBack(undefined)
    }
  }

  async content(
    sealed: Uint8Array,
    settings: EncodeSettings,
    options: ContentOptions = {},
  ): Promise<EncodedShares> {
    const length = contentEncodedBytes(sealed.length, settings.coding)
    const out = await this.#shareMemory.take(length, options)
    const request = { kind: 'content', sealed, settings, out: out.bytes } as const
    const transfers = [out.bytes, sealed.buffer as ArrayBuffer]
    const reply = await this.#encoded(request, transfers, out, options)
    if (reply.plaintext) options.giveBack?.(reply.plaintext)
    return this.#shares(reply, settings.coding, out)
  }

  async pack(
    inputs: readonly PackInput[],
    settings: EncodeSettings,
    options: Options = {},
  ): Promise<Packed> {
    const given = inputs.map((input) => ('bytes' in input ? input.bytes : new Uint8Array(0)))
    const bytes = owned(concat(...given))
    const fds = Int32Array.from(inputs, (input) => ('fd' in input ? input.fd : -1))
    const lengths = Uint32Array.from(given, ({ length }) => length)
    const out = await this.#packMemory.take(packedBytes, options)
    try {
      const request = { kind: 'pack', fds, lengths, bytes, settings, out: out.bytes } as const
      const { rows } = await this.#run('packed', request, [bytes.buffer, out.bytes], options)
      return { files: parsePacked(rows), release: () => out.giveBack(rows.buffer) }
    } catch (error) {
      out.giveBack(undefined)
      throw error
    }
  }

  async recode(
    object: Coding & { root: Uint8Array },
    ciphertext: Uint8Array,
    { nonces = [], ...options }: RecodeOptions = {},
  ): Promise<RecodedShares> {
    const out = await this.#shareMemory.take(encodedLength(ciphertext.length, object), options)
    const sent = owned(ciphertext)
    const request = { kind: 'recode', object, ciphertext: sent, nonces, out: out.bytes } as const
    const reply = await this.#encoded(request, [out.bytes, sent.buffer], out, options)
    const shares = this.#shares(reply, { k: object.k, n: object.n }, out)
    return { ...shares, proofs: reply.proofs }
  }

  async decode(request: DecodeRequest, options: Options = {}): Promise<DecodeOutcome> {
    const transfers = request.shares.map(({ blocks }) => blocks.buffer as ArrayBuffer)
    const job = { kind: 'decode', request } as const
    return (await this.#run('decoded', job, [...new Set(transfers)], options)).outcome
  }

  async close(): Promise<void> {
    const threads = [...this.#threads]
    this.#threads.clear()
    await Promise.all(threads.map((thread) => thread.stop()))
  }

  #lent(extent: Pick<CutExtent, 'plaintext' | 'tag'>, lease: Lease): CutExtent {
    const buffer = extent.plaintext.buffer as ArrayBuffer
    const lent = { ...extent, release: () => lease.giveBack(buffer) }
    this.#leases.set(lent, lease)
    return lent
  }

  #shares(
    { out, root, shareBytes, ciphertextBytes }: Reply<'encoded'>,
    coding: Coding,
    lease: Lease,
  ): EncodedShares {
    const shares = Array.from(
      { length: coding.n },
      (_, i) => new Uint8Array(out, i * shareBytes, shareBytes),
    )
    const release = (reusable: boolean): void => {
      lease.giveBack(reusable ? out : undefined)
    }
    return { root, coding, ciphertextBytes, shares, release }
  }

  /** As `#run`, of a job that writes shares to what is leased. */
  async #encoded(
    request: WorkerRequest,
    transfers: ArrayBuffer[],
    out: Lease,
    options: Options,
  ): Promise<Reply<'encoded'>> {
    try {
      return await this.#run('encoded', request, transfers, options)
    } catch (error) {
      out.giveBack(undefined)
      throw error
    }
  }

  /** Runs a job on the next thread that is free. */
  async #run<Kind extends FinalReply['kind']>(
    kind: Kind,
    request: WorkerRequest,
    transfers: ArrayBuffer[],
    options: Options,
  ): Promise<Reply<Kind>> {
    const giveUpPlace = await this.#places.take(1, options)
    const thread = this.#idle.pop() ?? this.#start()
    try {
      const reply = await thread.run(request, transfers)
      if (reply.kind !== kind) throw new TypeError(`worker: unexpected ${reply.kind}`)
      return reply as Reply<Kind>
    } finally {
      if (thread.alive) this.#idle.push(thread)
      else this.#threads.delete(thread)
      giveUpPlace()
    }
  }

  #start(): EncoderThread {
    const thread = new EncoderThread(this.#engine)
    this.#threads.add(thread)
    return thread
  }
}

/** `bytes` as all of a buffer, which can be handed over; a copy unless they are that already. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes
  const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return isWhole ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes)
}
