/** Something that happens again and again, and that many may wait for. */
export class Bell {
  readonly #waiting = new Set<() => void>()

  /** Wakes all who wait now. */
  ring(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  /** Resolves at the next ring; rejects with the signal's reason. */
  next(options: { signal: AbortSignal }): Promise<void> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        signal.removeEventListener('abort', onAbort)
        this.#waiting.delete(wake)
      }
      const wake = (): void => {
        stop()
        resolve()
      }
      const onAbort = (): void => {
        stop()
        reject(signal.reason as Error)
      }
      this.#waiting.add(wake)
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
