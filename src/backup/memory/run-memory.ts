/**
 * What a run knows of those before it: of the last one everything, of one that was cut short what it
 * had stored. And what it leaves to the next.
 */
import { BackupMemory, type MemoryOptions } from './backup-memory.ts'
import type { RowCursor } from './cache-cursor.ts'
import type { CacheFolder } from './cache-folder.ts'
import { Journal } from './journal.ts'
import type { KnownStream } from '../../node/content/known-stream.ts'
import type { RowWriter } from './row-writer.ts'
import type { ObjectTable } from './object-table.ts'
import { Unfinished } from './unfinished.ts'

export class RunMemory {
  readonly #memory: BackupMemory
  readonly unfinished: Unfinished
  /** Whether every entry must be described anew and every directory written, though they are as they were. */
  readonly mustRebuild: boolean

  private constructor(memory: BackupMemory, journal: Journal, options: MemoryOptions) {
    this.#memory = memory
    this.unfinished = new Unfinished(journal)
    // without keys nobody can say what a directory holds that is not walked
    this.mustRebuild = options.keys === 'none' || !memory.isDescribedAlike
  }

  /** Throws E_IO. */
  static async open(folder: CacheFolder, options: MemoryOptions): Promise<RunMemory> {
    const memory = await BackupMemory.open(folder, options)
    try {
      const journal = await Journal.open(folder, options)
      return new RunMemory(memory, journal, options)
    } catch (error) {
      await memory.abandon()
      throw error
    }
  }

  /** Of the last run, to be gone through once; undefined if nothing of it is known. */
  rows(): RowCursor | undefined {
    return this.#memory.rows()
  }

  /** The objects that the snapshot of the last run stands on. */
  get before(): ObjectTable | undefined {
    return this.#memory.before
  }

  /** The entry of the log that the last run came to; undefined if that is not known. */
  get snapshotId(): Uint8Array | undefined {
    return this.#memory.snapshotId
  }

  /** The objects that the rows of this run name so far. */
  get objects(): ObjectTable {
    return this.#memory.objects
  }

  /** Where a stream of this tag is stored. Throws E_CACHE. */
  known(tag: Uint8Array): KnownStream | undefined {
    return this.#memory.known(tag) ?? this.unfinished.known(tag)
  }

  /** Takes the rows of this run. */
  get next(): RowWriter {
    return this.#memory.writer
  }

  /** Objects that the rows of this run name so far. */
  get objectCount(): number {
    return this.#memory.objects.count
  }

  /**
   * Durably in place of what was known before. Nothing may be asked after it.
   *
   * @param snapshotId - the entry of the log that the run came to
   */
  async commit(snapshotId?: Uint8Array): Promise<void> {
    await this.#memory.commit(snapshotId)
    await this.unfinished.discard()
  }

  /** Leaves what was known before, and what this run had stored for the next. */
  async abandon(): Promise<void> {
    try {
      this.unfinished.close()
    } finally {
      await this.#memory.abandon()
    }
  }
}
