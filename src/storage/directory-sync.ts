/**
 * Makes the names in one directory durable, for many that ask at once: only a sync that *starts*
 * after a rename can vouch for it, so whoever comes while one runs shares the next.
 */
export class DirectorySync {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  /** `sync` makes durable what the directory holds when it is called. */
  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /** Resolves when all that was in the directory at the call would survive a power cut. */
  run(): Promise<void> {
    if (this.#running === undefined) return this.#start()
    const start = (): Promise<void> => this.#start()
    this.#next ??= this.#running.then(start, start)
    return this.#next
  }

  #start(): Promise<void> {
    this.#next = undefined
    const running = this.#sync().finally(() => {
      this.#running = this.#next
    })
    this.#running = running
    return running
  }
}
