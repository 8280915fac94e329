/** What is backed up: a tree that can be walked, described and read, on this machine or in memory. */
import type { EntryFacts } from '../local/facts.ts'
import type { LocalEntry } from '../local/local-entry.ts'
import type { LocalFile } from '../local/local-file.ts'
import { LocalTree, type LocalStep } from '../local/local-tree.ts'
import type { FileInput } from '../node/content/file-upload.ts'

/** A file open for reading. */
export interface SourceFile {
  input: FileInput & { sizeBytes?: number }
  /** Once it is not needed any more. */
  close: () => void
  /** On this machine. */
  opened?: LocalFile
}

/** All but `walk` is about the entry of the current step. */
export interface BackupSource {
  /** As `LocalTree.walk`; to be walked once. */
  walk(): Generator<LocalStep, void>
  /** @param file - the entry itself, if it is open. Throws the system's error. */
  describe(entry: LocalEntry, file?: SourceFile): EntryFacts
  /** Throws E_FILE_CHANGED, or the system's error. */
  open(entry: LocalEntry): SourceFile
}

export class LocalSource implements BackupSource {
  readonly #tree: LocalTree

  constructor(...parts: ConstructorParameters<typeof LocalTree>) {
    this.#tree = new LocalTree(...parts)
  }

  walk(): Generator<LocalStep, void> {
    return this.#tree.walk()
  }

  describe(entry: LocalEntry, file?: SourceFile): EntryFacts {
    return this.#tree.describe(entry, file?.opened)
  }

  open(entry: LocalEntry): SourceFile {
    const file = this.#tree.open(entry)
    const { fd, sizeBytes } = file
    return { input: { fd, sizeBytes }, close: () => file.close(), opened: file }
  }
}
