/**
 * How a server takes a share (docs/specs/share-store.md, "Write protocol"): space is promised first,
 * every block is checked as it arrives, and the share is acknowledged once it is durable. Nothing
 * is ever kept that its storage index does not vouch for, and at most 512 KiB of a share wait in memory.
 */
import { toBase32 } from '../base/base32.ts'
import type { Clock } from '../base/clock.ts'
import { untilAborted, withDeadline } from '../base/deadline.ts'
import { GridError } from '../base/errors.ts'
import { Budget, within } from '../base/limit.ts'
import type { TokenBucket } from '../base/token-bucket.ts'
import type { Trace } from '../base/trace.ts'
import { ShareVerifier } from '../encoding/share-verifier.ts'
import type { Medium } from './medium.ts'
import type { PutOutcome, RequestOptions, ShareBody, StorageIndex } from './peer.ts'
import { shareName } from './share-name.ts'
import type { ShareStore } from './share-store.ts'
import type { SpaceReserve } from './space-reserve.ts'
import { isIntact, isOfNewerFormat } from './stored-share.ts'

/** Bytes of a share that are gathered before they are written: each write costs a trip to another thread. */
export const gatherBytes: number = 512 * 1024

/** A put that has not ended by then is given up, and its space is free again. */
export const putDeadlineMs: number = 10 * 60 * 1000

export interface ShareIntakeOptions {
  store: ShareStore
  space: SpaceReserve
  /** Bytes of held shares that may be read through to answer a put without its body. */
  proofs: TokenBucket
  clock: Clock
  trace: Trace
  medium: Medium
  /** Puts carried out together. */
  maxPuts: number
  /** Puts that may wait for their turn. */
  maxWaitingPuts: number
}

export interface Put {
  storageIndex: StorageIndex
  shareNumber: number
  share: ShareBody
  options: RequestOptions
  /** Who puts it: nobody in particular if undefined. */
  by?: string | undefined
}

/** Puts of one client that may be under way while others wait. */
const fairPuts = 16

/** Puts of one share that are under way together: the first that is whole is stored. */
interface Race {
  puts: number
  readonly finish: Budget
  won: boolean
}

export class ShareIntake {
  readonly #options: ShareIntakeOptions
  readonly #places: Budget
  readonly #races = new Map<string, Race>()
  /** Puts carried out or waiting: all, and those of each client. */
  #present = 0
  readonly #presentBy = new Map<string, number>()

  constructor(options: ShareIntakeOptions) {
    this.#options = options
    this.#places = new Budget(options.maxPuts)
  }

  /** As `putShare` of StoragePeer, its arguments in bounds. */
  async take(put: Put): Promise<PutOutcome> {
    const { clock, medium, maxPuts, maxWaitingPuts } = this.#options
    medium.checkWritable()
    if (this.#present >= maxPuts + maxWaitingPuts) {
      throw new GridError('E_BUSY', 'too many puts under way')
    }
    const leave = this.#enter(put.by)
    try {
      return await withDeadline(
        clock,
        putDeadlineMs,
        (signal) => within(this.#places, 1, () => this.#run(put, signal), { signal }),
        put.options,
      )
    } finally {
      leave()
    }
  }

  /** Counts a put, until what it returns is called. Once others wait nobody may have more than a fair share: E_BUSY. */
  #enter(by: string | undefined): () => void {
    const own = by === undefined ? 0 : (this.#presentBy.get(by) ?? 0)
    if (own >= fairPuts && this.#present >= this.#options.maxPuts) {
      throw new GridError('E_BUSY', 'too many of your puts under way')
    }
    this.#present++
    if (by !== undefined) this.#presentBy.set(by, own + 1)
    return () => {
      this.#present--
      if (by === undefined) return
      const left = this.#presentBy.get(by)! - 1
      if (left > 0) this.#presentBy.set(by, left)
      else this.#presentBy.delete(by)
    }
  }

  async #run(put: Put, signal: AbortSignal): Promise<PutOutcome> {
    const { storageIndex, shareNumber, share } = put
    this.#options.medium.checkWritable()
    const name = shareName(storageIndex, shareNumber)
    const race = this.#races.get(name) ?? { puts: 0, finish: new Budget(1), won: false }
    this.#races.set(name, race)
    race.puts++
    let endPromise: (() => void) | undefined
    try {
      if (await this.#holds(storageIndex, shareNumber)) return 'had'
      endPromise = await this.#options.space.promise(share.shareBytes)
      return await this.#receive(put, race, signal)
    } finally {
      endPromise?.()
      if (--race.puts === 0) this.#races.delete(name)
    }
  }

  /**
   * Whether the share is held and sound, so that the body need not be taken. Reading it through
   * costs the client nothing, so there is a rate; beyond it the body is taken all the same. A
   * damaged share is replaced; one of a newer format never. Throws E_VERSION for that.
   */
  async #holds(storageIndex: StorageIndex, shareNumber: number): Promise<boolean> {
    const reader = await this.#options.store.read(storageIndex, shareNumber)
    if (reader === undefined) return false
    try {
      const held = { storageIndex, shareNumber, reader }
      if (await isOfNewerFormat(held))
        throw new GridError('E_VERSION', 'a share of a newer format is here under this number')
      if (!this.#options.proofs.tryTake(reader.shareBytes)) return false
      return await isIntact(held)
    } finally {
      await reader.close()
    }
  }

  async #receive(put: Put, race: Race, signal: AbortSignal): Promise<PutOutcome> {
    const { storageIndex, shareNumber, share, options } = put
    const { store, medium, trace } = this.#options
    const verifier = new ShareVerifier(storageIndex, shareNumber, share.shareBytes)
    const writer = await medium.watch(store.create(storageIndex, shareNumber, share.shareBytes))
    try {
      let receivedBytes = 0
      let gathered: Uint8Array[] = []
      let gatheredBytes = 0
      for await (const piece of untilAborted(share.pieces, signal)) {
        if (race.won) return 'had'
        verifier.push(piece)
        gathered.push(piece)
        gatheredBytes += piece.length
        if (gatheredBytes >= gatherBytes) {
          await medium.watch(writer.write(gathered))
          gathered = []
          gatheredBytes = 0
        }
        receivedBytes += piece.length
        options.onProgress?.(receivedBytes)
      }
      verifier.finish()
      await medium.watch(writer.write(gathered))
      return await within(race.finish, 1, async () => {
        if (race.won) return 'had'
        await medium.watch(writer.commit())
        race.won = true
        trace.event('storage.stored', { storageIndex: toBase32(storageIndex), shareNumber })
        return 'stored'
      })
    } finally {
      await writer.abort()
    }
  }
}
