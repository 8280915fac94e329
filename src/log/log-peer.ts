/**
 * What a client may ask of one server about logs: to append entries, and to read them. A server
 * can do no more; there is no verb that removes or replaces an entry.
 *
 * Entries travel in batches, so that catching up and reading whole logs take few round trips.
 * Nothing that a peer answers is trusted: a reader verifies chains, ids and signatures itself.
 * Every method ends, by success or by a GridError, or by the reason of the signal that gave it up.
 */
import type { ErrorCode } from '../base/errors.ts'
import type { LogEntry, SignedHeader } from './entry.ts'
import type { Receipt } from './receipt.ts'

/** Entries in one append. */
export const maxAppendEntries = 256
/** Headers, signatures, bodies and receipts of one append, counted as in `entryWireBytes`. */
export const maxAppendBytes: number = 4 * 1024 * 1024
/** Receipts that go with one entry that is handed on. */
export const maxHandedReceipts = 32
/** Chains of one log, its admin's included; a server certifies no more authors. */
export const maxChains = 1024
/** The least and the most that `ReadLogRequest.maxBytes` may be. */
export const minReadBytes: number = 2 * 1024 * 1024
export const maxReadBytes: number = 8 * 1024 * 1024
/** Pieces of fork evidence that a server keeps of one chain. */
export const maxForkEvidence = 8

export interface LogRequestOptions {
  /** Gives the request up; the peer may still carry it out. */
  signal?: AbortSignal
}

/** An entry on its way to a server. */
export interface HandedEntry extends LogEntry {
  /**
   * Needed for all but a late snapshot or release, whose body may have been dropped everywhere. A
   * server that holds an entry without its body keeps one that comes later and matches.
   */
  readonly body: Uint8Array | undefined
  /**
   * Receipts of other servers of the log's config, at most 32; empty for an entry that is new. With
   * f + 1 that hold, at least one honest server took the entry when it was written: the entry is
   * then late, is not counted against the author's rate, and its receipt says so.
   */
  readonly receipts: readonly Receipt[]
}

export interface AppendRequest {
  /** 32 bytes. */
  logId: Uint8Array
  /** For a server that does not know the log yet; it starts to keep it if it likes the account. */
  genesis: Uint8Array | undefined
  /** In the order in which they are to be taken: 0 … 256; of several chains, if need be. */
  entries: readonly HandedEntry[]
}

/** Where a chain ends. */
export interface ChainHead {
  /** 32 bytes. */
  author: Uint8Array
  /** ≥ 1. */
  seq: number
  /** 32 bytes. */
  id: Uint8Array
}

/** What came of one entry. */
export type AppendVerdict =
  /** Durable now (`stored`) or before (`had`): both count the same, and carry the one receipt. */
  | { outcome: 'stored' | 'had'; receipt: Receipt }
  /** Another entry of that author and seq is held; this one is kept as evidence of a fork. */
  | { outcome: 'conflict'; held: SignedHeader }
  /** Entries between the head and this one are missing: hand them over first. seq 0 is no entry yet. */
  | { outcome: 'gap'; headSeq: number }
  /** By the rules of the log, or of this server (E_FULL, E_READ_ONLY, E_IO). `reason` is one line. */
  | { outcome: 'refused'; code: ErrorCode; reason: string }

export interface AppendReply {
  /**
   * One for each entry, in order, up to and including the first that was neither stored nor had:
   * what comes after it is not looked at. A server may stop earlier, after at least one.
   */
  verdicts: AppendVerdict[]
  /**
   * Length of the admin's chain that the server held once what it took was durable, 0 for none. By
   * it a writer learns, in the same trip, of rules and configs that it has not heard of.
   */
  adminSeq: number
}

export interface ReadRange {
  /** 32 bytes. */
  author: Uint8Array
  /** ≥ 1. */
  firstSeq: number
  /** ≥ firstSeq, or below it for none; entries past the head are left out. */
  lastSeq: number
}

export interface ReadLogRequest {
  logId: Uint8Array
  /** Whether the genesis is wanted. */
  genesis: boolean
  /** What of chains named here is wanted; at most 1,024, no author twice. */
  ranges: readonly ReadRange[]
  /** Whether all entries of chains that `ranges` does not name are wanted too. */
  others: boolean
  /** Which bodies: those of `rules` are of certificates, revocations, configs and checkpoints. */
  bodies: 'none' | 'rules' | 'all'
  /** Whether the server's receipts are wanted. */
  receipts: boolean
  /** The answer's entries stop before they exceed this (`entryWireBytes`): 2 MiB … 8 MiB. */
  maxBytes: number
}

export interface KeptEntry extends LogEntry {
  /** The server's own, where it was asked for. */
  readonly receipt: Receipt | undefined
}

/** Two entries of one author and seq, both signed by that author. */
export interface ForkEvidence {
  readonly held: SignedHeader
  readonly other: SignedHeader
}

export interface ReadLogReply {
  /** Undefined unless asked for. */
  genesis: Uint8Array | undefined
  /** Of all chains, whatever was asked for; at most 1,024. */
  heads: ChainHead[]
  /**
   * The admin's first, then by author ascending, each chain by seq ascending. Owned by the caller.
   * At least one if any was asked for and is held.
   */
  entries: KeptEntry[]
  /** Forks that the server has seen, at most 8 of a chain and 64 in all. */
  forks: ForkEvidence[]
  /** False if more was asked for than `maxBytes` let through: ask again with ranges moved on. */
  complete: boolean
}

export interface LogPeer {
  /** Peer id: that of the key that signs its receipts. */
  readonly id: string

  /**
   * Appends entries, each durable (file and directory synced) before its verdict is given.
   * Idempotent: an entry that is held is `had`, with the receipt it got at first. What is held is
   * never deleted, overwritten or re-ordered by any request. Appends to one log are taken one after
   * another, in some order.
   *
   * An entry is taken if and only if `LogState.check` says so.
   *
   * @param request - borrowed until the promise settles
   * @throws E_ABSENT if the log is unknown and no genesis is given; E_GENESIS for one that is not
   *   this log's; E_FORBIDDEN if no log of this account is kept here; E_BAD_REQUEST for arguments
   *   out of bounds; E_TOO_LARGE, E_FULL, E_READ_ONLY, E_BUSY, E_RATE, E_IO
   */
  appendEntries(request: AppendRequest, options?: LogRequestOptions): Promise<AppendReply>

  /**
   * Reads a consistent view: heads and entries of one moment.
   *
   * @throws E_ABSENT if no log of this id is kept here; E_BAD_REQUEST, E_BUSY, E_RATE, E_IO
   */
  readLog(request: ReadLogRequest, options?: LogRequestOptions): Promise<ReadLogReply>
}

/** What an entry counts towards the byte bounds of requests and answers. */
export function entryWireBytes(entry: LogEntry & { receipts?: readonly Receipt[] }): number {
  const receipts = entry.receipts?.length ?? 1
  return entry.header.length + (entry.body?.length ?? 0) + 128 + 128 * receipts
}
