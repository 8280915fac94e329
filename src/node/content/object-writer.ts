/**
 * Objects on their way to servers, many side by side: each is named as soon as it is encoded, and
 * all of them are waited for in the end.
 */
import { setMaxListeners } from 'node:events'
import { Budget } from '../../base/limit.ts'
import type { Pacer } from '../../base/pacer.ts'
import type { ContentOptions, EncodedShares, EncodeSettings } from '../../encoding/encoder.ts'
import type { ContentStore } from '../../tree/node-sink.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { LogAccount } from '../logs/log-account.ts'
import type { Placer } from './placer.ts'
import type { Redundancy } from '../placement/placement.ts'
import { StoreSums, type StoreTotals } from '../objects/store-totals.ts'

/** Bytes of sealed content that are being encoded and placed at once. */
const maxFlyingBytes = 16 * 2 ** 20
/** With a limited rate, so many seconds' worth is on its way at once: a put that takes minutes is given up by servers. */
const pacedSeconds = 60

/** An object on its way. */
export interface FlyingObject {
  /** Resolves as soon as it is encoded. */
  named: Promise<ObjectRef>
  /** Resolves once it is on enough servers. */
  stored: Promise<void>
}

export class ObjectWriter {
  readonly #placer: Placer
  readonly redundancy: Redundancy
  readonly settings: EncodeSettings
  readonly #flying = new Budget(maxFlyingBytes)
  readonly #places = new Set<Promise<unknown>>()
  readonly #sums: StoreSums
  readonly #pacer: Pacer | undefined
  readonly #account: LogAccount | undefined
  readonly #paced: Budget | undefined
  readonly #stop = new AbortController()
  /** Aborts when the caller does, and with the first failure. */
  readonly signal: AbortSignal

  constructor(
    placer: Placer,
    how: {
      redundancy: Redundancy
      settings: EncodeSettings
      pacer?: Pacer
      account?: LogAccount
    },
    options: { signal?: AbortSignal },
  ) {
    this.#placer = placer
    this.redundancy = how.redundancy
    this.settings = how.settings
    this.#sums = new StoreSums(how.redundancy.n)
    this.#pacer = how.pacer
    this.#account = how.account
    this.#paced =
      how.pacer && new Budget(Math.max(1, Math.floor(how.pacer.bytesPerSecond * pacedSeconds)))
    this.signal = options.signal
      ? AbortSignal.any([options.signal, this.#stop.signal])
      : this.#stop.signal
    // every object on its way listens to it
    setMaxListeners(0, this.signal)
  }

  /** Of what is stored so far. */
  get totals(): StoreTotals {
    return this.#sums.totals
  }

  /** Resolves when the object has a name; it is placed meanwhile. `content` is handed over. */
  readonly store: ContentStore = async (content) => {
    const { named } = await this.begin(content, 0)
    return named
  }

  /**
   * Resolves when there is room for the object. `content` is handed over with the memory it lies in,
   * and holds so many bytes of files.
   */
  async begin(
    content: Uint8Array,
    plaintextBytes: number,
    giveBack?: ContentOptions['giveBack'],
  ): Promise<FlyingObject> {
    const { signal } = this
    const { length } = content
    const land = await this.#flying.take(length, { signal })
    const encoder = this.#placer.encoderFor(length)
    const shares = encoder.content(content, this.settings, { signal, giveBack })
    const stored = shares.then((encoded) => this.place(encoded, plaintextBytes)).finally(land)
    this.#follow(stored)
    return { named: shares.then(nameOf), stored }
  }

  /**
   * Places an object that is encoded, and gives its memory back; resolves once it is on enough
   * servers. A failure ends everything, whoever waits for it.
   */
  place(shares: EncodedShares, plaintextBytes: number): Promise<void> {
    const placed = this.#place(shares, plaintextBytes)
    this.#follow(placed)
    return placed
  }

  async #place(shares: EncodedShares, plaintextBytes: number): Promise<void> {
    const { signal } = this
    const pacer = this.#pacer
    const bytes = shares.shares.reduce((sum, { length }) => sum + length, 0)
    let leave: (() => void) | undefined
    try {
      leave = await this.#paced?.take(bytes, { signal })
    } catch (error) {
      shares.release(true)
      throw error
    }
    try {
      const account = this.#account
      const options = { signal, pacer, account }
      const report = await this.#placer.place(shares, this.redundancy, options)
      this.#sums.add(report, plaintextBytes)
    } finally {
      leave?.()
    }
  }

  /** Resolves when every object is on the disks of enough servers, or throws what kept one from it. */
  async settle(): Promise<void> {
    while (this.#places.size > 0) await Promise.allSettled(this.#places)
    this.signal.throwIfAborted()
  }

  /** Gives up whatever is under way, and waits for it. */
  async abort(reason: unknown): Promise<void> {
    this.#stop.abort(reason)
    await Promise.allSettled(this.#places)
  }

  /** A failure ends everything: what was written above it could not be read. */
  #follow(placing: Promise<unknown>): void {
    const followed = placing
      .catch((error: unknown) => this.#stop.abort(error))
      .finally(() => this.#places.delete(followed))
    this.#places.add(followed)
  }
}

export function nameOf({ root, coding, ciphertextBytes }: EncodedShares): ObjectRef {
  return { root, ...coding, ciphertextBytes }
}
