/**
 * The journal as a run uses it: where the disk does not take what is added, the run after this one
 * has more to do, and this one goes on.
 */
import { isGridError } from '../../base/errors.ts'
import type { KnownStream } from '../../node/content/known-stream.ts'
import type { StoredFile, TaggedStream } from '../../node/content/stored-file.ts'
import type { Journal } from './journal.ts'

export class Unfinished {
  readonly #journal: Journal
  /** Whether anything was found that an earlier session had stored. */
  wasUsed = false

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** As `Journal.find`. */
  find(path: Uint8Array, fingerprint: Uint8Array): StoredFile | undefined {
    const found = this.#journal.find(path, fingerprint)
    this.wasUsed ||= found !== undefined
    return found
  }

  /** As `Journal.extentsOf`. */
  extentsOf(path: Uint8Array, fingerprint: Uint8Array): TaggedStream[] {
    const found = this.#journal.extentsOf(path, fingerprint)
    this.wasUsed ||= found.length > 0
    return found
  }

  /** As `Journal.known`. */
  known(tag: Uint8Array): KnownStream | undefined {
    const found = this.#journal.known(tag)
    this.wasUsed ||= found !== undefined
    return found
  }

  /** To be called once servers have all of it. */
  addFile(path: Uint8Array, fingerprint: Uint8Array, file: StoredFile): void {
    this.#tried(() => this.#journal.addFile(path, fingerprint, file))
  }

  /** As `addFile`, of one extent of a file that is not all stored; in any order. */
  addExtent(path: Uint8Array, fingerprint: Uint8Array, index: number, stream: TaggedStream): void {
    this.#tried(() => this.#journal.addExtent(path, fingerprint, index, stream))
  }

  /** What was added outlives the process, if it ever will. */
  flush(): void {
    this.#tried(() => this.#journal.flush())
  }

  /** Leaves what is there to the next session. */
  close(): void {
    this.#tried(() => this.#journal.close())
  }

  /** As `Journal.discard`. */
  discard(): Promise<void> {
    return this.#journal.discard()
  }

  #tried(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!isGridError(error, 'E_IO', 'E_FULL')) throw error
    }
  }
}
