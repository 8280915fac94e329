/**
 * Bundles: objects that hold many sealed streams, end to end (docs/specs/encoding.md, "Bundles").
 * Where one ends depends on the keyed digests and the lengths of the streams in it, so equal runs
 * of streams give equal bundles soon after they begin.
 */

/** A stream that would take a bundle past this begins another. */
export const maxBundleBytes: number = 8 * 2 ** 20
/** A bundle shorter than this does not end by itself. */
export const minBundleBytes: number = 2 ** 20
/** Bytes from the least length to an end, on average. */
const meanStretchBytes = 3 * 2 ** 20

/** The bundle being filled. */
export class Bundle {
  #room: Uint8Array
  #bytes = 0

  /** @param room - memory to fill first, handed over; what it holds is lost */
  constructor(room: Uint8Array = new Uint8Array(0)) {
    this.#room = room
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether a stream of this length must begin another bundle. */
  isPassedBy(streamBytes: number): boolean {
    return this.#bytes > 0 && this.#bytes + streamBytes > maxBundleBytes
  }

  /** Adds a copy of a sealed stream, or of a node's slice; returns where it starts. */
  add(stream: Uint8Array): number {
    const offset = this.#bytes
    this.#bytes += stream.length
    if (this.#bytes > this.#room.length) {
      const grown = new Uint8Array(Math.max(this.#bytes, Math.min(2 * this.#bytes, maxBundleBytes)))
      grown.set(this.#room.subarray(0, offset))
      this.#room = grown
    }
    this.#room.set(stream, offset)
    return offset
  }

  /** Whether it ends behind the stream just added, of cut value u (0 … 2^32-1) and this length. */
  endsAfter(streamBytes: number, cutValue: number): boolean {
    if (this.#bytes < minBundleBytes) return false
    return BigInt(cutValue) * BigInt(meanStretchBytes) < BigInt(streamBytes) << 32n
  }

  /** The streams end to end: what is padded and encoded as an object. The caller owns it, and the bundle is over. */
  content(): Uint8Array {
    return this.#room.subarray(0, this.#bytes)
  }
}

/** A stream ready for a bundle. */
export interface BundleStream {
  /** Commitment and ciphertext, or a node's slice. */
  sealed: Uint8Array
  cutValue: number
}

export interface BundledItem<T> {
  item: T
  /** Where its stream starts in the bundle's object. */
  offset: number
}

export interface FullBundle<T> {
  content: Uint8Array
  items: BundledItem<T>[]
}

/** Cuts a sequence of streams into bundles. Each stream stands for an item of its caller's. */
export class Bundler<T> {
  readonly #newRoom: () => Uint8Array
  #bundle: Bundle | undefined
  #items: BundledItem<T>[] = []

  /** @param newRoom - gives memory for the next bundle, as the Bundle wants it */
  constructor(newRoom: () => Uint8Array = () => new Uint8Array(0)) {
    this.#newRoom = newRoom
  }

  /**
   * Adds the next stream, which is copied; returns the bundles that this ended, in order: none, one
   * or two.
   */
  add({ sealed, cutValue }: BundleStream, item: T): FullBundle<T>[] {
    const ended = this.#bundle?.isPassedBy(sealed.length) ? this.finish() : []
    const bundle = (this.#bundle ??= new Bundle(this.#newRoom()))
    this.#items.push({ item, offset: bundle.add(sealed) })
    return bundle.endsAfter(sealed.length, cutValue) ? [...ended, ...this.finish()] : ended
  }

  /** Ends the bundle that is open; none if nothing is in it. */
  finish(): FullBundle<T>[] {
    if (this.#bundle === undefined) return []
    const ended = { content: this.#bundle.content(), items: this.#items }
    this.#bundle = undefined
    this.#items = []
    return [ended]
  }
}
