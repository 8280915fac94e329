/**
 * Objects on their way to servers, many side by side: each is named as soon as it is encoded, and
 * all of them are waited for in the end.
 */
import { setMaxListeners } from 'node:events'
import { Budget } from '../base/limit.ts'
import type { EncodedShares, EncodeSettings } from '../encoding/encoder.ts'
import type { ContentStore } from '../tree/node-sink.ts'
import type { ObjectRef } from '../tree/refs.ts'
import type { ObjectReport } from './object-upload.ts'
import type { Placer } from './placer.ts'
import type { Redundancy } from './placement.ts'

/** Bytes of sealed content that are being encoded and placed at once. */
const maxFlyingBytes = 24 * 2 ** 20

export class ObjectWriter {
  readonly #placer: Placer
  readonly redundancy: Redundancy
  readonly settings: EncodeSettings
  readonly reports: ObjectReport[] = []
  readonly #flying = new Budget(maxFlyingBytes)
  readonly #places = new Set<Promise<unknown>>()
  readonly #stop = new AbortController()
  /** Aborts when the caller does, and with the first failure. */
  readonly signal: AbortSignal

  constructor(
    placer: Placer,
    how: { redundancy: Redundancy; settings: EncodeSettings },
    options: { signal?: AbortSignal },
  ) {
    this.#placer = placer
    this.redundancy = how.redundancy
    this.settings = how.settings
    this.signal = options.signal
      ? AbortSignal.any([options.signal, this.#stop.signal])
      : this.#stop.signal
    // every object on its way listens to it
    setMaxListeners(0, this.signal)
  }

  /** Resolves when the object has a name; it is placed meanwhile. `content` is handed over. */
  readonly store: ContentStore = async (content) => {
    const { signal } = this
    const land = await this.#flying.take(content.length, { signal })
    try {
      const encoder = this.#placer.encoderFor(content.length)
      const shares = await encoder.content(content, this.settings, { signal })
      this.#follow(this.place(shares, { signal }).finally(land))
      return nameOf(shares)
    } catch (error) {
      land()
      throw error
    }
  }

  /** Places an object that is encoded, and resolves once that is done. */
  async place(shares: EncodedShares, { signal }: { signal: AbortSignal }): Promise<ObjectReport> {
    const report = await this.#placer.place(shares, this.redundancy, { signal })
    this.reports.push(report)
    return report
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
