/**
 * The events of a node: the newest in memory, all that fit on disk. It is a trace, so that whoever
 * tells something need not know who listens. Nobody outside can fill it: there is a rate, and what is
 * beyond it is counted.
 */
import type { Clock } from '../../base/clock.ts'
import { TokenBucket } from '../../base/token-bucket.ts'
import type { Trace } from '../../base/trace.ts'
import type { EventFile } from './event-file.ts'
import { isKept, type NodeEvent, plainFacts } from './node-event.ts'

export interface NodeEventsOptions {
  clock: Clock
  /** Where they are kept; in memory alone if absent. */
  file?: EventFile
  /** Gets everything as well. */
  trace: Trace
}

/** In memory; about half a megabyte at most. */
const maxEvents = 1000
const eventsPerSecond = 5
const burst = 200

export class NodeEvents implements Trace {
  readonly #options: NodeEventsOptions
  readonly #rate: TokenBucket
  #events: NodeEvent[]
  #seq: number
  #dropped = 0
  #unwritten: NodeEvent[] = []
  #writing: Promise<void> | undefined

  private constructor(options: NodeEventsOptions, events: NodeEvent[]) {
    this.#options = options
    this.#events = events
    this.#seq = events.reduce((most, { seq }) => Math.max(most, seq), 0)
    this.#rate = new TokenBucket({ clock: options.clock, tokensPerSecond: eventsPerSecond, burst })
  }

  /** With those of earlier runs; without them where they cannot be read. */
  static async open(options: NodeEventsOptions): Promise<NodeEvents> {
    const earlier = await options.file?.read(maxEvents).catch(() => [])
    return new NodeEvents(options, earlier ?? [])
  }

  event(name: string, facts: Readonly<Record<string, unknown>> = {}): void {
    this.#options.trace.event(name, facts)
    if (!isKept(name)) return
    if (!this.#rate.tryTake(1)) {
      this.#dropped++
      return
    }
    if (this.#dropped > 0) this.#keep('events.dropped', { count: this.#dropped })
    this.#dropped = 0
    this.#keep(name, facts)
  }

  /** At most `limit` events after number `seq`, the newest of them, ascending. */
  after(seq: number, limit: number): NodeEvent[] {
    return this.#events.filter((event) => event.seq > seq).slice(-limit)
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#options.file?.close().catch(() => undefined)
  }

  #keep(name: string, facts: Readonly<Record<string, unknown>>): void {
    const atMs = Math.floor(this.#options.clock.nowMs())
    const event = { seq: ++this.#seq, atMs, name, facts: plainFacts(facts) }
    this.#events.push(event)
    if (this.#events.length > 2 * maxEvents) this.#events = this.#events.slice(-maxEvents)
    if (this.#options.file === undefined) return
    this.#unwritten.push(event)
    this.#writing ??= this.#write(this.#options.file).finally(() => (this.#writing = undefined))
  }

  /** What cannot be written is still in memory, and the node goes on. */
  async #write(file: EventFile): Promise<void> {
    while (this.#unwritten.length > 0)
      await file.add(this.#unwritten.splice(0)).catch(() => undefined)
  }
}
