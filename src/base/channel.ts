/**
 * A two-way stream of bytes between two parties, whatever carries it: a libp2p stream, a Unix
 * socket, or a pair of queues in memory. Frames are laid over it by `frame.ts`.
 */
import { GridError } from './errors.ts'

export interface Channel {
  /** The other side's peer id where the carrier has authenticated it. */
  readonly remoteId: string | undefined
  /** The other side's address, for logs and rate limits. */
  readonly remoteAddress: string | undefined
  /**
   * Sends `pieces` in order. Resolves when the channel will take more; the pieces are borrowed
   * until the other side has received them, so do not change them before its answer. Rejects
   * with E_CLOSED once the channel has ended.
   */
  send(pieces: readonly Uint8Array[]): Promise<void>
  /** What the other side sent, cut anywhere; ends on its close, throws E_CLOSED on a break. One reader. */
  readonly source: AsyncIterable<Uint8Array>
  /** Says that no more will be sent, and lets what was sent arrive. */
  close(): Promise<void>
  /** Ends both directions at once. */
  abort(reason: Error): void
}

/** Two ends of one channel in memory; each end buffers at most `windowBytes` before `send` waits. */
export function channelPair(
  options: { ids?: readonly [string, string]; windowBytes?: number } = {},
): [Channel, Channel] {
  const windowBytes = options.windowBytes ?? 256 * 1024
  const forth = new Pipe(windowBytes)
  const back = new Pipe(windowBytes)
  return [new PipeEnd(back, forth, options.ids?.[1]), new PipeEnd(forth, back, options.ids?.[0])]
}

/** A bounded queue of pieces with one writer and one reader. */
class Pipe implements AsyncIterable<Uint8Array> {
  readonly #pieces: Uint8Array[] = []
  readonly #windowBytes: number
  #queuedBytes = 0
  #ended = false
  #failure: GridError | undefined
  #wakeReader: (() => void) | undefined
  #wakeWriters: (() => void)[] = []

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    this.#check()
    if (this.#ended) throw new GridError('E_CLOSED', 'the channel is closed')
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.#queuedBytes += piece.length
    }
    this.#wakeReader?.()
    while (this.#queuedBytes > this.#windowBytes && !this.#failure) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve))
    }
    this.#check()
  }

  end(): void {
    this.#ended = true
    this.#wakeReader?.()
  }

  fail(reason: GridError): void {
    this.#failure ??= reason
    this.#pieces.length = 0
    this.#wakeReader?.()
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#check()
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#queuedBytes -= piece.length
        this.#wake()
        yield piece
      } else if (this.#ended) {
        return
      } else {
        await new Promise<void>((resolve) => (this.#wakeReader = resolve))
      }
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #wake(): void {
    const writers = this.#wakeWriters
    this.#wakeWriters = []
    for (const wake of writers) wake()
  }
}

class PipeEnd implements Channel {
  readonly remoteId: string | undefined
  readonly remoteAddress = 'memory'
  readonly source: AsyncIterable<Uint8Array>
  readonly #in: Pipe
  readonly #out: Pipe

  constructor(input: Pipe, output: Pipe, remoteId: string | undefined) {
    this.source = input
    this.#in = input
    this.#out = output
    this.remoteId = remoteId
  }

  send(pieces: readonly Uint8Array[]): Promise<void> {
    return this.#out.write(pieces)
  }

  async close(): Promise<void> {
    this.#out.end()
  }

  abort(reason: Error): void {
    const closed = new GridError('E_CLOSED', `the channel was aborted: ${reason.message}`)
    this.#in.fail(closed)
    this.#out.fail(closed)
  }
}
