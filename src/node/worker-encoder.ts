/**
 * An Encoder over worker threads. Memory is bounded by the bytes of shares in flight, whatever the
 * size of the file: output buffers come from a budget, travel to the worker and back by transfer,
 * and are reused.
 */
import { Budget } from '../base/limit.ts'
import { contentEncodedBytes, maxExtentEncodedBytes } from '../encoding/codec.ts'
import type {
  DecodeOutcome,
  DecodeRequest,
  EncodedExtent,
  EncodedShares,
  Encoder,
  EncodeSettings,
  ExtentInput,
  ExtentJob,
} from '../encoding/encoder.ts'
import type { WorkerReply } from './encoder-messages.ts'
import { EncoderThread } from './encoder-thread.ts'

export interface WorkerEncoderOptions {
  /** Threads, ≥ 1. */
  threads: number
  /** Bytes of encoded shares in memory at once. */
  budgetBytes?: number
  /** Which Reed–Solomon kernel; the fastest that the engine runs, if absent. */
  engine?: 'simd' | 'package'
}

interface Buffer {
  bytes: ArrayBuffer
  /** Ends the use of the budget; keeps `back`, if given, for a later job. */
  giveBack: (back: ArrayBuffer | undefined) => void
}

const defaultBudgetBytes = 32 * 2 ** 20
/** Smaller buffers are cheaper to make anew than to keep. */
const reuseFromBytes = 2 ** 20

export class WorkerEncoder implements Encoder {
  readonly #threads = new Set<EncoderThread>()
  readonly #idle: EncoderThread[] = []
  readonly #places: Budget
  readonly #memory: Budget
  readonly #spare: ArrayBuffer[] = []
  readonly #engine: 'simd' | 'package' | undefined

  constructor(options: WorkerEncoderOptions) {
    this.#places = new Budget(options.threads)
    this.#memory = new Budget(options.budgetBytes ?? defaultBudgetBytes)
    this.#engine = options.engine
  }

  async extent(
    input: ExtentInput,
    settings: EncodeSettings,
    options: { signal?: AbortSignal } = {},
  ): Promise<ExtentJob> {
    const buffer = await this.#buffer(maxExtentEncodedBytes(settings.coding), options)
    const [thread, leave] = await this.#thread(options)
    let cutFound!: (length: number) => void
    const cut = new Promise<number>((resolve) => (cutFound = resolve))
    const transfers =
      'bytes' in input ? [buffer.bytes, input.bytes.buffer as ArrayBuffer] : [buffer.bytes]
    const finished = thread
      .run({ kind: 'extent', input, settings, out: buffer.bytes }, transfers, cutFound)
      .finally(leave)
    const encoded = finished.then((reply): EncodedExtent | undefined => {
      if (reply.kind === 'encoded' && reply.readKey !== undefined) {
        const { plaintextBytes, readKey } = reply
        return { ...this.#shares(reply, settings, buffer), plaintextBytes, readKey }
      }
      buffer.giveBack(reply.kind === 'ended' ? reply.out : undefined)
      return undefined
    })
    encoded.catch(() => buffer.giveBack(undefined))
    return { cut: Promise.race([cut, finished.then(() => 0)]), encoded }
  }

  async content(
    sealed: Uint8Array,
    settings: EncodeSettings,
    options: { signal?: AbortSignal } = {},
  ): Promise<EncodedShares> {
    const buffer = await this.#buffer(contentEncodedBytes(sealed.length, settings.coding), options)
    const [thread, leave] = await this.#thread(options)
    try {
      const reply = await thread.run({ kind: 'content', sealed, settings, out: buffer.bytes }, [
        buffer.bytes,
      ])
      if (reply.kind !== 'encoded') throw new TypeError(`worker: unexpected ${reply.kind}`)
      return this.#shares(reply, settings, buffer)
    } catch (error) {
      buffer.giveBack(undefined)
      throw error
    } finally {
      leave()
    }
  }

  async decode(
    request: DecodeRequest,
    options: { signal?: AbortSignal } = {},
  ): Promise<DecodeOutcome> {
    const [thread, leave] = await this.#thread(options)
    try {
      const transfers = request.shares.map(({ blocks }) => blocks.buffer as ArrayBuffer)
      const reply = await thread.run({ kind: 'decode', request }, [...new Set(transfers)])
      if (reply.kind !== 'decoded') throw new TypeError(`worker: unexpected ${reply.kind}`)
      return reply.outcome
    } finally {
      leave()
    }
  }

  async close(): Promise<void> {
    const threads = [...this.#threads]
    this.#threads.clear()
    await Promise.all(threads.map((thread) => thread.stop()))
  }

  #shares(
    reply: Extract<WorkerReply, { kind: 'encoded' }>,
    { coding }: EncodeSettings,
    buffer: Buffer,
  ): EncodedShares {
    const { out, root, shareBytes, ciphertextBytes } = reply
    const shares = Array.from(
      { length: coding.n },
      (_, i) => new Uint8Array(out, i * shareBytes, shareBytes),
    )
    const release = (reusable: boolean): void => {
      buffer.giveBack(reusable ? out : undefined)
    }
    return { root, coding, ciphertextBytes, shares, release }
  }

  /** A buffer of `length` within the budget, one used before if there is. */
  async #buffer(length: number, options: { signal?: AbortSignal }): Promise<Buffer> {
    const release = await this.#memory.take(length, options)
    const fitting = this.#spare.findLastIndex((spare) => spare.byteLength === length)
    const [reused] = fitting < 0 ? [] : this.#spare.splice(fitting, 1)
    let held = true
    return {
      bytes: reused ?? new ArrayBuffer(length),
      giveBack: (back) => {
        if (!held) return
        held = false
        if (back?.byteLength === length && length >= reuseFromBytes) this.#keep(back)
        release()
      },
    }
  }

  #keep(bytes: ArrayBuffer): void {
    this.#spare.push(bytes)
    const total = this.#spare.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (total > this.#memory.total) this.#spare.shift()
  }

  async #thread(options: { signal?: AbortSignal }): Promise<[EncoderThread, leave: () => void]> {
    const giveUpPlace = await this.#places.take(1, options)
    const thread = this.#idle.pop() ?? this.#start()
    return [
      thread,
      () => {
        if (thread.alive) this.#idle.push(thread)
        else this.#threads.delete(thread)
        giveUpPlace()
      },
    ]
  }

  #start(): EncoderThread {
    const thread = new EncoderThread(this.#engine)
    this.#threads.add(thread)
    return thread
  }
}
