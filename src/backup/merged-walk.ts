/**
 * A walk beside what the last run remembers of its own: both come in the same order, so each entry
 * of one meets its like of the other, or is new, or is gone.
 */
import { compareBytes } from '../base/bytes.ts'
import { formatFingerprint } from '../local/fingerprint.ts'
import type { LocalEntry } from '../local/local-entry.ts'
import type { LocalStep } from '../local/local-tree.ts'
import type { CachedRow, RowCursor } from './memory/cache-cursor.ts'

/** One step of both. Entries and rows hold until the next step is asked for. */
export type MergedStep =
  | { step: 'enter'; entry: LocalEntry; wasThere: boolean }
  /** `row` is what the last run remembers of that name: of a directory for a leave, else of none. */
  | {
      step: 'entry' | 'leave'
      entry: LocalEntry
      fingerprint: Uint8Array
      row: CachedRow | undefined
    }
  /** A name that is not in the directory any more which the walk is in. */
  | { step: 'gone'; name: Uint8Array }
  /** Of a walk that was ended early: a row that it did not come to, of any kind. */
  | { step: 'unseen'; row: CachedRow }

/** A directory that the walk is in. */
interface Frame {
  entry: LocalEntry
  wasThere: boolean
}

export class MergedWalk {
  readonly #steps: Iterator<LocalStep>
  readonly #rows: RowCursor | undefined
  readonly #frames: Frame[] = []
  #isStopped = false
  #isWhole = false

  /** `rows` are undefined for a first run. */
  constructor(steps: Iterator<LocalStep>, rows: RowCursor | undefined) {
    this.#steps = steps
    this.#rows = rows
  }

  /** Ends the walk where it is: all directories are left, and what they had besides is `unseen`. */
  stop(): void {
    this.#isStopped = true
  }

  /** Whether it came to its end, and was not ended before. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  *walk(): Generator<MergedStep, void> {
    try {
      while (!this.#isStopped) {
        const next = this.#steps.next()
        if (next.done) {
          this.#isWhole = true
          return
        }
        const { step, entry } = next.value
        if (step === 'enter') yield* this.#enter(entry)
        else if (step === 'entry') yield* this.#pass(entry)
        else {
          yield* this.#passGone(() => true)
          yield* this.#leave()
        }
      }
      while (this.#frames.length > 0) {
        yield* this.#passUnseen()
        yield* this.#leave()
      }
    } finally {
      this.#steps.return?.()
    }
  }

  *#enter(entry: LocalEntry): Generator<MergedStep, void> {
    const row = yield* this.#rowOf(entry.name)
    const wasThere = row?.step === 'enter'
    // a file that gave way to a directory has no more to say
    if (row !== undefined) this.#rows?.advance()
    this.#frames.push({ entry, wasThere })
    yield { step: 'enter', entry, wasThere }
  }

  *#pass(entry: LocalEntry): Generator<MergedStep, void> {
    const row = yield* this.#rowOf(entry.name)
    const fingerprint = formatFingerprint(entry.stats)
    yield { step: 'entry', entry, fingerprint, row: row?.step === 'entry' ? row : undefined }
    if (row !== undefined) this.#skip(row)
  }

  *#leave(): Generator<MergedStep, void> {
    const { entry, wasThere } = this.#frames.pop()!
    const row = wasThere ? this.#rows?.row : undefined
    yield { step: 'leave', entry, fingerprint: formatFingerprint(entry.stats), row }
    if (row !== undefined) this.#rows?.advance()
  }

  /** The row of that name in the directory that the walk is in; passes those before it. */
  *#rowOf(name: Uint8Array): Generator<MergedStep, CachedRow | undefined> {
    if (this.#frames.length === 0) return this.#rows?.row
    yield* this.#passGone((row) => compareBytes(row.name, name) < 0)
    const row = this.#nextHere()
    return row !== undefined && compareBytes(row.name, name) === 0 ? row : undefined
  }

  *#passGone(isGone: (row: CachedRow) => boolean): Generator<MergedStep, void> {
    for (let row = this.#nextHere(); row !== undefined && isGone(row); row = this.#nextHere()) {
      yield { step: 'gone', name: row.name.slice() }
      this.#skip(row)
    }
  }

  *#passUnseen(): Generator<MergedStep, void> {
    let below = 0
    for (;;) {
      const row = below > 0 ? this.#rows?.row : this.#nextHere()
      if (row === undefined) return
      if (row.step === 'enter') below++
      else if (row.step === 'leave') below--
      yield { step: 'unseen', row }
      this.#rows?.advance()
    }
  }

  /** The next row of the directory that the walk is in, if it has one. */
  #nextHere(): CachedRow | undefined {
    if (!this.#frames[this.#frames.length - 1].wasThere) return undefined
    const row = this.#rows?.row
    return row?.step === 'leave' ? undefined : row
  }

  #skip(row: CachedRow): void {
    if (row.step === 'enter') this.#rows?.skipSubtree()
    else this.#rows?.advance()
  }
}
