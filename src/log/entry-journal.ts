/**
 * Where an author keeps the entry that it has signed and not yet seen at a quorum, as a port: after
 * a crash it offers the same bytes again. Another entry with the same number would be a fork.
 */
import { toHex } from '../base/bytes.ts'
import type { LogEntry } from './entry.ts'

export interface EntryJournal {
  load(author: Uint8Array): Promise<LogEntry | undefined>
  /** Durable on return. */
  save(author: Uint8Array, entry: LogEntry): Promise<void>
  /** Need not be durable: an entry that is offered again is had already. */
  clear(author: Uint8Array): Promise<void>
}

/** A journal that lasts as long as the process. */
export class MemoryEntryJournal implements EntryJournal {
  readonly #entries = new Map<string, LogEntry>()

  async load(author: Uint8Array): Promise<LogEntry | undefined> {
    return this.#entries.get(toHex(author))
  }

  async save(author: Uint8Array, entry: LogEntry): Promise<void> {
    this.#entries.set(toHex(author), entry)
  }

  async clear(author: Uint8Array): Promise<void> {
    this.#entries.delete(toHex(author))
  }
}
