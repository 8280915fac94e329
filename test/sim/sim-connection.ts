/**
 * A connection between two simulated hosts: a channel for each, and between the channels what
 * carries their bytes. A stream keeps its order and loses nothing but its end; streams overtake
 * each other. Bytes are cut anew on the way, so that no reader can rely on the writer's pieces.
 */
import { concat } from '../../src/base/bytes.ts'
import { channelPair, type Channel } from '../../src/base/channel.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Link } from './sim-link.ts'

/** One end's host, for as long as it lives. */
export interface Party {
  readonly id: string
  readonly clock: Clock
}

export class Connection {
  readonly parties: readonly [Party, Party]
  /** What the parties hold. */
  readonly channels: readonly [Channel, Channel]
  /** The network's side of each. */
  readonly #far: readonly [Channel, Channel]
  readonly #carriers: readonly [Carrier, Carrier]

  /** `onEnd` is called when neither side has anything more to say, or one of them broke it off. */
  constructor(
    parties: readonly [Party, Party],
    links: readonly [Link, Link],
    onEnd: (why: string) => void,
  ) {
    this.parties = parties
    const [a, b] = parties
    const [nearA, farA] = channelPair({ ids: [a.id, b.id] })
    const [nearB, farB] = channelPair({ ids: [b.id, a.id] })
    this.channels = [nearA, nearB]
    this.#far = [farA, farB]
    const done = (why: string, broken: boolean): void => {
      if (broken || this.#carriers.every(({ finished }) => finished)) onEnd(why)
    }
    this.#carriers = [
      new Carrier({ from: farA, to: farB, link: links[0], clock: b.clock, done }),
      new Carrier({ from: farB, to: farA, link: links[1], clock: a.clock, done }),
    ]
  }

  /** One end learns that it is over. */
  fail(end: 0 | 1, why: string): void {
    for (const carrier of this.#carriers) carrier.stop()
    this.#far[end].abort(new Error(why))
  }

  /** One end's host is gone: nothing moves any more, and nobody is told. */
  abandon(): void {
    for (const carrier of this.#carriers) carrier.stop()
  }
}

interface CarrierOptions {
  from: Channel
  to: Channel
  link: Link
  /** The receiver's: what is underway to a frozen host waits for it. */
  clock: Clock
  done: (why: string, broken: boolean) => void
}

const windowBytes = 64 * 1024

class Carrier {
  readonly #options: CarrierOptions
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #ended = false
  #moving = false
  #stopped = false
  /** The sender has closed its side, and all that it sent has arrived. */
  finished = false
  #room: (() => void) | undefined

  constructor(options: CarrierOptions) {
    this.#options = options
    void this.#collect()
  }

  stop(): void {
    this.#stopped = true
  }

  /** Takes what the sender gives, as long as there is room on the way. */
  async #collect(): Promise<void> {
    const { from, clock, link, done } = this.#options
    try {
      for await (const piece of from.source) {
        this.#queue.push(piece)
        this.#queuedBytes += piece.length
        this.#move()
        while (this.#queuedBytes >= windowBytes) {
          await new Promise<void>((resolve) => (this.#room = resolve))
        }
      }
      this.#ended = true
      this.#move()
    } catch {
      if (!this.#stopped) clock.after(link.transitMs(), () => done('broken off', true))
    }
  }

  /** Sends the next packet, unless one is on its way already. */
  #move(): void {
    if (this.#moving || this.#stopped || (this.#queuedBytes === 0 && !this.#ended)) return
    const { link, clock } = this.#options
    this.#moving = true
    clock.after(link.transitMs(), () => {
      if (link.blocked) link.onceOpen(() => this.#again())
      else void this.#arrive()
    })
  }

  #again(): void {
    this.#moving = false
    this.#move()
  }

  async #arrive(): Promise<void> {
    const { to, link, done } = this.#options
    if (this.#stopped) return
    if (this.#queuedBytes === 0) {
      this.finished = true
      await to.close()
      done('closed', false)
      return
    }
    const { bytes, last } = link.pass(this.#take(link.packetSize(this.#queuedBytes)))
    this.#room?.()
    try {
      if (bytes.length > 0) await to.send([bytes])
    } catch {
      return // the receiver has ended it, and its own carrier tells the sender
    }
    if (last) done('cut', true)
    else this.#again()
  }

  /** A copy of the first `length` queued bytes, which are queued no longer. */
  #take(length: number): Uint8Array {
    const parts: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      const first = this.#queue[0]
      parts.push(first.subarray(0, missing))
      if (first.length > missing) this.#queue[0] = first.subarray(missing)
      else this.#queue.shift()
      missing -= Math.min(missing, first.length)
    }
    this.#queuedBytes -= length
    return concat(...parts)
  }
}
