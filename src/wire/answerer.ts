/**
 * The answering side of a channel: takes requests, checks and admits them, and hands each to the
 * handler of its verb. Everything a stranger may cause is bounded here: requests under way, bytes
 * in flight, time (docs/specs/wire.md, "Limits").
 */
import { type Body, IncomingBody, bodyWindowBytes } from './body.ts'
import type { CborValue } from '../base/cbor.ts'
import type { Channel } from '../base/channel.ts'
import type { Clock } from '../base/clock.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { type Hello, currentHello } from './hello.ts'
import type { Budget } from '../base/limit.ts'
import type { Message, RequestMessage } from './message.ts'
import { plainText } from '../base/plain-text.ts'
import { Session, type SessionHandler, maxBodyRequests, maxRequests, stallMs } from './session.ts'
import type { Watched } from './sweep.ts'
import { type Trace, noTrace } from '../base/trace.ts'
import { statusOf, statusOk } from './status.ts'

/** How long a side that broke the protocol has to read why it is refused. */
const lingerMs = 1_000

/** What a verb's handler gives back. */
export interface Answer {
  facts: CborValue
  body?: Body
}

/** One verb of a protocol, as its answering side sees it. `Args` is what `parse` makes of them. */
export interface Verb<Args> {
  /** A request that takes longer is aborted with E_TIMEOUT. */
  readonly deadlineMs: number
  /** The longest body a request may bring; absent for none. */
  readonly maxBodyBytes?: number
  /** Bytes of a body that `handle` holds at once beyond what is under way; none if absent. */
  readonly heldBytes?: number
  /** Checks shape and bounds of everything; throws E_BAD_REQUEST. */
  parse(args: CborValue, bodyBytes: number): Args
  /** The most bytes that the answer's body may have, taken from the budget before `handle` runs. */
  answerBytes?(args: Args): number
  /**
   * Carries the request out. `body` yields exactly its declared bytes or throws; it need not be
   * read to its end. Must end soon after `signal` aborts.
   */
  handle(args: Args, body: IncomingBody, options: { signal: AbortSignal }): Promise<Answer>
}

export type Verbs = ReadonlyMap<string, Verb<unknown>>

export interface AnswerOptions {
  clock: Clock
  /** Bytes of bodies in flight, shared by all channels of a server. */
  budget: Budget
  hello?: Hello
  trace?: Trace
}

/**
 * Answers requests on `channel` until it ends or the other side breaks the protocol, which closes
 * it. Never rejects; resolves when every handler has ended.
 */
export async function answer(
  channel: Channel,
  verbs: Verbs,
  options: AnswerOptions,
): Promise<void> {
  await new Answerer(channel, verbs, options).run()
}

class Answerer implements SessionHandler {
  readonly #session: Session
  readonly #verbs: Verbs
  readonly #budget: Budget
  readonly #trace: Trace
  readonly #open = new Map<number, Serving>()
  readonly #running = new Set<Promise<void>>()
  #bodyCount = 0
  #lingering: Watched | undefined
  #lastId = 0

  constructor(channel: Channel, verbs: Verbs, options: AnswerOptions) {
    this.#session = new Session(channel, {
      clock: options.clock,
      hello: options.hello ?? currentHello,
    })
    this.#verbs = verbs
    this.#budget = options.budget
    this.#trace = options.trace ?? noTrace
  }

  async run(): Promise<void> {
    const { channel, outbox } = this.#session
    const reason = await this.#session.run(this)
    this.#trace.event('wire.ended', { code: reason.code, remote: channel.remoteId })
    if (this.#lingering !== undefined) this.#session.sweep.delete(this.#lingering)
    for (const serving of this.#open.values()) serving.abort(reason)
    outbox.fail(reason)
    channel.abort(reason)
    await Promise.all(this.#running)
  }

  /** Says why, then waits a little for the other side to read it and leave. */
  broken(error: GridError): void {
    const { channel, outbox } = this.#session
    this.#refuse(0, error)
    for (const serving of this.#open.values()) serving.abort(error)
    this.#lingering = this.#session.abortAfter(lingerMs, error)
    void outbox.flush().then(() => channel.close())
  }

  agreed(): void {}

  message(message: Message): void {
    switch (message.kind) {
      case 'request':
        return this.#request(message)
      case 'body':
        // one that is no longer read is let pass: the other side may not know yet
        if (message.id > this.#lastId) throw unexpected('a body for no request')
        return
      case 'credit':
        return this.#session.outbox.grant(message.id, message.bytes)
      case 'cancel':
        this.#open.get(message.id)?.abort(new GridError('E_INTERRUPTED', 'cancelled'))
        return
      case 'reply':
        throw unexpected('a reply to nothing')
    }
  }

  piece(id: number, piece: Uint8Array): void {
    this.#open.get(id)?.body.push(piece)
  }

  #request(message: RequestMessage): void {
    const { id, bodyBytes } = message
    if (id <= this.#lastId) throw unexpected('a request id that does not increase')
    this.#lastId = id
    try {
      const verb = this.#verbs.get(message.verb)
      if (verb === undefined) throw new GridError('E_UNKNOWN_VERB', 'unknown verb')
      if (bodyBytes > (verb.maxBodyBytes ?? 0)) {
        throw new GridError('E_TOO_LARGE', `a body of ${bodyBytes} bytes`)
      }
      const args = verb.parse(message.args, bodyBytes)
      this.#admit(bodyBytes)
      this.#start(message, verb, args)
    } catch (error) {
      this.#refuse(id, error)
    }
  }

  #admit(bodyBytes: number): void {
    if (this.#open.size >= maxRequests || (bodyBytes > 0 && this.#bodyCount >= maxBodyRequests)) {
      throw new GridError('E_BUSY', 'too many requests at once on this channel')
    }
  }

  /** A body is already on its way, so what it may fill must be free now; other requests can wait. */
  #start(message: RequestMessage, verb: Verb<unknown>, args: unknown): void {
    const { id, bodyBytes } = message
    const heldBytes = Math.min(bodyBytes, bodyWindowBytes + (verb.heldBytes ?? 0))
    const bytes = heldBytes + (verb.answerBytes?.(args) ?? 0)
    const admitted = bodyBytes > 0 ? this.#budget.tryTake(bytes) : undefined
    if (bodyBytes > 0 && admitted === undefined) {
      throw new GridError('E_BUSY', 'too many bytes in flight at this server')
    }
    const serving = new Serving(this.#session, id, { bodyBytes, deadlineMs: verb.deadlineMs })
    this.#open.set(id, serving)
    if (bodyBytes > 0) this.#bodyCount++
    const running = this.#serve(serving, async () => {
      const release = admitted ?? (bytes > 0 ? await this.#budget.take(bytes, serving) : undefined)
      try {
        await this.#answer(
          serving,
          await verb.handle(args, serving.body, { signal: serving.signal }),
        )
      } finally {
        release?.()
      }
    }).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #serve(serving: Serving, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#refuse(serving.id, serving.reason ?? error)
    } finally {
      serving.end()
      this.#open.delete(serving.id)
      if (serving.body.bytes > 0) this.#bodyCount--
    }
  }

  async #answer(serving: Serving, { facts, body }: Answer): Promise<void> {
    serving.check()
    const { id } = serving
    const bodyBytes = body?.bytes ?? 0
    this.#session.outbox.post({ kind: 'reply', id, status: statusOk, facts, bodyBytes })
    if (body === undefined || bodyBytes === 0) return
    // a body that was given up half-way ends with an error
    if (!(await this.#session.outbox.sendBody(id, body))) serving.check()
  }

  #refuse(id: number, error: unknown): void {
    const status = isGridError(error) ? statusOf(error.code) : undefined
    if (status === undefined) this.#trace.event('wire.failed', { error: String(error) })
    const known = isGridError(error) && status !== undefined ? error : internal
    const text = known.code === 'E_IO' ? 'the disk failed' : plainText(known.message)
    this.#session.outbox.post({
      kind: 'reply',
      id,
      status: status ?? statusOf('E_INTERNAL')!,
      facts: text,
      bodyBytes: 0,
    })
  }
}

/** One request under way. */
class Serving implements Watched {
  readonly id: number
  readonly body: IncomingBody
  readonly #session: Session
  readonly #controller = new AbortController()
  readonly #startMs: number
  readonly #deadlineMs: number
  #reason: GridError | undefined

  constructor(
    session: Session,
    id: number,
    { bodyBytes, deadlineMs }: { bodyBytes: number; deadlineMs: number },
  ) {
    this.id = id
    this.#session = session
    this.#startMs = session.clock.monotonicMs()
    this.#deadlineMs = deadlineMs
    this.body = new IncomingBody(bodyBytes, (bytes) => {
      session.outbox.post({ kind: 'credit', id, bytes })
    })
    session.sweep.add(this)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why it was given up, if it was. */
  get reason(): GridError | undefined {
    return this.#reason
  }

  /** Throws the reason, if there is one. */
  check(): void {
    if (this.#reason !== undefined) throw this.#reason
  }

  abort(reason: GridError): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#controller.abort(reason)
    this.body.fail(reason)
    this.#session.outbox.drop(this.id)
  }

  end(): void {
    this.#session.sweep.delete(this)
    this.body.fail(internal)
  }

  dueMs(): number {
    return Math.min(this.#startMs + this.#deadlineMs, this.#session.progressMs + stallMs)
  }

  expire(): void {
    this.abort(new GridError('E_TIMEOUT', 'the request took too long'))
  }
}

const internal = new GridError('E_INTERNAL', 'internal error')

function unexpected(what: string): GridError {
  return new GridError('E_PROTOCOL', what)
}
