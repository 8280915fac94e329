/**
 * The sending half of a channel of messages. What is posted in one turn leaves in one `send`;
 * messages go before bodies, and bodies take turns frame by frame, so that a long one never holds
 * up a small request.
 */
import { type Body, OutgoingBody } from './body.ts'
import type { Channel } from '../base/channel.ts'
import type { Clock } from '../base/clock.ts'
import { type GridError, asGridError } from '../base/errors.ts'
import { frameStart } from './frame.ts'
import { type Message, formatMessage } from './message.ts'
import type { Sweep, Watched } from './sweep.ts'

/** Bytes of body in one `send`, about: what a message may have to wait behind. */
const batchBytes = 256 * 1024
/** Messages that may wait to be sent before the reading of more has to wait too. */
const maxQueuedMessages = 256

interface Sending {
  body: OutgoingBody
  resolve: (sentAll: boolean) => void
  reject: (reason: unknown) => void
}

export class Outbox implements Watched {
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #sweep: Sweep
  readonly #stallMs: number
  readonly #onStall: () => void
  #frames: Uint8Array[] = []
  /** Bodies by request id; the first is the next one's turn. */
  readonly #bodies = new Map<number, Sending>()
  #pumping: Promise<void> | undefined
  #failure: GridError | undefined
  #acceptedMs: number
  #sendingMs = 0

  /** `onStall` is called when the channel takes nothing for `stallMs`. */
  constructor(
    channel: Channel,
    options: { clock: Clock; sweep: Sweep; stallMs: number; onStall: () => void },
  ) {
    this.#channel = channel
    this.#clock = options.clock
    this.#sweep = options.sweep
    this.#stallMs = options.stallMs
    this.#onStall = options.onStall
    this.#acceptedMs = this.#clock.monotonicMs()
  }

  /** When the channel last took something. */
  get acceptedMs(): number {
    return this.#acceptedMs
  }

  post(message: Message): void {
    this.postHead(formatMessage(message))
  }

  /** Queues a frame without a body. */
  postHead(head: Uint8Array): void {
    if (this.#failure !== undefined) return
    this.#frames.push(frameStart(head))
    this.#wake()
  }

  /**
   * Sends the body of request `id`. Resolves with true when the channel has taken all of it, false
   * when it was dropped; rejects with what its source threw, or why the channel ended.
   */
  sendBody(id: number, body: Body): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      const outgoing = new OutgoingBody(body, () => this.#wake())
      this.#bodies.set(id, { body: outgoing, resolve, reject })
      this.#wake()
    })
  }

  /** Passes credit on; a body that is no longer being sent needs none. Throws E_PROTOCOL. */
  grant(id: number, bytes: number): void {
    this.#bodies.get(id)?.body.grant(bytes)
  }

  /** Stops sending the body of `id`, if it still is. */
  drop(id: number): void {
    const sending = this.#bodies.get(id)
    this.#bodies.delete(id)
    sending?.body.stop()
    sending?.resolve(false)
  }

  /** Whether so many messages wait that no more should be caused; `flush` then. */
  get crowded(): boolean {
    return this.#frames.length > maxQueuedMessages
  }

  /** Resolves when everything posted has been taken by the channel, or cannot be. */
  async flush(): Promise<void> {
    while (this.#pumping) await this.#pumping
  }

  /** Sends nothing from now on. */
  fail(reason: GridError): void {
    this.#failure ??= reason
    this.#frames = []
    for (const { body, reject } of this.#bodies.values()) {
      body.stop()
      reject(this.#failure)
    }
    this.#bodies.clear()
  }

  dueMs(): number {
    return this.#sendingMs + this.#stallMs
  }

  expire(): void {
    this.#onStall()
  }

  #wake(): void {
    this.#pumping ??= this.#pump()
  }

  async #pump(): Promise<void> {
    // whatever else this turn posts goes into the same batch
    await Promise.resolve()
    try {
      for (;;) {
        const sent: Sending[] = []
        const batch = this.#batch(sent)
        if (batch.length === 0) return
        await this.#send(batch)
        for (const { resolve } of sent) resolve(true)
      }
    } catch (error) {
      this.fail(asGridError(error, 'E_CLOSED', 'the channel failed'))
    } finally {
      this.#pumping = undefined
    }
  }

  async #send(batch: Uint8Array[]): Promise<void> {
    this.#sendingMs = this.#clock.monotonicMs()
    this.#sweep.add(this)
    try {
      await this.#channel.send(batch)
      this.#acceptedMs = this.#clock.monotonicMs()
    } finally {
      this.#sweep.delete(this)
    }
  }

  /** All messages, then frames of bodies in turn; those that end with it are added to `sent`. */
  #batch(sent: Sending[]): Uint8Array[] {
    const batch = this.#frames
    this.#frames = []
    for (let bytes = 0; bytes < batchBytes;) {
      const next = this.#nextFrame(sent)
      if (next === undefined) break
      let bodyBytes = 0
      for (const piece of next.pieces) bodyBytes += piece.length
      batch.push(frameStart(formatMessage({ kind: 'body', id: next.id }), bodyBytes))
      batch.push(...next.pieces)
      bytes += bodyBytes
    }
    return batch
  }

  /** A frame of the first body that has one; its next turn comes after all others. */
  #nextFrame(sent: Sending[]): { id: number; pieces: Uint8Array[] } | undefined {
    for (const [id, sending] of this.#bodies) {
      const pieces = this.#takeFrame(id, sending)
      if (pieces === undefined) continue
      this.#bodies.delete(id)
      if (sending.body.sentAll) {
        sending.body.stop()
        sent.push(sending)
      } else {
        this.#bodies.set(id, sending)
      }
      return { id, pieces }
    }
    return undefined
  }

  #takeFrame(id: number, sending: Sending): Uint8Array[] | undefined {
    try {
      return sending.body.takeFrame()
    } catch (error) {
      this.#bodies.delete(id)
      sending.body.stop()
      sending.reject(error)
      return undefined
    }
  }
}
