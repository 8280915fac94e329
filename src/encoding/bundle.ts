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

/** The bundle being filled. Streams are borrowed until `content` is called. */
export class Bundle {
  readonly #streams: Uint8Array[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Whether a stream of this length must begin another bundle. */
  isPassedBy(streamBytes: number): boolean {
    return this.#bytes > 0 && this.#bytes + streamBytes > maxBundleBytes
  }

  /** Adds a sealed stream, or a node's slice; returns where it starts. */
  add(stream: Uint8Array): number {
    const offset = this.#bytes
    this.#streams.push(stream)
    this.#bytes += stream.length
    return offset
  }

  /** Whether it ends behind the stream just added, of cut value u (0 … 2^32-1) and this length. */
  endsAfter(streamBytes: number, cutValue: number): boolean {
    if (this.#bytes < minBundleBytes) return false
    return BigInt(cutValue) * BigInt(meanStretchBytes) < BigInt(streamBytes) << 32n
  }

  /** The streams end to end: what is padded and encoded as an object. */
  content(): Uint8Array {
    const out = new Uint8Array(this.#bytes)
    let offset = 0
    for (const stream of this.#streams) {
      out.set(stream, offset)
      offset += stream.length
    }
    return out
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
  #bundle = new Bundle()
  #items: BundledItem<T>[] = []

  /** Adds the next stream; returns the bundles that this ended, in order: none, one or two. */
  add({ sealed, cutValue }: BundleStream, item: T): FullBundle<T>[] {
    const ended = this.#bundle.isPassedBy(sealed.length) ? this.finish() : []
    this.#items.push({ item, offset: this.#bundle.add(sealed) })
    return this.#bundle.endsAfter(sealed.length, cutValue) ? [...ended, ...this.finish()] : ended
  }

  /** Ends the bundle that is open; none if nothing is in it. */
  finish(): FullBundle<T>[] {
    if (this.#items.length === 0) return []
    const ended = { content: this.#bundle.content(), items: this.#items }
    this.#bundle = new Bundle()
    this.#items = []
    return [ended]
  }
}
