/**
 * The journal as a run uses it: where the disk does not take what is added, the run after this one
 * has more to do, and this one goes on.
 */
import { isGridError } from '../../base/errors.ts'
import type { KnownStream } from '../../node/known-stream.ts'
import type { StoredFile, TaggedStream } from '../../node/stored-file.ts'
import type { Journal } from './journal.ts'

export class Unfinished {
  readonly #journal: Journal

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** As `Journal.find`. */
  find(path: Uint8Array, fingerprint: Uint8Array): StoredFile | undefined {
    return this.#journal.find(path, fingerprint)
  }

  /** As `Journal.extentsOf`. */
  extentsOf(path: Uint8Array, fingerprint: Uint8Array): TaggedStream[] {
    return this.#journal.extentsOf(path, fingerprint)
  }

  /** As `Journal.known`. */
  known(tag: Uint8Array): KnownStream | undefined {
    return this.#journal.known(tag)
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
