/**
 * A libp2p stream as a Channel, with the back-pressure that libp2p 3 leaves to its user: `onDrain`
 * resolves at once from its second use on, and iterating a stream reads ahead without bound.
 */
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import type { Channel } from '../../base/channel.ts'
import { GridError, asGridError } from '../../base/errors.ts'
import { PieceQueue } from '../../base/piece-queue.ts'

/** Received bytes not yet taken by the reader: the stream is paused above, and goes on below half. */
const readAheadBytes = 512 * 1024

export interface StreamChannelOptions {
  remoteId: string
  remoteAddress: string
}

export class StreamChannel implements Channel {
  readonly remoteId: string
  readonly remoteAddress: string
  readonly source: AsyncIterable<Uint8Array>
  readonly #stream: Stream
  readonly #pieces = new PieceQueue()
  #ended = false
  #failure: GridError | undefined
  #wakeReader: () => void = () => {}
  #wakeWriter: () => void = () => {}

  constructor(stream: Stream, options: StreamChannelOptions) {
    this.remoteId = options.remoteId
    this.remoteAddress = options.remoteAddress
    this.#stream = stream
    this.source = { [Symbol.asyncIterator]: () => this.#read() }
    stream.addEventListener('message', ({ data }) => this.#take(data))
    stream.addEventListener('end', () => this.#end())
    stream.addEventListener('drain', () => this.#wakeWriter())
    stream.addEventListener('idle', () => this.#wakeWriter())
    stream.addEventListener('close', ({ error }) => this.#end(error))
    // what happened before is not told again
    if (stream.status === 'reset' || stream.status === 'aborted') this.#end(new Error('reset'))
    else if (stream.readableEnded) this.#end()
  }

  async send(pieces: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    try {
      if (this.#stream.send(new Uint8ArrayList(...pieces))) return
    } catch (error) {
      throw asGridError(error, 'E_CLOSED', 'the channel is closed')
    }
    await this.#drained()
  }

  async close(): Promise<void> {
    try {
      await this.#stream.close()
    } catch (error) {
      this.abort(asGridError(error, 'E_CLOSED', 'the channel did not close'))
    }
  }

  abort(reason: Error): void {
    this.#pieces.clear()
    this.#fail(new GridError('E_CLOSED', `the channel was aborted: ${reason.message}`))
    this.#stream.abort(reason)
  }

  /** libp2p says `drain` before it has sent what waited, and more may wait after. */
  async #drained(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (!this.#stream.writableNeedsDrain && this.#stream.writeBufferLength === 0) return
      await new Promise<void>((resolve) => (this.#wakeWriter = resolve))
    }
  }

  #take(data: StreamMessageEvent['data']): void {
    if (data instanceof Uint8Array) this.#pieces.push(data)
    else for (const piece of data) this.#pieces.push(piece)
    if (this.#pieces.bytes > readAheadBytes && this.#stream.readStatus === 'readable') {
      this.#stream.pause()
    }
    this.#wakeReader()
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        if (this.#pieces.bytes < readAheadBytes / 2 && this.#stream.readStatus === 'paused') {
          this.#stream.resume()
        }
        yield piece
      } else if (this.#failure !== undefined) {
        throw this.#failure
      } else if (this.#ended) {
        return
      } else {
        await new Promise<void>((resolve) => (this.#wakeReader = resolve))
      }
    }
  }

  #end(error?: Error): void {
    this.#ended = true
    if (error !== undefined) this.#fail(asGridError(error, 'E_CLOSED', 'the channel broke'))
    this.#wakeReader()
    this.#wakeWriter()
  }

  #fail(reason: GridError): void {
    this.#failure ??= reason
    this.#wakeReader()
    this.#wakeWriter()
  }
}
