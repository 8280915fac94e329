/** The holds of a server, opened when they are first needed. */
import { GridError } from '../../base/errors.ts'
import {
  HoldKeeper,
  type HoldKeeperOptions,
  type HoldsOptions,
  quarantineDaysOf,
} from './hold-keeper.ts'

type KeptHoldsOptions = Omit<HoldKeeperOptions, 'quarantineDays'> & HoldsOptions

export class KeptHolds {
  readonly #options: KeptHoldsOptions
  #keeper: Promise<HoldKeeper> | undefined
  #closing: Promise<void> | undefined

  constructor(options: KeptHoldsOptions) {
    this.#options = options
  }

  get quarantineDays(): number {
    return quarantineDaysOf(this.#options)
  }

  /** Throws E_FULL, E_IO; it is tried again then. E_CLOSED once it is closed. */
  async keeper(): Promise<HoldKeeper> {
    if (this.#closing !== undefined) throw new GridError('E_CLOSED', 'this server has stopped')
    if (this.#keeper === undefined) {
      this.#keeper = this.#open()
      this.#keeper.catch(() => (this.#keeper = undefined))
    }
    return this.#keeper
  }

  /** Shares that nobody holds any more, as they were counted last. */
  async quarantinedCount(): Promise<number> {
    return (await this.keeper()).quarantinedCount()
  }

  /** Ends them in order, if they were opened. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const keeper = await this.#keeper?.catch(() => undefined)
    await keeper?.close()
  }

  async #open(): Promise<HoldKeeper> {
    const { quarantineDays } = this
    const holds = await this.#options.open()
    try {
      return await HoldKeeper.open({ ...this.#options, quarantineDays }, holds)
    } catch (error) {
      // it is opened anew by whoever asks next, and stays open once
      await holds.index.close().catch(() => {})
      throw error
    }
  }
}
