/**
 * The asking side of a channel: pipelined requests, each with a deadline, whose answers are checked
 * against what was asked before anything is allocated (docs/specs/wire.md).
 */
import { setMaxListeners } from 'node:events'
import { Call, type CallAnswer, type CallOptions, remoteError } from './call.ts'
import type { CborValue } from '../base/cbor.ts'
import type { Channel } from '../base/channel.ts'
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { type Agreement, type Hello, currentHello } from './hello.ts'
import { Budget } from '../base/limit.ts'
import type { Message } from './message.ts'
import { Session, type SessionHandler, maxBodyRequests, maxRequests } from './session.ts'

/** Replies and bodies nobody asked for, after which the channel is ended. */
const maxStrays = 3

export interface CallerOptions {
  clock: Clock
  hello?: Hello
  signal?: AbortSignal
}

/**
 * Says hello on `channel`, which the Caller then owns.
 * @throws E_VERSION, E_TIMEOUT, E_PROTOCOL, E_CLOSED, or the signal's reason; the channel is ended then
 */
export async function openCaller(channel: Channel, options: CallerOptions): Promise<Caller> {
  const caller = new Caller(channel, options)
  const onAbort = (): void => caller.close()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    options.signal?.throwIfAborted()
    await caller.agreement
    return caller
  } catch (error) {
    caller.close()
    throw options.signal?.aborted ? options.signal.reason : error
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
  }
}

export class Caller implements SessionHandler {
  /** What both sides speak; rejects when the channel ends before that is known. */
  readonly agreement: Promise<Agreement>
  /** Resolves with the reason once the channel has ended. */
  readonly ended: Promise<GridError>
  readonly #session: Session
  readonly #calls = new Map<number, Call>()
  readonly #places = new Budget(maxRequests)
  readonly #bodyPlaces = new Budget(maxBodyRequests)
  readonly #ending = new AbortController()
  #agree!: (agreement: Agreement) => void
  #lastId = 0
  #strays = 0

  /** Begins the exchange; see `openCaller`. */
  constructor(channel: Channel, options: CallerOptions) {
    // every call that waits for a place listens
    setMaxListeners(0, this.#ending.signal)
    this.#session = new Session(channel, {
      clock: options.clock,
      hello: options.hello ?? currentHello,
    })
    this.ended = this.#run()
    this.agreement = new Promise((resolve, reject) => {
      this.#agree = resolve
      void this.ended.then(reject)
    })
    // it may be that nobody asks
    this.agreement.catch(() => {})
  }

  /** The other side's peer id, where the carrier knows it. */
  get remoteId(): string | undefined {
    return this.#session.channel.remoteId
  }

  /**
   * Sends a request and awaits its answer; waits first while 128 requests, or 16 with bodies, are
   * under way.
   * @throws the other side's error, its text made plain; E_TIMEOUT, E_CLOSED, E_PROTOCOL; the
   *   signal's reason; what the body's source threw
   */
  async call(verb: string, args: CborValue, options: CallOptions): Promise<CallAnswer> {
    const { signal, body } = options
    const leave = await this.#enter(body !== undefined && body.bytes > 0, signal)
    if (this.#ending.signal.aborted || signal?.aborted) {
      leave()
      throw signal?.aborted ? signal.reason : this.#ending.signal.reason
    }
    const id = ++this.#lastId
    const call = new Call(this.#session, id, options, () => {
      this.#calls.delete(id)
      leave()
    })
    this.#calls.set(id, call)
    const { outbox } = this.#session
    outbox.post({ kind: 'request', id, verb, args, bodyBytes: body?.bytes ?? 0 })
    if (body !== undefined && body.bytes > 0) {
      outbox.sendBody(id, body).catch((error: unknown) => call.abandon(error))
    }
    return call.answer
  }

  /** Ends the channel at once; what is under way rejects with E_CLOSED. */
  close(reason: GridError = new GridError('E_CLOSED', 'the channel was closed')): void {
    this.#session.abort(reason)
  }

  agreed(agreement: Agreement): void {
    this.#agree(agreement)
  }

  message(message: Message): void {
    const call = this.#calls.get(message.id)
    switch (message.kind) {
      case 'reply':
        if (message.id === 0) throw remoteError(message, this.remoteId)
        if (call?.takesReply(message) === true) return call.reply(message)
        return this.#stray()
      case 'body':
        if (call?.takesBody !== true) this.#stray()
        return
      case 'credit':
        this.#session.outbox.grant(message.id, message.bytes)
        call?.credit(message.bytes)
        return
      case 'request':
      case 'cancel':
        throw new GridError('E_PROTOCOL', 'the answering side may not ask')
    }
  }

  piece(id: number, piece: Uint8Array): void {
    const call = this.#calls.get(id)
    if (call?.takesBody === true) call.piece(piece)
  }

  broken(error: GridError): void {
    this.close(error)
  }

  #stray(): void {
    if (++this.#strays >= maxStrays) {
      throw new GridError('E_PROTOCOL', 'replies to nothing that was asked')
    }
  }

  async #run(): Promise<GridError> {
    const reason = await this.#session.run(this)
    // a call that comes later, or never got a place, did not see what went wrong
    this.#ending.abort(new GridError('E_CLOSED', `the channel has ended: ${reason.message}`))
    this.#session.outbox.fail(reason)
    this.#session.channel.abort(reason)
    for (const call of [...this.#calls.values()]) call.fail(reason)
    return reason
  }

  async #enter(withBody: boolean, signal: AbortSignal | undefined): Promise<() => void> {
    const leaveAll = await this.#place(this.#places, signal)
    if (!withBody) return leaveAll
    try {
      const leaveBodies = await this.#place(this.#bodyPlaces, signal)
      return () => {
        leaveBodies()
        leaveAll()
      }
    } catch (error) {
      leaveAll()
      throw error
    }
  }

  async #place(places: Budget, signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted()
    const ending = this.#ending.signal
    return (
      places.tryTake(1) ??
      places.take(1, { signal: signal === undefined ? ending : AbortSignal.any([signal, ending]) })
    )
  }
}
