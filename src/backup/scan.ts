/**
 * Adds up what a backup has before it, in small pieces beside the work itself, so that its end can
 * be told.
 */
import type { Clock } from '../base/clock.ts'
import type { BackupSource } from './source.ts'

/** Entries between two looks at the clock. */
const stretch = 64

export class Scan {
  readonly #clock: Clock
  readonly #steps: ReturnType<BackupSource['walk']>
  #files = 0
  #bytes = 0
  #isDone = false

  constructor(source: BackupSource, clock: Clock) {
    this.#steps = source.walk()
    this.#clock = clock
  }

  /** All files and their bytes; undefined until everything was seen. */
  get total(): { files: number; bytes: number } | undefined {
    return this.#isDone ? { files: this.#files, bytes: this.#bytes } : undefined
  }

  /** Goes on for about so long. */
  advance(budgetMs: number): void {
    const endMs = this.#clock.monotonicMs() + budgetMs
    while (!this.#isDone && this.#clock.monotonicMs() < endMs) {
      for (let i = 0; i < stretch && !this.#isDone; i++) {
        const next = this.#steps.next()
        if (next.done) this.#isDone = true
        else this.#count(next.value)
      }
    }
  }

  /** Lets go of what it holds open. */
  end(): void {
    this.#steps.return()
  }

  #count({ step, entry }: { step: string; entry: { kind: string; sizeBytes: number } }): void {
    if (step !== 'entry' || entry.kind !== 'file') return
    this.#files++
    this.#bytes += entry.sizeBytes
  }
}
