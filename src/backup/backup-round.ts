/**
 * One walk of a backup, from its first step to a stored tree: what changed is stored, directories
 * are built from it, and everything is remembered for the next run.
 */
import type { Clock } from '../base/clock.ts'
import { isDiskError } from '../base/disk.ts'
import { isGridError } from '../base/errors.ts'
import type { EntryFacts } from '../local/facts.ts'
import type { LocalEntry } from '../local/local-entry.ts'
import { detailOf, type Report } from '../local/notice.ts'
import type { FileStore } from '../node/content/file-store.ts'
import type { NamedFile, StoredFile } from '../node/content/stored-file.ts'
import type { BackupCount } from './backup-count.ts'
import type { CachedRow } from './memory/cache-cursor.ts'
import type { DirectoryBuilder } from './directory-builder.ts'
import type { MergedStep, MergedWalk } from './merged-walk.ts'
import { isSettled } from './settled.ts'
import type { BackupSource, SourceFile } from './source.ts'
import { StepQueue } from './step-queue.ts'
import type { Unfinished } from './memory/unfinished.ts'

/** A file on its way into the store. */
export interface RoundItem {
  path: Uint8Array
  fingerprint: Uint8Array
  /** Whether its fingerprint would tell of the next change. */
  isSettled: boolean
  /** What is stored of it so far and was counted as done, in bytes. */
  countedBytes: number
}

export interface RoundParts {
  source: BackupSource
  walk: MergedWalk
  builder: DirectoryBuilder
  files: FileStore<RoundItem>
  unfinished: Pick<Unfinished, 'find' | 'extentsOf' | 'addFile'>
  clock: Clock
  report: Report
  count: BackupCount
  /** Describe everything anew and write every directory: only contents are taken from the last run. */
  rebuild: boolean
  onProgress: ((count: BackupCount) => void) | undefined
  signal: AbortSignal
}

/** Steps that wait for the content of one before them. */
const maxWaiting = 32_768
/** The longest that others of this process wait for a walk that finds nothing to do. */
const breathMs = 20

export class BackupRound {
  readonly #parts: RoundParts
  readonly #steps = new StepQueue()
  /** For each directory that the walk is in: whether anything in it changed. */
  readonly #touched: boolean[] = []
  #breathedMs = 0

  constructor(parts: RoundParts) {
    this.#parts = parts
  }

  /** Resolves when the builder has the root; what it names may still be on its way to servers. */
  async run(): Promise<void> {
    const { walk, signal } = this.#parts
    let steps = 0
    for (const step of walk.walk()) {
      const wait = this.#take(step)
      if (wait !== undefined) await wait
      if (++steps % 64 === 0) await this.#breathe()
      signal.throwIfAborted()
      if (this.#steps.length >= maxWaiting) await this.#drain(maxWaiting - 1)
    }
    await this.#drain(0)
  }

  /** Waits until no more than so many steps do. */
  async #drain(steps: number): Promise<void> {
    const { files, signal } = this.#parts
    await files.endBundle()
    for (;;) {
      await this.#breathe()
      await this.#steps.runReady()
      signal.throwIfAborted()
      if (this.#steps.length <= steps) return
      if (!this.#steps.isReady) await files.settled()
    }
  }

  #take(merged: MergedStep): void | Promise<void> {
    const { builder, count, rebuild } = this.#parts
    switch (merged.step) {
      case 'enter': {
        this.#touched.push(rebuild || !merged.wasThere)
        const { name } = merged.entry
        return this.#steps.push({ run: () => builder.enter(name) })
      }
      case 'gone':
        count.gone++
        return this.#remove(merged.name)
      case 'unseen': {
        const row = this.#steps.length > 0 ? merged.row.kept() : merged.row
        return this.#steps.push({ run: () => builder.keepUnseen(row) })
      }
      case 'entry':
        return this.#takeEntry(merged.entry, merged.fingerprint, merged.row)
      case 'leave':
        return this.#leave(merged.entry, merged.fingerprint, merged.row)
    }
  }

  #takeEntry(
    entry: LocalEntry,
    fingerprint: Uint8Array,
    row: CachedRow | undefined,
  ): void | Promise<void> {
    const { builder, count, rebuild } = this.#parts
    const { kind, sizeBytes, hardLink } = entry
    const isFile = kind === 'file'
    const counts = isFile ? count.files : count.others
    const isSame = row?.matches(fingerprint, hardLink) === true
    if (isSame && !rebuild) {
      counts.unchanged++
      count.doneBytes += sizeBytes
      const kept = this.#steps.length > 0 ? row.kept() : row
      return this.#steps.push({ run: () => builder.keep(kept, isFile ? sizeBytes : undefined) })
    }
    this.#touch()
    const counted = (): void => {
      counts[row === undefined ? 'new' : isSame ? 'unchanged' : 'changed']++
    }
    const settled = isSettled(entry.fingerprint, this.#parts.clock.nowMs())
    const item = { path: entry.path, fingerprint, isSettled: settled, countedBytes: 0 }
    if (isFile) return this.#takeFile(entry, item, row, counted)
    const facts = this.#describe(entry)
    if (facts === undefined) return this.#remove(entry.name)
    counted()
    const built = { facts, fingerprint: settled ? fingerprint : undefined, content: undefined }
    return this.#steps.push({ run: () => builder.put(built) })
  }

  async #takeFile(
    entry: LocalEntry,
    item: RoundItem,
    row: CachedRow | undefined,
    counted: () => void,
  ): Promise<void> {
    const content = this.#contentInHand(item, row)
    if (content !== undefined) {
      const facts = this.#describe(entry)
      if (facts === undefined) return this.#remove(entry.name)
      counted()
      return this.#steps.push({ run: () => this.#put(facts, item, content) })
    }
    const { files, source, unfinished, report } = this.#parts
    let file: SourceFile
    try {
      file = source.open(entry)
    } catch (error) {
      this.#reportUnread(entry.path, error)
      return this.#remove(entry.name)
    }
    const { input, close } = file
    const facts = this.#describe(entry, file)
    if (facts === undefined) {
      close()
      return this.#remove(entry.name)
    }
    const storedExtents = unfinished.extentsOf(item.path, item.fingerprint)
    const slot = await files.add({ item, input, close, storedExtents })
    return this.#steps.push({
      isReady: () => slot.isSettled,
      run: () => {
        const stored = slot.result
        const error = slot.failure?.error
        if (stored === undefined) {
          if (!isGridError(error, 'E_FILE', 'E_FILE_CHANGED')) throw error
          report({ code: 'unreadable', path: item.path, detail: detailOf(error.cause ?? error) })
          this.#parts.builder.remove(facts.name)
          return
        }
        counted()
        this.#parts.count.readBytes += stored.sizeBytes
        this.#remember(item, stored)
        this.#put(facts, item, stored)
      },
    })
  }

  /** The content of a file that need not be read. */
  #contentInHand(item: RoundItem, row: CachedRow | undefined): StoredFile | undefined {
    const { unfinished, count } = this.#parts
    const kept = row?.hasFingerprint(item.fingerprint) === true ? row.content() : undefined
    if (kept !== undefined) return kept
    const found = unfinished.find(item.path, item.fingerprint)
    count.resumedBytes += found?.sizeBytes ?? 0
    return found
  }

  #put(facts: EntryFacts, item: RoundItem, content: StoredFile & { fuzzy?: boolean }): void {
    const { builder, report, count } = this.#parts
    count.doneBytes += content.sizeBytes - item.countedBytes
    const fuzzy = content.fuzzy === true
    if (fuzzy) report({ code: 'changed', path: item.path })
    const fingerprint = fuzzy || !item.isSettled ? undefined : item.fingerprint
    const meta = fuzzy ? { ...facts.meta, fuzzy: true as const } : facts.meta
    builder.put({ facts: { ...facts, meta }, fingerprint, content })
  }

  /** For a run after this one, should it be cut short: not before servers have it. */
  #remember({ path, fingerprint, isSettled }: RoundItem, stored: NamedFile): void {
    if (!isSettled || stored.fuzzy || stored.kind === 'lit') return
    const { unfinished } = this.#parts
    stored.stored.then(
      () => unfinished.addFile(path, fingerprint, stored),
      () => undefined,
    )
  }

  #leave(
    entry: LocalEntry,
    fingerprint: Uint8Array,
    row: CachedRow | undefined,
  ): void | Promise<void> {
    const { builder, count, rebuild, clock } = this.#parts
    const { name } = entry
    const isRoot = entry.path.length === 0
    const touched = this.#touched.pop() === true
    // of the topmost directory nothing is kept but what is in it
    const isSame = isRoot ? row !== undefined : row?.matches(fingerprint) === true
    if (!isRoot) count.directories[row === undefined ? 'new' : isSame ? 'unchanged' : 'changed']++
    if (!touched && isSame && row !== undefined) {
      const kept = this.#steps.length > 0 ? row.kept() : row
      return this.#steps.push({
        run: () => builder.leave({ name, facts: undefined, fingerprint, row: kept }),
      })
    }
    const facts = isRoot ? undefined : this.#describe(entry)
    const base = rebuild ? undefined : row?.kept()
    this.#touch()
    const settled = facts !== undefined && isSettled(entry.fingerprint, clock.nowMs())
    return this.#steps.push({
      run: () =>
        builder.leave({ name, facts, fingerprint: settled ? fingerprint : undefined, row: base }),
    })
  }

  #describe(entry: LocalEntry, file?: SourceFile): EntryFacts | undefined {
    try {
      return this.#parts.source.describe(entry, file)
    } catch (error) {
      this.#reportUnread(entry.path, error)
      return undefined
    }
  }

  #reportUnread(path: Uint8Array, error: unknown): void {
    const code = isDiskError(error, 'ENOENT') ? 'vanished' : 'unreadable'
    this.#parts.report({ code, path, detail: detailOf(error) })
  }

  /**
   * Also for what cannot be read: it is not in the snapshot, even if it was in the last one, and
   * whatever was there in its place.
   */
  #remove(name: Uint8Array): void | Promise<void> {
    this.#touch()
    return this.#steps.push({ run: () => this.#parts.builder.remove(name) })
  }

  #touch(): void {
    if (this.#touched.length > 0) this.#touched[this.#touched.length - 1] = true
  }

  /** Lets timers and sockets have their turn. */
  async #breathe(): Promise<void> {
    const { clock, count, onProgress } = this.#parts
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#breathedMs < breathMs) return
    onProgress?.(count)
    await new Promise<void>((resolve) => clock.after(0, resolve))
    this.#breathedMs = clock.monotonicMs()
  }
}
