/**
 * Promises of space (docs/specs/share-store.md, "Space"): what a server may still take, so that
 * puts under way never get together into the reserve, in whatever order they start and end.
 */
import { GridError } from '../base/errors.ts'
import type { ShareStore, Space } from './share-store.ts'

/** What the smallest share is charged, so that tiny ones cannot use up the file system's tables. */
const minChargeBytes = 4096

/** Kept free unless the operator says otherwise: 1 GiB, or 5 % of a larger disk. */
export function defaultReserveBytes(totalBytes: number): number {
  return Math.max(2 ** 30, Math.ceil(totalBytes / 20))
}

export class SpaceReserve {
  readonly #store: Pick<ShareStore, 'space'>
  readonly #reserveBytes: number | undefined
  /** Of all promises so far. */
  #promisedBytes = 0
  /** Of those that have ended. */
  #endedBytes = 0

  /** `reserveBytes` is kept free; a default by the size of the disk if undefined. */
  constructor(store: Pick<ShareStore, 'space'>, reserveBytes: number | undefined) {
    this.#store = store
    this.#reserveBytes = reserveBytes
  }

  /** Bytes that could still be promised. */
  async freeBytes(): Promise<number> {
    const endedBefore = this.#endedBytes
    return Math.max(0, this.#left(await this.#store.space(), endedBefore))
  }

  /** Whether half of the reserve is left: below that nothing is written that does not end something. */
  async isHalfLeft(): Promise<boolean> {
    const { freeBytes, totalBytes } = await this.#store.space()
    return freeBytes >= this.#reserveOf(totalBytes) / 2
  }

  /** Promises space for `byteCount`; returns the function that ends the promise. Throws E_FULL. */
  async promise(byteCount: number): Promise<() => void> {
    const chargeBytes = Math.max(byteCount, minChargeBytes)
    const endedBefore = this.#endedBytes
    const space = await this.#store.space()
    // from here to the promise nothing may wait, or two would be promised the same bytes
    if (chargeBytes > this.#left(space, endedBefore)) {
      throw new GridError('E_FULL', 'no space left beyond the reserve')
    }
    this.#promisedBytes += chargeBytes
    let ended = false
    return () => {
      if (!ended) this.#endedBytes += chargeBytes
      ended = true
    }
  }

  /**
   * What `space` leaves, asked for when promises of `endedBefore` bytes had ended: those that ended
   * since may or may not be in the answer, and count as still to come.
   */
  #left({ freeBytes, totalBytes }: Space, endedBefore: number): number {
    return freeBytes - this.#reserveOf(totalBytes) - (this.#promisedBytes - endedBefore)
  }

  #reserveOf(totalBytes: number): number {
    return this.#reserveBytes ?? defaultReserveBytes(totalBytes)
  }
}
