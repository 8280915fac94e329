/** One request as its asking side sees it, from the sending of it to the definite end of its answer. */
import { ReceiveWindow } from './body.ts'
import type { Body } from './body.ts'
import type { CborValue } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'
import type { ReplyMessage } from './message.ts'
import { plainText } from '../base/plain-text.ts'
import { type Session, stallMs } from './session.ts'
import type { Watched } from './sweep.ts'
import { codeOf, statusOk } from './status.ts'

export interface CallOptions {
  /** From the sending of the request to the end of its answer; E_TIMEOUT after it. */
  deadlineMs: number
  body?: Body
  /** The longest body that the answer may have; absent for none. */
  maxAnswerBytes?: number
  signal?: AbortSignal
  /** Called with the bytes of bodies, both ways, that the other side took or gave so far. */
  onProgress?: (bytesSoFar: number) => void
  /** How long nothing may move before E_TIMEOUT, where it is not the usual 30 s. */
  stallMs?: number
}

/** A successful answer; `body` is the caller's own. */
export interface CallAnswer {
  facts: CborValue
  body: Uint8Array
}

export class Call implements Watched {
  readonly answer: Promise<CallAnswer>
  readonly #session: Session
  readonly #id: number
  readonly #options: CallOptions
  readonly #onFinished: () => void
  readonly #startMs: number
  #resolve!: (answer: CallAnswer) => void
  #reject!: (reason: unknown) => void
  /** Set by the first reply. */
  #window: ReceiveWindow | undefined
  #facts: CborValue = 0
  #body: Uint8Array = new Uint8Array(0)
  #receivedBytes = 0
  #ackedBytes = 0
  #abandonedMs: number | undefined
  #finished = false

  /** `onFinished` is called when the other side is done with it too, or the channel has ended. */
  constructor(session: Session, id: number, options: CallOptions, onFinished: () => void) {
    this.#session = session
    this.#id = id
    this.#options = options
    this.#onFinished = onFinished
    this.#startMs = session.clock.monotonicMs()
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    session.sweep.add(this)
  }

  /** Whether `message` is the reply that is due: the first one, or an error in the midst of a body. */
  takesReply(message: ReplyMessage): boolean {
    return this.#window === undefined || (!this.#window.complete && message.status !== statusOk)
  }

  /** Throws E_PROTOCOL when the answer is longer than what was asked for. */
  reply(message: ReplyMessage): void {
    this.#session.outbox.drop(this.#id)
    if (message.status !== statusOk) {
      const remote = this.#session.channel.remoteId
      this.#reject(remoteError(message, remote))
      return this.#finish()
    }
    if (message.bodyBytes > (this.#options.maxAnswerBytes ?? 0)) {
      throw new GridError('E_PROTOCOL', `an answer of ${message.bodyBytes} bytes, not asked for`)
    }
    this.#facts = message.facts
    this.#window = new ReceiveWindow(message.bodyBytes)
    this.#ackedBytes = this.#options.body?.bytes ?? 0
    if (this.#abandonedMs === undefined) this.#body = new Uint8Array(message.bodyBytes)
    this.#progress(0)
  }

  /** Whether bytes of the answer's body are due. */
  get takesBody(): boolean {
    return this.#window?.complete === false
  }

  /** Takes bytes of the answer's body. Throws E_PROTOCOL beyond its length or credit. */
  piece(piece: Uint8Array): void {
    this.#window!.arrived(piece.length)
    if (this.#abandonedMs === undefined) {
      this.#body.set(piece, this.#receivedBytes)
      const grant = this.#window!.consumed(piece.length)
      if (grant > 0) this.#session.outbox.post({ kind: 'credit', id: this.#id, bytes: grant })
    }
    this.#progress(piece.length)
  }

  /** The other side took more of the request's body. */
  credit(bytes: number): void {
    if (this.#window !== undefined || this.#abandonedMs !== undefined) return
    this.#ackedBytes = Math.min(this.#ackedBytes + bytes, this.#options.body?.bytes ?? 0)
    this.#options.onProgress?.(this.#ackedBytes)
  }

  /** Gives up; the id stays taken until the other side has answered. */
  abandon(reason: unknown): void {
    if (this.#finished || this.#abandonedMs !== undefined) return
    this.#abandonedMs = this.#session.clock.monotonicMs()
    this.#reject(reason)
    this.#body = new Uint8Array(0)
    this.#session.outbox.drop(this.#id)
    this.#session.outbox.post({ kind: 'cancel', id: this.#id })
    this.#session.sweep.add(this)
  }

  /** The channel has ended. */
  fail(reason: GridError): void {
    this.#reject(reason)
    this.#finish()
  }

  dueMs(): number {
    const { progressMs } = this.#session
    if (this.#abandonedMs !== undefined) return Math.max(this.#abandonedMs, progressMs) + stallMs
    return Math.min(
      this.#startMs + this.#options.deadlineMs,
      progressMs + (this.#options.stallMs ?? stallMs),
    )
  }

  expire(): void {
    const error = new GridError('E_TIMEOUT', 'no answer in time')
    // a side that does not even answer a cancel is gone
    if (this.#abandonedMs !== undefined) this.#session.abort(error)
    else this.abandon(error)
  }

  readonly #onAbort = (): void => this.abandon(this.#options.signal?.reason)

  #progress(pieceBytes: number): void {
    this.#receivedBytes += pieceBytes
    if (this.#abandonedMs === undefined) {
      this.#options.onProgress?.(this.#ackedBytes + this.#receivedBytes)
    }
    if (!this.#window!.complete) return
    this.#resolve({ facts: this.#facts, body: this.#body })
    this.#finish()
  }

  #finish(): void {
    this.#finished = true
    this.#session.sweep.delete(this)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#onFinished()
  }
}

/** The error in a reply, its text fit to be shown. */
export function remoteError(message: ReplyMessage, peer: string | undefined): GridError {
  const code = codeOf(message.status)
  const text = typeof message.facts === 'string' ? plainText(message.facts) : ''
  return new GridError(code, text || `the other side answered with status ${message.status}`, {
    facts: { peer, status: message.status },
  })
}
