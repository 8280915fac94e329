/**
 * One end of a channel of messages: says hello, agrees on a version, then takes messages apart for
 * its handler and sends through its outbox. Caller and answerer are built on it.
 */
import { asGridError, GridError } from '../base/errors.ts'
import type { Channel } from '../base/channel.ts'
import type { Clock } from '../base/clock.ts'
import { FrameDecoder } from './frame.ts'
import { type Agreement, type Hello, agree, formatHello, parseHello } from './hello.ts'
import { type Message, parseMessage } from './message.ts'
import { Outbox } from './outbox.ts'
import { Sweep, type Watched } from './sweep.ts'

/** The other side's hello must come within this time. */
export const helloMs = 10_000
/** A request in which nothing moves for this long has failed. */
export const stallMs = 30_000

/** Requests under way on one channel; one more is refused with E_BUSY. */
export const maxRequests = 128
/** Of these, requests that bring a body. */
export const maxBodyRequests = 16

/** `agreed`, `message` and `piece` may throw: the other side has broken the protocol then. */
export interface SessionHandler {
  agreed(agreement: Agreement): void
  message(message: Message): void
  /** The next bytes of the body of `id`, after its body message. */
  piece(id: number, piece: Uint8Array): void
  /** The other side broke the protocol: what else it sends is dropped. Must end the channel. */
  broken(error: GridError): void
}

export class Session {
  readonly channel: Channel
  readonly clock: Clock
  readonly sweep: Sweep
  readonly outbox: Outbox
  readonly #hello: Hello
  #receivedMs: number
  #failure: GridError | undefined

  constructor(channel: Channel, options: { clock: Clock; hello: Hello }) {
    this.channel = channel
    this.clock = options.clock
    this.#hello = options.hello
    this.sweep = new Sweep(this.clock)
    this.outbox = new Outbox(channel, {
      clock: this.clock,
      sweep: this.sweep,
      stallMs,
      onStall: () => this.abort(new GridError('E_TIMEOUT', 'the other side stopped reading')),
    })
    this.#receivedMs = this.clock.monotonicMs()
  }

  /** When a byte last moved, either way. */
  get progressMs(): number {
    return Math.max(this.#receivedMs, this.outbox.acceptedMs)
  }

  /** Reads until the channel ends; returns why it did. The channel may still be open for sending. */
  async run(handler: SessionHandler): Promise<GridError> {
    const greeting = this.abortAfter(helloMs, new GridError('E_TIMEOUT', 'no hello'))
    this.outbox.postHead(formatHello(this.#hello))
    const decoder = this.#decoder(handler, () => this.sweep.delete(greeting))
    const take = (step: () => void): void => {
      try {
        if (this.#failure === undefined) step()
      } catch (error) {
        this.#failure = asGridError(error, 'E_INTERNAL', 'session')
        handler.broken(this.#failure)
      }
    }
    try {
      for await (const piece of this.channel.source) {
        this.#receivedMs = this.clock.monotonicMs()
        take(() => decoder.push(piece))
        if (this.outbox.crowded) await this.outbox.flush()
      }
      take(() => decoder.end())
    } catch (error) {
      this.#failure ??= asGridError(error, 'E_CLOSED', 'the channel failed')
    }
    this.sweep.delete(greeting)
    return this.#failure ?? new GridError('E_CLOSED', 'the other side closed the channel')
  }

  /** Ends the channel at once; `reason` is what `run` returns, unless it had another before. */
  abort(reason: GridError): void {
    this.#failure ??= reason
    this.channel.abort(reason)
  }

  /** Aborts the channel in `delayMs`, unless what is returned is deleted from the sweep before. */
  abortAfter(delayMs: number, reason: GridError): Watched {
    const dueMs = this.clock.monotonicMs() + delayMs
    const watched = { dueMs: () => dueMs, expire: () => this.abort(reason) }
    this.sweep.add(watched)
    return watched
  }

  #decoder(handler: SessionHandler, onHello: () => void): FrameDecoder {
    let greeted = false
    let bodyOf = 0
    const greet = (head: Uint8Array): void => {
      greeted = true
      onHello()
      handler.agreed(agree(this.#hello, parseHello(head)))
    }
    return new FrameDecoder({
      head: (head, bodyBytes) => {
        const message = greeted ? parseMessage(head) : undefined
        if ((message?.kind === 'body') !== bodyBytes > 0) {
          throw new GridError('E_PROTOCOL', 'a body on the wrong kind of frame')
        }
        if (message === undefined) return greet(head)
        bodyOf = message.id
        handler.message(message)
      },
      body: (piece) => handler.piece(bodyOf, piece),
    })
  }
}
