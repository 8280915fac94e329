/** The holds of a server, opened when they are first needed. */
import { GridError } from '../../base/errors.ts'
import {
  HoldKeeper,
  type HoldKeeperOptions,
  type HoldsOptions,
  quarantineDaysOf,
} from './hold-keeper.ts'
import type { PurgeOptions, PurgeReport } from './purge.ts'
import type { SweepOptions, SweepReport } from './sweeper.ts'

type KeptHoldsOptions = Omit<HoldKeeperOptions, 'quarantineDays'> & HoldsOptions

export interface PeerSweepOptions extends SweepOptions {
  /** Whether all shares are looked at where the index of holds may not know them; true unless told. */
  walk?: boolean
}

export class KeptHolds {
  readonly #options: KeptHoldsOptions
  #keeper: Promise<HoldKeeper> | undefined
  #closing: Promise<void> | undefined
  #lastSweep: SweepReport | undefined

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

  /**
   * Deletes what is due, as `Sweeper.sweep`; first it tells the index of all shares, if that may not know
   * them, unless it is told to leave that. Throws E_READ_ONLY, E_FULL, E_IO, the signal's reason.
   */
  async sweep({ walk = true, ...options }: PeerSweepOptions = {}): Promise<SweepReport> {
    const keeper = await this.keeper()
    const acts = options.dryRun !== true
    if (walk && acts) await keeper.walk(options)
    const report = await keeper.sweep(options)
    if (acts) this.#lastSweep = report
    return report
  }

  /** What came of the last sweep of this process. */
  get lastSweep(): SweepReport | undefined {
    return this.#lastSweep
  }

  /** When the last sweep was, maybe another process's; wall time in ms, undefined for never. Throws E_IO. */
  async sweptMs(): Promise<number | undefined> {
    return (await this.keeper()).sweptMs()
  }

  /** Ends what a former member pays for: as `HoldKeeper.purge`. */
  async purge(payer: Uint8Array, options: PurgeOptions = {}): Promise<PurgeReport> {
    return (await this.keeper()).purge(payer, options)
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
