/** Bounded concurrency: a number of places, or a number of bytes, in flight at once. */

interface Waiter {
  amount: number
  grant: () => void
}

/**
 * An amount of something (tasks, bytes) that may be in use at once. Waiters are served in the
 * order they came, so a large request is never starved by small ones.
 */
export class Budget {
  readonly total: number
  #free: number
  readonly #waiters: Waiter[] = []

  constructor(total: number) {
    if (!(total > 0)) throw new RangeError(`budget: total ${total} must be positive`)
    this.total = total
    this.#free = total
  }

  get free(): number {
    return this.#free
  }

  /**
   * Takes `amount` (more than the total counts as the total), waiting if it must, and returns the
   * function that gives it back; calling that twice does nothing. Rejects with the signal's reason.
   */
  async take(amount: number, options: { signal?: AbortSignal } = {}): Promise<() => void> {
    const { signal } = options
    signal?.throwIfAborted()
    const wanted = Math.min(amount, this.total)
    if (this.#waiters.length > 0 || this.#free < wanted) await this.#wait(wanted, signal)
    else this.#free -= wanted
    return this.#giver(wanted)
  }

  /** As `take`, but undefined at once where it would have to wait. */
  tryTake(amount: number): (() => void) | undefined {
    if (this.#waiters.length > 0 || this.#free < amount) return undefined
    this.#free -= amount
    return this.#giver(amount)
  }

  #wait(amount: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        amount,
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(signal?.reason as Error)
        this.#serve()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.push(waiter)
    })
  }

  #giver(amount: number): () => void {
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#free += amount
      this.#serve()
    }
  }

  #serve(): void {
    for (;;) {
      const [first] = this.#waiters
      if (first === undefined || first.amount > this.#free) return
      this.#free -= first.amount
      this.#waiters.shift()
      first.grant()
    }
  }
}

/** Runs `work` while holding `amount` of `budget`. */
export async function within<T>(
  budget: Budget,
  amount: number,
  work: () => Promise<T>,
  options: { signal?: AbortSignal } = {},
): Promise<T> {
  const release = await budget.take(amount, options)
  try {
    return await work()
  } finally {
    release()
  }
}

/**
 * Runs `work` on every item, at most `places` at a time, and gives the results in the items' order.
 * When one fails the others are still waited for, and then the first failure is thrown.
 */
export async function mapWithin<T, R>(
  places: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const budget = new Budget(places)
  const runs = items.map((item) => within(budget, 1, () => work(item)))
  await Promise.allSettled(runs)
  return Promise.all(runs)
}
