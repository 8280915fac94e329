/**
 * Bodies on their way, either way: raw bytes of a declared length, sent under credit
 * (docs/specs/wire.md, "Bodies"). A sender starts with 1 MiB of credit for each body; the receiver
 * grants more as its consumer takes what arrived, so neither holds more than that of one body.
 */
import { GridError, asGridError } from '../base/errors.ts'
import { PieceQueue } from '../base/piece-queue.ts'
import { maxFrameBodyBytes } from './frame.ts'

/** The most bytes of one body that are under way: sent, and not yet granted again. */
export const bodyWindowBytes: number = 1024 * 1024
/** A receiver grants as soon as it owes this much. */
const grantBytes = maxFrameBodyBytes

/** A body to send. */
export interface Body {
  readonly bytes: number
  /** Exactly `bytes` bytes, cut anywhere; iterated once, and borrowed as `Channel.send` says. */
  readonly pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

type PieceStep = IteratorResult<Uint8Array, unknown>

/** A body being sent: reads its source one frame ahead and hands out frames as credit allows. */
export class OutgoingBody {
  readonly #iterator: Iterator<Uint8Array, unknown> | AsyncIterator<Uint8Array, unknown>
  readonly #onReady: () => void
  #ready: Uint8Array[] = []
  #readyBytes = 0
  #unreadBytes: number
  #unsentBytes: number
  #creditBytes = bodyWindowBytes
  #reading = false
  #failure: Error | undefined

  /** `onReady` is called when `takeFrame` may have something to say that it had not before. */
  constructor(body: Body, onReady: () => void) {
    this.#unreadBytes = this.#unsentBytes = body.bytes
    this.#onReady = onReady
    this.#iterator =
      Symbol.asyncIterator in body.pieces
        ? body.pieces[Symbol.asyncIterator]()
        : body.pieces[Symbol.iterator]()
  }

  get sentAll(): boolean {
    return this.#unsentBytes === 0
  }

  /** Takes credit from the other side. Throws E_PROTOCOL when it exceeds what was sent. */
  grant(bytes: number): void {
    this.#creditBytes += bytes
    if (this.#creditBytes > bodyWindowBytes) {
      throw new GridError('E_PROTOCOL', 'credit for bytes that were not sent')
    }
    this.#onReady()
  }

  /**
   * The pieces of the next frame, 256 KiB but for the last; undefined while credit or source must
   * be waited for. Throws what the source threw, or a RangeError if its length was not as declared.
   */
  takeFrame(): Uint8Array[] | undefined {
    const frameBytes = Math.min(maxFrameBodyBytes, this.#unsentBytes)
    if (frameBytes === 0 || frameBytes > this.#creditBytes) return undefined
    this.#read(frameBytes)
    if (this.#failure !== undefined) throw this.#failure
    if (this.#readyBytes < frameBytes) return undefined
    this.#creditBytes -= frameBytes
    this.#unsentBytes -= frameBytes
    return this.#cut(frameBytes)
  }

  /** Ends the reading of the source. */
  stop(): void {
    this.#failure ??= new GridError('E_INTERRUPTED', 'the body is no longer wanted')
    // the source's own failure to end is nobody's concern now
    void (async () => this.#iterator.return?.())().catch(() => {})
  }

  #read(frameBytes: number): void {
    while (!this.#reading && this.#failure === undefined && this.#readyBytes < frameBytes) {
      const step = this.#iterator.next()
      if (!(step instanceof Promise)) {
        this.#accept(step)
        continue
      }
      this.#reading = true
      void this.#await(step)
    }
  }

  async #await(step: Promise<PieceStep>): Promise<void> {
    try {
      this.#accept(await step)
    } catch (error) {
      this.#failure ??= asGridError(error, 'E_INTERNAL', 'the source of a body')
    }
    this.#reading = false
    this.#onReady()
  }

  #accept(step: PieceStep): void {
    if (step.done === true) {
      this.#failure ??= new RangeError(`body: ended ${this.#unreadBytes} bytes short`)
      return
    }
    this.#unreadBytes -= step.value.length
    if (this.#unreadBytes < 0) this.#failure ??= new RangeError('body: longer than declared')
    this.#readyBytes += step.value.length
    if (step.value.length > 0) this.#ready.push(step.value)
  }

  #cut(frameBytes: number): Uint8Array[] {
    const frame: Uint8Array[] = []
    this.#readyBytes -= frameBytes
    for (let left = frameBytes; left > 0;) {
      const piece = this.#ready[0]
      if (piece.length > left) {
        frame.push(piece.subarray(0, left))
        this.#ready[0] = piece.subarray(left)
        break
      }
      frame.push(piece)
      left -= piece.length
      this.#ready.shift()
    }
    return frame
  }
}

/** The receiver's account of one body: what may come, and when to grant more. */
export class ReceiveWindow {
  readonly #bodyBytes: number
  #allowedBytes: number
  #arrivedBytes = 0
  #owedBytes = 0

  constructor(bodyBytes: number) {
    this.#bodyBytes = bodyBytes
    this.#allowedBytes = Math.min(bodyBytes, bodyWindowBytes)
  }

  get complete(): boolean {
    return this.#arrivedBytes === this.#bodyBytes
  }

  /** Counts bytes in. Throws E_PROTOCOL beyond the declared length or the credit. */
  arrived(bytes: number): void {
    this.#arrivedBytes += bytes
    if (this.#arrivedBytes > this.#allowedBytes) {
      throw new GridError('E_PROTOCOL', 'a body beyond its length or credit')
    }
  }

  /**
   * Counts bytes as taken by their consumer; returns the credit to grant now, mostly 0. It is
   * granted even where the sender needs no more, since it also tells how far the body has come.
   */
  consumed(bytes: number): number {
    this.#owedBytes += bytes
    if (this.#owedBytes < grantBytes) return 0
    const grant = this.#owedBytes
    this.#owedBytes = 0
    this.#allowedBytes = Math.min(this.#bodyBytes, this.#allowedBytes + grant)
    return grant
  }
}

/** A body being received, as its consumer reads it: once, in order. */
export class IncomingBody implements AsyncIterable<Uint8Array> {
  readonly bytes: number
  readonly #window: ReceiveWindow
  readonly #grant: (bytes: number) => void
  readonly #pieces = new PieceQueue()
  #failure: Error | undefined
  #wake: () => void = () => {}

  /** `grant` sends credit. */
  constructor(bytes: number, grant: (bytes: number) => void) {
    this.bytes = bytes
    this.#window = new ReceiveWindow(bytes)
    this.#grant = grant
  }

  /** Throws E_PROTOCOL as `ReceiveWindow.arrived`. */
  push(piece: Uint8Array): void {
    this.#window.arrived(piece.length)
    if (this.#failure === undefined) this.#pieces.push(piece)
    this.#wake()
  }

  /** Lets go of what arrived; the consumer gets `reason`. */
  fail(reason: Error): void {
    this.#failure ??= reason
    this.#pieces.clear()
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        yield piece
        const grant = this.#window.consumed(piece.length)
        if (grant > 0) this.#grant(grant)
      } else if (this.#window.complete) {
        return
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    }
  }
}
