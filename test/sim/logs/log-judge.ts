/**
 * Holds a run of a log to its promises. What is owed depends on who is well: while at most f servers
 * of each config lie or forget, nothing that was committed is lost; with a quorum well from start to
 * end appends and reads succeed; and whoever lies, no more is shown than was signed.
 */
import { toHex } from '../../../src/base/bytes.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { readHeader } from '../../../src/log/entry.ts'
import type { Grant } from '../../../src/log/log-admin.ts'
import { quorumOf } from '../../../src/log/log-config.ts'
import type { HandedEntry } from '../../../src/log/log-peer.ts'
import type { LogView } from '../../../src/log/log-view.ts'
import type { AppendReport, ServerReceipt } from '../../../src/log/quorum-append.ts'
import { isReceiptFor } from '../../../src/log/receipt.ts'
import type { Span } from '../judge.ts'
import type { SimServer } from '../sim-server.ts'
import type { Tally } from '../tally.ts'
import type { LogOperation, LogPlan } from './log-plan.ts'
import { type Floor, ReadJudge } from './read-judge.ts'
import type { LogTruth, SignedEntry } from './log-truth.ts'
import type { SimLog } from './sim-log.ts'
import { Standing } from './standing.ts'

export interface LogJudgeOptions {
  plan: LogPlan
  servers: readonly SimServer[]
  truth: LogTruth
  tally: Tally
  log: SimLog
  onViolation: (what: string) => void
}

type Write = Exclude<LogOperation, { kind: 'read' | 'attack' }>

/** No operation takes longer where enough servers are well. */
const promptMs = 60_000
/** No operation takes longer. */
const patienceMs = 900_000
const dayMs = 86_400_000
/** Entries a day that no run writes. */
const plentyADay = 1000

export class LogJudge {
  readonly #case: LogJudgeOptions
  readonly #standing: Standing
  readonly #reads: ReadJudge
  readonly #floors = new Map<number, Floor>()
  /** Authors with an entry that was not durable when it was offered. */
  readonly #waiting = new Set<string>()
  /** Entries in time of one author and day, by server. */
  /** When a move last ended. */
  #movedMs = -Infinity
  readonly #days = new Map<string, Set<string>>()
  /** What the revocation under way leaves. */
  #lastGood = new Map<string, number>()

  constructor(options: LogJudgeOptions) {
    this.#case = options
    const { plan, servers, truth, log, tally, onViolation } = options
    this.#standing = new Standing(plan, servers, truth, log)
    const standing = this.#standing
    this.#reads = new ReadJudge({ truth, standing, servers, tally, onViolation })
  }

  died(atWork: boolean): void {
    if (atWork) this.#case.tally.reached('machine: died at work')
  }

  /** The machine's disk is another, on which `floor` was seen. */
  forgot(machine: number, floor: Floor = new Map()): void {
    this.#floors.set(machine, floor)
  }

  floorOf(machine: number): Floor {
    return this.#floors.get(machine) ?? new Map()
  }

  broken(error: unknown): void {
    this.#accuse(`the simulation itself failed: ${(error as Error).stack ?? ''}`)
  }

  /** A server has given a receipt. */
  taken({ author, id, taken }: SignedEntry, server: SimServer): void {
    const { truth, tally, log } = this.#case
    const key = toHex(author)
    if (truth.forged.has(toHex(id))) this.#accuse(`L4: ${server.id} has taken a forged entry`)
    if (taken === undefined) return
    if (taken.late) return tally.reached('append: handed on late')
    // one that has forgotten entries has forgotten to count them
    if (key === toHex(log.keys.adminKey) || server.logLedger.isSpoilt) return
    // and one whose clock jumps counts by other days than its receipts say
    if (this.#standing.clocksJump) return
    const day = `${server.id} ${key} ${Math.floor(taken.receivedMs / dayMs)}`
    const ids = this.#days.get(day) ?? new Set<string>()
    this.#days.set(day, ids.add(toHex(id)))
    if (ids.size > (truth.limits.get(key) ?? 0))
      this.#accuse(`L4: ${server.id} takes more than the rate`)
  }

  granting(
    { entriesPerDay, device }: { entriesPerDay: number; device: number },
    subject: Uint8Array,
  ): Grant {
    const { truth } = this.#case
    const key = toHex(subject)
    truth.limits.set(key, Math.max(entriesPerDay, truth.limits.get(key) ?? 0))
    truth.lowest.set(key, Math.min(entriesPerDay, truth.lowest.get(key) ?? Infinity))
    const limits = { bytesPer30Days: 2 ** 30, entriesPerDay }
    return { subject, rights: ['append', 'put', 'renew'], limits, label: `device ${device}` }
  }

  revoking(author: string, lastGoodSeq: number): void {
    this.#case.truth.revoking.add(author)
    this.#lastGood.set(author, lastGoodSeq)
  }

  moving(servers: readonly number[]): void {
    this.#case.truth.configs.push([...servers])
    this.#case.truth.allConfigs.push([...servers])
  }

  attacked(entry: HandedEntry, { way }: Extract<LogOperation, { kind: 'attack' }>): void {
    const { truth, tally } = this.#case
    tally.reached('attack: refused')
    truth.forged.add(toHex(readHeader(entry).id))
    if (way !== 'unsigned') truth.sign(entry)
  }

  read(machine: number, { fresh }: { fresh: boolean }, view: LogView, span: Span): void {
    this.#checkEnd('read', span, this.#standing.isQuorumWell(span))
    const floor = fresh ? new Map() : this.floorOf(machine)
    const next = this.#reads.judge(view, floor, span)
    if (fresh && this.#standing.isAfterAll(span)) this.#reads.compare(view)
    if (!fresh) this.#floors.set(machine, next)
  }

  wrote(author: string, operation: LogOperation, report: AppendReport, span: Span): void {
    const { tally, truth } = this.#case
    if (operation.kind === 'move') this.#movedMs = span.toMs
    const isDue = this.#isDue(author, operation, span)
    this.#checkEnd(operation.kind, span, isDue)
    this.#checkServers(report.servers, span)
    if (report.outcome !== 'committed') {
      tally.reached('append: not durable')
      this.#waiting.add(author)
      if (operation.kind === 'move') tally.reached('admin: a move was cut short')
      if (isDue) this.#accuse(`L5: a quorum is well, and a ${operation.kind} is not durable`)
      return
    }
    this.#checkReceipts(report)
    const { seq, id } = report
    const wrong = truth.commit({ author, seq, id: toHex(id), atMs: span.toMs })
    if (wrong !== undefined && this.#standing.isTame) this.#accuse(`L1: ${wrong}`)
    if (this.#waiting.delete(author)) tally.reached('append: not durable, and committed later')
    if (this.#standing.unwell(span).size > 0) {
      tally.reached('append: committed while a server was unwell')
    }
    if (this.#standing.hasLiar) tally.reached('append: with a liar about')
    this.#committed(operation as Write, span)
  }

  failed(author: string, operation: LogOperation, error: unknown, span: Span): void {
    const { tally } = this.#case
    const { kind } = operation
    const isDue =
      kind === 'read' ? this.#standing.isQuorumWell(span) : this.#isDue(author, operation, span)
    this.#checkEnd(kind, span, false)
    tally.add(`${kind} failed`)
    if (kind === 'read') tally.reached('read: failed')
    if (!isGridError(error) || error.code === 'E_INTERNAL') {
      this.#accuse(`I12: a ${kind} failed by a mistake of ours: ${described(error)}`)
      return
    }
    if (error.code === 'E_RATE') tally.reached('append: over the rate')
    if (error.code === 'E_REVOKED') tally.reached('append: revoked')
    if (error.code === 'E_FORKED') {
      tally.reached('append: a fork came to be known')
      if (this.#standing.isTame && !this.#standing.disturbed.has(author)) {
        this.#accuse('L3: E_FORKED of an honest author')
      }
    }
    if (error.code === 'E_NOT_ENOUGH_SERVERS') {
      tally.reached('append: too few servers to know the head')
    }
    if (kind === 'move') tally.reached('admin: a move was cut short')
    if (isDue && kind !== 'attack') {
      this.#accuse(`L5: a quorum is well, and a ${kind} failed: ${described(error)}`)
    }
  }

  /** What came of the servers beyond the quorum. */
  settled(report: AppendReport, servers: readonly ServerReceipt[]): void {
    const held = servers.filter((each) => 'receipt' in each).length
    if (held > report.receipts.length) this.#case.tally.reached('append: late receipts')
  }

  #committed(operation: Write, span: Span): void {
    const { truth, tally, log } = this.#case
    switch (operation.kind) {
      case 'grant':
        truth.granted.add(toHex(log.deviceKey(operation.device)))
        return
      case 'revoke': {
        const author = toHex(log.deviceKey(operation.device))
        const lastGoodSeq = this.#lastGood.get(author) ?? 0
        truth.revoked.push({ author, lastGoodSeq, atMs: span.toMs })
        tally.reached('admin: revoked a device')
        return
      }
      case 'move':
        truth.configs = [[...operation.servers]]
        tally.reached('admin: moved the log')
        if (this.#standing.unwell(span).size > 0) {
          tally.reached('admin: moved the log with a server unwell')
        }
        return
      default:
    }
  }

  /** Whether this author's entry must be committed. */
  /** Whether a move was under way at some time of the span. */
  #isMovedIn({ fromMs }: Span): boolean {
    return this.#case.truth.configs.length > 1 || this.#movedMs >= fromMs
  }

  #isDue(author: string, operation: LogOperation, span: Span): boolean {
    const { truth, log } = this.#case
    if (!this.#standing.isQuorumWell(span)) return false
    // one that has not read the log since knows no newer config
    if (operation.kind === 'append' && !operation.reopen && truth.allConfigs.length > 1)
      return false
    // nor does one that reads while the log moves: it is told to offer its entry again
    if (operation.kind === 'append' && this.#isMovedIn(span)) return false
    // and a key that is revoked gets no certificate
    if (operation.kind === 'grant' && truth.revoking.size > 0) return false
    // an entry over the rate that one server took keeps the others from having all of the log
    const isLimited = [...truth.lowest.values()].some((limit) => limit < plentyADay)
    if (operation.kind === 'move' && isLimited) return false
    if (author === toHex(log.keys.adminKey)) return true
    const isFree = !this.#standing.disturbed.has(author) && !truth.revoking.has(author)
    return isFree && truth.granted.has(author) && (truth.lowest.get(author) ?? 0) >= plentyADay
  }

  /** Committed means receipts of a quorum, each good. */
  #checkReceipts({ receipts, id }: AppendReport): void {
    const { truth, servers, log } = this.#case
    const subject = { logId: log.logId, id }
    const good = new Set(
      receipts.filter((each) => isReceiptFor(subject, each)).map(({ node }) => toHex(node)),
    )
    const isEnough = (config: readonly number[]): boolean => {
      const keys = config.map((i) => toHex(log.serverKey(servers[i].id)))
      return keys.filter((key) => good.has(key)).length >= quorumOf(config.length)
    }
    if (!truth.allConfigs.some(isEnough)) this.#accuse('L1: committed without a quorum of receipts')
  }

  /** No server that is well fails by a mistake of ours. */
  #checkServers(servers: readonly ServerReceipt[], span: Span): void {
    const unwell = this.#standing.unwell(span)
    for (const each of servers) {
      const i = this.#case.servers.findIndex(({ id }) => id === each.server)
      if (each.outcome !== 'failed' || unwell.has(i)) continue
      if (each.code === 'E_INTERNAL') this.#accuse(`I12: a mistake of ours: ${each.reason}`)
    }
  }

  #checkEnd(what: string, { fromMs, toMs }: Span, isDue: boolean): void {
    const prompt = what === 'move' ? 4 * promptMs : promptMs
    if (toMs - fromMs > (isDue ? prompt : patienceMs)) {
      this.#accuse(`I12: a ${what} took ${Math.round((toMs - fromMs) / 1000)} s`)
    }
  }

  #accuse(what: string): void {
    this.#case.onViolation(what)
  }
}

function described(error: unknown): string {
  if (isGridError(error)) return `${error.code} ${error.message}`
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
}
