/** What a store holds, counted once and then kept as shares come and go. */
import type { ShareTotals } from './share-store.ts'

/** What file systems give out; where one gives out more, the next count at a start puts it right. */
const blockBytes = 4096

export class RunningTotals {
  readonly #files: () => AsyncIterable<{ sizeBytes: number; diskBytes: number }>
  #totals: ShareTotals | undefined
  #counting: Promise<ShareTotals> | undefined

  /** @param files - all share files there are, looked at when somebody first asks */
  constructor(files: () => AsyncIterable<{ sizeBytes: number; diskBytes: number }>) {
    this.#files = files
  }

  /** Throws what `files` throws; the next who asks counts anew then. */
  async get(): Promise<ShareTotals> {
    // whoever asks while it is counted waits for the same count
    this.#totals ??= await (this.#counting ??= this.#countAll())
    return { ...this.#totals }
  }

  /** One more share of so many bytes. */
  add(shareBytes: number): void {
    this.#change(1, shareBytes)
  }

  /** One less. */
  subtract(shareBytes: number): void {
    this.#change(-1, shareBytes)
  }

  #change(sign: 1 | -1, shareBytes: number): void {
    if (this.#totals === undefined) return
    this.#totals.shareCount += sign
    this.#totals.shareBytes += sign * shareBytes
    this.#totals.diskBytes += sign * Math.ceil(shareBytes / blockBytes) * blockBytes
  }

  async #countAll(): Promise<ShareTotals> {
    try {
      const totals = { shareCount: 0, shareBytes: 0, diskBytes: 0 }
      for await (const { sizeBytes, diskBytes } of this.#files()) {
        totals.shareCount++
        totals.shareBytes += sizeBytes
        totals.diskBytes += diskBytes
      }
      return totals
    } finally {
      this.#counting = undefined
    }
  }
}
