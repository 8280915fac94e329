/**
 * Logs that a server keeps for others: what `LogPeer` promises, decided over a log store
 * (docs/specs/log-store.md). It needs no key of any log, and can open no body.
 */
import { toBase32 } from '../base/base32.ts'
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { orAbort } from '../base/deadline.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { TokenBucket } from '../base/token-bucket.ts'
import type { Trace } from '../base/trace.ts'
import { readGenesis } from '../log/genesis.ts'
import {
  type AppendReply,
  type AppendRequest,
  entryWireBytes,
  type LogRequestOptions,
  type ReadLogReply,
  type ReadLogRequest,
} from '../log/log-peer.ts'
import { KeptLog } from './kept-log.ts'
import { checkReadRequest } from '../log/log-request.ts'
import { checkAppend } from './log-bounds.ts'
import { defaultLogLimits, type LogLimits, maxChecksPerAppend } from './log-limits.ts'
import { readKept } from './log-reading.ts'
import type { LogId, LogStore, StoredLog } from './log-store.ts'
import type { Medium } from './medium.ts'
import type { NodeKey } from './log-judge.ts'
import type { SpaceReserve } from './space-reserve.ts'

export interface LogKeeperOptions {
  /** Where the logs lie; open. */
  store: LogStore
  /** Seed of the server's Ed25519 key, which signs receipts; the server's peer id is that of the key. */
  seed: Uint8Array
  space: SpaceReserve
  medium: Medium
  clock: Clock
  trace: Trace
  limits?: Partial<LogLimits>
}

/** A log that is known by heart, once it is opened. */
interface Memory {
  log: KeptLog | undefined
  readonly opening: Promise<KeptLog | undefined>
}

/** What a file takes on the disk besides its bytes, at most. */
const fileOverheadBytes = 8192

export class LogKeeper {
  readonly #options: LogKeeperOptions
  readonly #limits: LogLimits
  readonly #nodeKey: NodeKey
  readonly #newLogs: TokenBucket
  readonly #checks: TokenBucket
  /** By the hex of their ids, the least recently used first. */
  readonly #logs = new Map<string, Memory>()
  /** Requests under way, by the hex of the log's id. */
  readonly #uses = new Map<string, number>()
  #requests = 0

  constructor(options: LogKeeperOptions) {
    const { clock, seed } = options
    this.#options = options
    this.#limits = { ...defaultLogLimits, ...options.limits }
    this.#nodeKey = { seed, publicKey: publicKeyOfSeed(seed) }
    const { newLogsPerHour, checksPerSecond } = this.#limits
    this.#newLogs = new TokenBucket({
      clock,
      tokensPerSecond: newLogsPerHour / 3600,
      burst: Math.ceil(newLogsPerHour / 2),
    })
    this.#checks = new TokenBucket({
      clock,
      tokensPerSecond: checksPerSecond,
      burst: Math.max(checksPerSecond, maxChecksPerAppend),
    })
  }

  /** As `appendEntries` of LogPeer. */
  async append(request: AppendRequest, options: LogRequestOptions = {}): Promise<AppendReply> {
    checkAppend(request)
    const find = (): Promise<KeptLog | undefined> => this.#openOrBegin(request)
    return this.#using(request.logId, find, (log) => this.#appendTo(log, request), options)
  }

  /** As `readLog` of LogPeer. */
  async read(request: ReadLogRequest, options: LogRequestOptions = {}): Promise<ReadLogReply> {
    checkReadRequest(request)
    const read = async (log: KeptLog): Promise<ReadLogReply> => {
      await log.refresh()
      return readKept(log, request)
    }
    return this.#using(request.logId, () => this.#open(request.logId), read, options)
  }

  /**
   * Throws E_REVOKED for a key that the log, if it is kept here, has revoked; not for what it signed as
   * an entry of its own that still stands: number `seq`.
   */
  async checkRevoked(logId: LogId, key: Uint8Array, seq: number | undefined): Promise<void> {
    const rules = await this.#using(
      logId,
      () => this.#open(logId),
      (log) => log.rules(),
      {},
    ).catch((error: unknown) => {
      if (isGridError(error, 'E_ABSENT')) return undefined
      throw error
    })
    const revocation = rules?.revocationOf(key)
    if (revocation === undefined || (seq !== undefined && seq <= revocation.lastGoodSeq)) return
    throw new GridError('E_REVOKED', 'this key has been revoked')
  }

  async #appendTo(log: KeptLog, request: AppendRequest): Promise<AppendReply> {
    const { entries } = request
    const checks = entries.reduce((sum, { receipts }) => sum + 1 + receipts.length, 0)
    if (!this.#checks.tryTake(Math.min(checks, maxChecksPerAppend))) {
      throw new GridError('E_RATE', 'too many signatures to check')
    }
    const bytes = entries.reduce((sum, entry) => sum + entryWireBytes(entry), 0)
    const endPromise = await this.#promise(bytes + fileOverheadBytes)
    try {
      return await log.append(request, endPromise !== undefined)
    } finally {
      endPromise?.()
    }
  }

  /** Undefined where there is no space: what is held is told all the same. */
  async #promise(byteCount: number): Promise<(() => void) | undefined> {
    try {
      return await this.#options.space.promise(byteCount)
    } catch (error) {
      if (isGridError(error, 'E_FULL')) return undefined
      throw error
    }
  }

  /** Works on a log while it is kept in memory. What is begun is done, even if nobody waits for it any more. */
  async #using<T>(
    logId: LogId,
    find: () => Promise<KeptLog | undefined>,
    work: (log: KeptLog) => Promise<T>,
    { signal }: LogRequestOptions,
  ): Promise<T> {
    signal?.throwIfAborted()
    if (this.#requests >= this.#limits.maxRequests) {
      throw new GridError('E_BUSY', 'too many requests about logs under way')
    }
    const key = toHex(logId)
    this.#requests++
    this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1)
    const done = async (): Promise<T> => {
      try {
        const log = await find()
        if (log === undefined) throw new GridError('E_ABSENT', 'no such log here')
        return await work(log)
      } finally {
        this.#requests--
        const uses = this.#uses.get(key)! - 1
        if (uses > 0) this.#uses.set(key, uses)
        else this.#uses.delete(key)
      }
    }
    return orAbort(done(), signal)
  }

  async #openOrBegin({ logId, genesis }: AppendRequest): Promise<KeptLog | undefined> {
    for (;;) {
      const known = await this.#open(logId)
      if (known !== undefined || genesis === undefined) return known
      readGenesis(genesis, logId)
      // another may have begun it meanwhile
      if (!this.#logs.has(toHex(logId))) {
        return this.#remember(logId, () => this.#begin(logId, genesis))
      }
    }
  }

  #open(logId: LogId): Promise<KeptLog | undefined> {
    return this.#remember(logId, async () => {
      const stored = await this.#options.store.log(logId)
      return stored && this.#keptLog(logId, stored)
    })
  }

  async #begin(logId: LogId, genesis: Uint8Array): Promise<KeptLog> {
    const { store, medium, space, trace } = this.#options
    medium.checkWritable()
    if ((await store.count()) >= this.#limits.maxLogs) {
      throw new GridError('E_FULL', 'this server keeps as many logs as it may')
    }
    const endPromise = await space.promise(genesis.length + 2 * fileOverheadBytes)
    try {
      if (!this.#newLogs.tryTake(1)) throw new GridError('E_RATE', 'too many new logs')
      const stored = await medium.watch(store.create(logId, genesis))
      trace.event('storage.log-begun', { logId: toBase32(logId) })
      return this.#keptLog(logId, stored)
    } finally {
      endPromise()
    }
  }

  #keptLog(logId: LogId, stored: StoredLog): KeptLog {
    const { clock, medium } = this.#options
    const parts = { logId: logId.slice(), stored, clock, medium }
    return new KeptLog({ ...parts, nodeKey: this.#nodeKey, limits: this.#limits })
  }

  /** The log as it is known, or as `find` finds it: once, however many ask. */
  async #remember(
    logId: LogId,
    find: () => Promise<KeptLog | undefined>,
  ): Promise<KeptLog | undefined> {
    const key = toHex(logId)
    const known = this.#logs.get(key)
    const memory = known ?? { log: undefined, opening: find() }
    this.#logs.delete(key)
    this.#logs.set(key, memory)
    try {
      memory.log = await memory.opening
      return memory.log
    } finally {
      if (memory.log === undefined && this.#logs.get(key) === memory) this.#logs.delete(key)
      // whoever asks for logs that are not here must not have all that are here counted
      if (known === undefined && memory.log !== undefined) this.#forgetOldest()
    }
  }

  /** Lets go of logs that nobody uses, until the rest fits into memory. */
  #forgetOldest(): void {
    const { entriesInMemory, logsInMemory } = this.#limits
    let entries = 0
    for (const { log } of this.#logs.values()) entries += log?.entryCount ?? 0
    for (const [key, { log }] of this.#logs) {
      if (entries <= entriesInMemory && this.#logs.size <= logsInMemory) return
      if (log === undefined || this.#uses.has(key)) continue
      entries -= log.entryCount
      this.#logs.delete(key)
    }
  }
}
