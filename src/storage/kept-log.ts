/**
 * One log that a server keeps: takes appends one after another, and makes what comes together
 * durable together (docs/specs/log-store.md, "Append").
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import { type Clock, sleep } from '../base/clock.ts'
import { asGridError, GridError, isGridError } from '../base/errors.ts'
import { mapWithin } from '../base/limit.ts'
import { maxBodyBytesOf } from '../log/entry.ts'
import { type Genesis, readGenesis } from '../log/genesis.ts'
import type { AppendReply, AppendRequest } from '../log/log-peer.ts'
import type { LogRules } from '../log/log-rules.ts'
import { LogState } from '../log/log-state.ts'
import { parseEntryHead } from './entry-head.ts'
import { type Judged, LogJudge, type NodeKey, refused } from './log-judge.ts'
import type { LogLimits } from './log-limits.ts'
import type { LogId, StoredEntry, StoredLog } from './log-store.ts'
import type { Medium } from './medium.ts'

/** Requests that are made durable together. */
const maxTogether = 64
/** What all but the admin may fill of a log. */
const deviceShare = 7 / 8
/** Entries that are replayed together. */
const replayWindow = 64

export interface KeptLogParts {
  logId: LogId
  stored: StoredLog
  clock: Clock
  medium: Medium
  nodeKey: NodeKey
  limits: LogLimits
}

/** A request that waits for its turn. */
interface Waiting {
  request: AppendRequest
  room: boolean
  resolve: (reply: AppendReply) => void
  reject: (error: unknown) => void
}

/** What its entries say, by heart. */
interface Known {
  state: LogState
  damaged: Set<string>
}

export class KeptLog {
  readonly stored: StoredLog
  readonly genesis: Genesis
  readonly #parts: KeptLogParts
  readonly #waiting: Waiting[] = []
  #working = false
  #known: Known | undefined
  /** How often others have added something. */
  #news = 0

  /** Throws E_IO where the genesis is not what was stored. */
  constructor(parts: KeptLogParts) {
    this.#parts = parts
    this.stored = parts.stored
    try {
      this.genesis = readGenesis(parts.stored.genesis, parts.logId)
    } catch (error) {
      throw new GridError('E_IO', 'the genesis is damaged on this server’s disk', { cause: error })
    }
  }

  /** Entries that are known by heart. */
  get entryCount(): number {
    const { stored } = this
    return stored
      .authors()
      .reduce((sum, key) => sum + stored.chain(key).length + stored.forks(key).length, 0)
  }

  /** Takes in what other processes have added. */
  async refresh(): Promise<void> {
    if (!(await this.stored.refresh())) return
    this.#news++
    this.#known = undefined
  }

  /** What its entries say of who may do what. */
  async rules(): Promise<LogRules> {
    await this.refresh()
    return (await this.#know()).state.rules
  }

  /** As `appendEntries` of LogPeer. `room` is whether space is promised for all of it. */
  append(request: AppendRequest, room: boolean): Promise<AppendReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, room, resolve, reject })
      if (!this.#working) void this.#work()
    })
  }

  async #work(): Promise<void> {
    this.#working = true
    while (this.#waiting.length > 0) await this.#takeTogether(this.#waiting.splice(0, maxTogether))
    this.#working = false
  }

  /** Never rejects. */
  async #takeTogether(requests: readonly Waiting[]): Promise<void> {
    const { clock, medium } = this.#parts
    try {
      const judge = await this.#judge()
      const judged: Judged[][] = []
      for (const { request, room } of requests) {
        // signatures take their time: others get a turn
        if (judged.length > 0) await sleep(clock, 0)
        judged.push(await judge.judge(request, room, Math.max(0, Math.floor(clock.nowMs()))))
      }
      const failure = await this.#store(judge, medium)
      // whoever shows a config that is not counted here shows too what was taken before it
      await this.refresh()
      const adminSeq = this.stored.chain(this.genesis.adminKey).length
      for (const [i, { resolve }] of requests.entries()) {
        resolve({ verdicts: verdictsOf(judged[i], failure), adminSeq })
      }
    } catch (error) {
      this.#known = undefined
      for (const { reject } of requests) reject(error)
    }
  }

  /** Makes what was collected durable; returns why it is not, if so. */
  async #store(judge: LogJudge, medium: Medium): Promise<GridError | undefined> {
    if (judge.records.length === 0) return undefined
    try {
      await medium.watch(this.stored.append(judge.records))
      return undefined
    } catch (error) {
      this.#known = undefined
      return asGridError(error, 'E_INTERNAL', 'append')
    }
  }

  /** A read may hear of more while the log is replayed: what is known then is not all. */
  async #know(): Promise<Known> {
    for (;;) {
      if (this.#known !== undefined) return this.#known
      const news = this.#news
      const known = await replay(this.#parts)
      if (news === this.#news) return (this.#known = known)
    }
  }

  async #judge(): Promise<LogJudge> {
    const { nodeKey, medium, limits } = this.#parts
    const { stored } = this
    await this.refresh()
    const { state, damaged } = await this.#know()
    const entryCount = this.entryCount
    const refusal = (isAdmin: boolean): GridError | undefined => {
      if (medium.isFrozen) return new GridError('E_READ_ONLY', 'this server takes nothing new')
      // a device that fills the log must not keep the admin from revoking it
      const share = isAdmin ? 1 : deviceShare
      const isFull =
        stored.bytes >= share * limits.maxLogBytes ||
        entryCount + judge.records.length >= Math.ceil(share * limits.maxLogEntries)
      return isFull ? new GridError('E_FULL', 'the log is as long as it may be here') : undefined
    }
    const judge: LogJudge = new LogJudge({ state, stored, nodeKey, damaged, refusal })
    return judge
  }
}

/** What is told of a request: where storing failed, it ends with the first entry that hung on it. */
function verdictsOf(judged: readonly Judged[], failure: GridError | undefined) {
  const failedAt = failure === undefined ? -1 : judged.findIndex(({ pending }) => pending)
  const verdicts = judged.map(({ verdict }) => verdict)
  if (failure === undefined || failedAt < 0) return verdicts
  return [...verdicts.slice(0, failedAt), refused(failure)]
}

/** Comes to know a log by what is stored of it, the admin's chain first. */
async function replay({ logId, stored, nodeKey }: KeptLogParts): Promise<Known> {
  const state = new LogState(logId, stored.genesis, nodeKey.publicKey)
  const damaged = new Set<string>()
  const { adminKey } = state.genesis
  const others = stored.authors().filter((author) => !equalBytes(author, adminKey))
  for (const author of [adminKey, ...others]) {
    const withRules = author === adminKey
    if (!(await replayChain(state, stored, author, withRules))) damaged.add(toHex(author))
  }
  return { state, damaged }
}

/** Whether the chain adds up to its end. */
async function replayChain(
  state: LogState,
  stored: StoredLog,
  author: Uint8Array,
  withRules: boolean,
): Promise<boolean> {
  const chain = stored.chain(author)
  try {
    for (let from = 0; from < chain.length; from += replayWindow) {
      const entries = chain.slice(from, from + replayWindow)
      const bytes = await mapWithin(8, entries, (entry) =>
        stored.read(entry, withRules && mayBeRule(entry)),
      )
      for (const { head, body } of bytes) {
        const { header, signature, receipt } = parseEntryHead(head)
        const { receivedMs = 0, late = false } = receipt ?? {}
        state.replay({ header, signature, body }, { receivedMs, late })
      }
    }
    return true
  } catch (error) {
    const isDamage = isGridError(error) && (error.code !== 'E_IO' || error.facts.damaged === true)
    if (isDamage) return false
    throw error
  }
}

/** Bodies that are longer are those of releases, which need not be known. */
function mayBeRule({ bodyBytes }: StoredEntry): boolean {
  return bodyBytes !== undefined && bodyBytes <= maxBodyBytesOf('certificate')
}
