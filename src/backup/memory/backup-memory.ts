/**
 * What a backup remembers from one run to the next (docs/specs/backup-cache.md): the cache of the
 * last run to read, and that of this one to write, which takes its place in the end.
 *
 * One run at a time may use a folder: whoever opens it holds a lock.
 */
import { equalBytes } from '../../base/bytes.ts'
import { isGridError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type { CacheFile, CacheFolder } from './cache-folder.ts'
import { undescribed } from './cache-layout.ts'
import { CacheReader } from './cache-reader.ts'
import type { CacheRows } from './cache-rows.ts'
import { commitRun, createRows, destroyRun, openRun, runsIn } from './cache-runs.ts'
import { CacheWriter } from './cache-writer.ts'
import type { CachedKeys } from './cached-keys.ts'
import type { KnownStream } from '../../node/content/known-stream.ts'
import type { ObjectTable } from './object-table.ts'
import { pageKeyBytes } from './sealed-page.ts'

export interface MemoryOptions {
  random: Random
  /** 32 bytes: a digest of all that makes rows of one run of use to another. */
  basis: Uint8Array
  /** 32 bytes: a digest of what entries are described by, besides what fingerprints tell of. */
  described?: Uint8Array
  keys: CachedKeys
  /** Take nothing from the last run, whatever there is. */
  forget?: boolean
}

/** Why nothing is remembered: there was no run, its cache is damaged, or it was made otherwise. */
export type Forgotten = 'none' | 'damaged' | 'other'

interface Opened {
  old: CacheReader | undefined
  /** Of which snapshot it is, where that is known. */
  snapshotId?: Uint8Array | undefined
  forgotten: Forgotten | undefined
}

interface Parts extends Opened {
  described: Uint8Array
  folder: CacheFolder
  /** The number of this run. */
  run: number
  key: Uint8Array
  /** What this run takes the place of, whether it can be read or not. */
  replaced: number | undefined
}

export class BackupMemory {
  readonly #parts: Parts
  /** Takes the rows of this run. */
  readonly writer: CacheWriter

  private constructor(parts: Parts, options: MemoryOptions) {
    this.#parts = parts
    const { folder, run, key, old } = parts
    const { basis, keys } = options
    const { described } = parts
    const create = (): CacheFile => createRows(folder, run)
    this.writer = new CacheWriter({ basis, described, keys, key, old, create })
  }

  /**
   * Opens what the last run left, after destroying all that runs left which did not end. Nothing is
   * written before the first page of rows is full.
   *
   * @throws E_IO where what is left cannot be destroyed
   */
  static async open(folder: CacheFolder, options: MemoryOptions): Promise<BackupMemory> {
    const runs = await runsIn(folder)
    let opened: Opened | undefined
    let replaced: number | undefined
    for (const run of runs) {
      const found = opened?.old === undefined && replaced === undefined
      const next = found ? tryOpen(folder, run, options) : undefined
      if (next === undefined || next.forgotten === 'damaged') {
        opened ??= next
        await destroyRun(folder, run)
      } else {
        opened = next
        replaced = run
      }
    }
    if (runs.length > (replaced === undefined ? 0 : 1)) await folder.sync()
    const { old, snapshotId, forgotten } = opened ?? { old: undefined, forgotten: 'none' }
    const key = options.random.bytes(pageKeyBytes)
    const run = (runs[0] ?? 0) + 1
    const { described = undescribed } = options
    const found = { old, snapshotId, forgotten }
    return new BackupMemory({ folder, run, key, replaced, described, ...found }, options)
  }

  /**
   * What the last run left, to be looked at and closed; nothing is destroyed, and another run may be
   * under way. Undefined if it is forgotten.
   */
  static async look(
    folder: CacheFolder,
    options: Omit<MemoryOptions, 'random'>,
  ): Promise<CacheReader | undefined> {
    for (const run of await runsIn(folder)) {
      const opened = tryOpen(folder, run, options)
      if (opened !== undefined) return opened.old
    }
    return undefined
  }

  /** Undefined if the last run is remembered. */
  get forgotten(): Forgotten | undefined {
    return this.#parts.forgotten
  }

  /** Whether entries that are as they were would be described as they were. */
  get isDescribedAlike(): boolean {
    const { old, described } = this.#parts
    return old !== undefined && equalBytes(old.described, described)
  }

  /** The entry of the log that the last run came to; undefined if that is not known. */
  get snapshotId(): Uint8Array | undefined {
    return this.#parts.old && this.#parts.snapshotId
  }

  /** The objects that the rows of the last run name. */
  get before(): ObjectTable | undefined {
    return this.#parts.old?.objects
  }

  /** A new cursor over the rows of the last run; undefined if it is forgotten. */
  rows(): CacheRows | undefined {
    return this.#parts.old?.rows()
  }

  /** The objects that the rows of this run name so far. */
  get objects(): ObjectTable {
    return this.writer.objects
  }

  /** Where a stream of this tag is stored: one of the last run, or of a row of this one. Throws E_CACHE, E_IO. */
  known(tag: Uint8Array): KnownStream | undefined {
    return this.#parts.old?.known(tag) ?? this.writer.known(tag)
  }

  /**
   * Puts what this run remembers in the place of what the last one did, and destroys that. When it
   * throws, or the power goes, the next run finds the one or the other. Nothing may be asked after it.
   *
   * @param snapshotId - the entry of the log that this run came to
   * @throws RangeError before the root was left; E_IO, E_FULL
   */
  async commit(snapshotId?: Uint8Array): Promise<void> {
    const { folder, run, key, replaced } = this.#parts
    try {
      await this.writer.finish()
    } finally {
      this.#close()
    }
    await commitRun(folder, run, key, snapshotId)
    key.fill(0)
    if (replaced === undefined) return
    await destroyRun(folder, replaced)
    await folder.sync()
  }

  /** Forgets this run, and leaves what the last one remembered. */
  async abandon(): Promise<void> {
    const { folder, run, key } = this.#parts
    this.#close()
    key.fill(0)
    await destroyRun(folder, run)
  }

  #close(): void {
    this.writer.close()
    this.#parts.old?.close()
  }
}

/** Undefined for a run that never counted. */
function tryOpen(
  folder: CacheFolder,
  run: number,
  options: Omit<MemoryOptions, 'random'>,
): Opened | undefined {
  let rows: CacheFile | undefined
  try {
    const files = openRun(folder, run)
    if (files === undefined) return undefined
    rows = files.rows
    const old = options.forget === true ? undefined : CacheReader.open(rows, files.key)
    if (old?.keys === options.keys && equalBytes(old.basis, options.basis))
      return { old, snapshotId: files.snapshotId, forgotten: undefined }
    rows.close()
    return { old: undefined, forgotten: 'other' }
  } catch (error) {
    rows?.close()
    if (!isGridError(error, 'E_CACHE', 'E_IO')) throw error
    return { old: undefined, forgotten: 'damaged' }
  }
}
