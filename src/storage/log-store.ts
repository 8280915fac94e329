/**
 * Where a server keeps the logs of others: in memory or on disk, under one suite
 * (test/suites/log-store.ts). It keeps bytes in order; whether they are right is LogKeeper's business.
 *
 * What is shown is durable. Nothing is ever overwritten or removed. Failures are E_FULL where there
 * is no space and E_IO otherwise, with the fact `failing` as for shares (share-store.ts).
 */
import type { Space } from './share-store.ts'

/** The name of a log: 32 bytes, the hash of its genesis. */
export type LogId = Uint8Array

export const logIdBytes = 32
/** Bytes of an author's public key, and of an entry's id. */
export const authorBytes = 32
export const entryIdBytes = 32
/** Longest head or body of an entry. */
export const maxPartBytes: number = 2 ** 20
/** Entries of one chain that go to the disk together. */
export const maxRunEntries = 256

export interface LogStore {
  /** Readies the store: removes temporary files of appends that never ended. Call once, first. */
  open(): Promise<void>
  /** Logs kept: counted when it is first asked for, then kept up to date. */
  count(): Promise<number>
  /** Yields the names of all logs, in no order; what is begun meanwhile may be among them or not. */
  names(): AsyncIterable<LogId>
  /**
   * The log of this name, or undefined where there is none. At most one `StoredLog` of a log may be
   * used in a process.
   */
  log(logId: LogId): Promise<StoredLog | undefined>
  /** Begins a log, durably; one that is there stays as it is. */
  create(logId: LogId, genesis: Uint8Array): Promise<StoredLog>
  /** How much could still be written. */
  space(): Promise<Space>
}

/** One log that is kept. All its bytes but those of entries are in memory. */
export interface StoredLog {
  readonly genesis: Uint8Array
  /** Bytes of all entries, heads and bodies. */
  readonly bytes: number
  /** Takes in what other processes have added since; says whether there was any. */
  refresh(): Promise<boolean>
  /** Public keys of all authors, in order of their bytes. */
  authors(): Uint8Array[]
  /** The chain of an author: entry `seq` at `seq - 1`, without gaps. Borrowed: do not change it. */
  chain(author: Uint8Array): readonly StoredEntry[]
  /** Entries that stand beside the chain: another one of the same number came first. In order of numbers. */
  forks(author: Uint8Array): readonly StoredEntry[]
  /**
   * The head of an entry, and its body if `withBody`. E_IO, with the fact `damaged` where they are
   * no longer what they were. The caller owns them.
   */
  read(entry: StoredEntry, withBody: boolean): Promise<EntryBytes>
  /**
   * Adds entries, durably: all of them, or none that is shown. Two appends to one log must not
   * overlap. Entries of one chain come in order, each the next of it; forks, and an entry that is
   * held without its body, wherever they belong.
   *
   * @param records - borrowed until it resolves
   */
  append(records: readonly EntryRecord[]): Promise<void>
}

/** What is told of an entry without reading it. */
export interface EntryFacts {
  /** The author's public key. */
  readonly author: Uint8Array
  /** From 1. */
  readonly seq: number
  readonly id: Uint8Array
  /** When it was received, by this server's wall clock. */
  readonly receivedMs: number
  /** It stands beside the chain, as evidence. */
  readonly fork: boolean
}

/** An entry that is kept. */
export interface StoredEntry extends EntryFacts {
  readonly headBytes: number
  /** Undefined where the body is not held. */
  readonly bodyBytes: number | undefined
}

export interface EntryBytes {
  /** All but the body: what it is made of is the keeper's business. */
  readonly head: Uint8Array
  /** Undefined where it was not asked for, or is not held. */
  readonly body: Uint8Array | undefined
}

/** An entry to be kept. */
export type EntryRecord = EntryFacts & EntryBytes
