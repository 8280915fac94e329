/**
 * Virtual time. Nothing waits: the next event is always due now, and an hour passes in the time it
 * takes to run what happens in it. Events of one instant run in an order drawn from the seed.
 */
import type { Clock } from '../../src/base/clock.ts'
import type { SimRandom } from './sim-random.ts'

/** Taken before a sealed run replaces the globals by throwers. */
const nextTurn = setImmediate

interface SimEvent {
  readonly atMs: number
  readonly tie: number
  readonly order: number
  action: (() => void) | undefined
}

/** A timer that Node takes for a short one, since it does not fit its 32-bit field. */
const maxDelayMs = 2 ** 31 - 1

/** 2024-01-01T00:00:00Z: where the wall clock of every simulated grid starts. */
const epochMs = 1_704_067_200_000

export class SimClock implements Clock {
  readonly #random: SimRandom
  readonly #heap: SimEvent[] = []
  #nowMs = 0
  #scheduled = 0
  #ran = 0

  constructor(random: SimRandom) {
    this.#random = random
  }

  /** Events run so far. */
  get eventCount(): number {
    return this.#ran
  }

  nowMs(): number {
    return Math.floor(epochMs + this.#nowMs)
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, action: () => void): () => void {
    if (!(delayMs >= 0 && delayMs <= maxDelayMs)) throw new RangeError(`clock: delay ${delayMs} ms`)
    const atMs = this.#nowMs + delayMs
    const event: SimEvent = { atMs, tie: this.#random.u32(), order: this.#scheduled++, action }
    this.#push(event)
    return () => {
      event.action = undefined
    }
  }

  /**
   * Runs events in order, and all that follows from each before the next, until `done` says so,
   * none is left, or the next is later than `untilMs`. Throws what an event throws.
   */
  async run(options: { done?: () => boolean; untilMs?: number } = {}): Promise<void> {
    const { done = () => false, untilMs = Infinity } = options
    await settled()
    while (!done()) {
      const event = this.#heap[0]
      if (event === undefined || event.atMs > untilMs) break
      this.#pop()
      if (event.action === undefined) continue
      this.#nowMs = event.atMs
      this.#ran++
      event.action()
      await settled()
    }
    if (untilMs < Infinity && !done()) this.#nowMs = Math.max(this.#nowMs, untilMs)
  }

  #push(event: SimEvent): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!before(event, heap[parent])) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = event
  }

  /** Removes the first event; there must be one. */
  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], last)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
  }
}

function before(a: SimEvent, b: SimEvent): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs
  return a.tie === b.tie ? a.order < b.order : a.tie < b.tie
}

/** Resolves when every promise that can go on has gone on: microtasks run before the next turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve))
}
