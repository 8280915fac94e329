/**
 * Holds a run to its promises. What a grid owes depends on who is well: with at least `happy`
 * servers well from start to end a put must succeed, with k good shares of each object on such
 * servers a get must; beyond that only truth is owed, and an end.
 */
import { equalBytes } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import type { PeerVerdict } from '../../src/node/peers/candidate.ts'
import type { SimFile } from './catalogue.ts'
import { holdersOf } from './holders.ts'
import type { StorageIndex } from '../../src/storage/peer.ts'
import { troubleOf, type FaultEvent, type PlanOptions } from './plan.ts'
import type { PutSummary } from './sim-client.ts'
import type { SimServer } from './sim-server.ts'
import type { Tally } from './tally.ts'

/** From start to end of an operation, in ms. */
export interface Span {
  fromMs: number
  toMs: number
}

export interface JudgeOptions {
  options: PlanOptions
  faults: readonly FaultEvent[]
  servers: readonly SimServer[]
  /** Ids of servers behind the network, whose words come from strangers. */
  wired: ReadonlySet<string>
  tally: Tally
  onViolation: (what: string) => void
}

/** No operation takes longer where enough servers are well. */
const promptMs = 30_000
/** No operation takes longer. */
const patienceMs = 1_800_000

export class Judge {
  readonly #case: JudgeOptions

  constructor(options: JudgeOptions) {
    this.#case = options
  }

  putSucceeded(file: SimFile, summary: PutSummary, span: Span): void {
    const { options, tally } = this.#case
    const { happy, n } = options
    tally.add('put')
    const unwell = this.#unwell(span)
    this.#checkEnd('put', span, this.#putIsDue(unwell))
    if (summary.cap !== file.cap) this.#accuse('I14: the same content gave another cap')
    if (file.storageIndexes.length === 0) return
    if (summary.servers < happy)
      this.#accuse(`I15: a put to ${summary.servers} servers was a success`)
    for (const index of file.storageIndexes) this.#checkHolders(index, summary.servers, span)
    if (summary.servers === happy && happy < n) tally.reached('put: happy just met')
    if (summary.servers === n) tally.reached('put: every share placed')
    if (unwell.size > 0) tally.reached('put: survived a fault')
    if (file.failed) tally.reached('put: retried after a failure')
    if (summary.sentBytes === 0) tally.reached('put: nothing to send')
  }

  putFailed(file: SimFile, error: unknown, span: Span): void {
    const { options, servers, tally } = this.#case
    tally.add('put failed')
    file.failed = true
    this.#checkError('put', error, span)
    const unwell = this.#unwell(span)
    if (this.#putIsDue(unwell)) {
      const well = servers.length - unwell.size
      this.#accuse(`I12: a put failed with ${well} servers well: ${described(error)}`)
    }
    if (isGridError(error) && error.facts.stored === options.happy - 1) {
      tally.reached('put: happy just missed')
    }
  }

  getSucceeded(file: SimFile, bytes: Uint8Array, span: Span): void {
    const { options, servers, tally } = this.#case
    tally.add('get')
    if (!equalBytes(bytes, file.bytes)) this.#accuse('I2: a get gave wrong bytes')
    const { unwell, good } = this.#prospect(file, span)
    this.#checkEnd('get', span, good >= options.k)
    if (unwell === 0) tally.reached('get: while every server was well')
    else tally.reached('get: survived a fault')
    if (good === options.k && servers.length > options.k) {
      tally.reached('get: exactly k good shares left')
    }
    if (servers.some(({ lie }) => lie !== undefined)) tally.reached('get: with a liar about')
  }

  getFailed(file: SimFile, error: unknown, span: Span): void {
    const { options, tally } = this.#case
    tally.add('get failed')
    this.#checkError('get', error, span)
    const { good } = this.#prospect(file, span)
    if (good >= options.k) {
      this.#accuse(`I1: a get failed with ${good} good shares within reach: ${described(error)}`)
    } else {
      tally.reached('get: fewer than k good shares left')
    }
  }

  /** Whether enough servers were well, and surely not full. */
  #putIsDue(unwell: ReadonlySet<string>): boolean {
    const { servers, options } = this.#case
    return servers.length - unwell.size >= options.happy && options.diskBytes > smallDiskBytes
  }

  /** An object said to be on so many servers is there, but for those whose lie nobody can see. */
  #checkHolders(index: StorageIndex, claimed: number, { toMs }: Span): void {
    const { servers, options } = this.#case
    const holders = holdersOf(servers, index, { claimed, n: options.n, byMs: toMs })
    if (holders < claimed) {
      this.#accuse(`I3: said to be on ${claimed} servers, and is on ${holders}`)
    }
  }

  /** How many servers were in trouble, and how many distinct good shares of its scarcest object were on the others. */
  #prospect(file: SimFile, span: Span): { unwell: number; good: number } {
    const unwell = this.#unwell(span)
    const well = this.#case.servers.filter(({ id }) => !unwell.has(id))
    const counts = file.storageIndexes.map(
      (index) =>
        new Set(well.flatMap(({ ledger }) => ledger.numbers(index, span.fromMs, true))).size,
    )
    return { unwell: unwell.size, good: Math.min(Infinity, ...counts) }
  }

  /** Servers that were in trouble at some time of the span. */
  #unwell({ fromMs, toMs }: Span): Set<string> {
    const { faults, servers } = this.#case
    const struck = faults.filter((event) => {
      const trouble = troubleOf(event)
      return trouble.fromMs <= toMs && trouble.toMs >= fromMs
    })
    return new Set(struck.map(({ server }) => servers[server].id))
  }

  #checkEnd(what: string, { fromMs, toMs }: Span, isDue: boolean): void {
    if (toMs - fromMs > (isDue ? promptMs : patienceMs)) {
      this.#accuse(`I12: a ${what} took ${Math.round((toMs - fromMs) / 1000)} s`)
    }
  }

  /** A failure must be a fact of the world, in the operation and in what it says of each server. */
  #checkError(what: string, error: unknown, span: Span): void {
    this.#checkEnd(what, span, false)
    if (!isGridError(error) || error.code === 'E_INTERNAL') {
      this.#accuse(`I12: a ${what} failed by a mistake of ours: ${described(error)}`)
      return
    }
    const unwell = this.#unwell(span)
    for (const verdict of (error.facts.servers ?? []) as PeerVerdict[]) {
      // A server in trouble, or one behind a line that flips bits, may answer with any code.
      if (verdict.code === 'E_INTERNAL' && !unwell.has(verdict.peerId)) {
        this.#accuse(`I12: a ${what} failed by a mistake of ours: ${JSON.stringify(verdict)}`)
      }
      if (this.#case.wired.has(verdict.peerId) && /[\p{Cc}\p{Cf}]/u.test(verdict.message)) {
        this.#accuse(`I12: a server’s words are passed on raw: ${JSON.stringify(verdict)}`)
      }
    }
  }

  #accuse(what: string): void {
    this.#case.onViolation(what)
  }
}

/** Disks up to this size fill up, and then a put may fail with every server well. */
const smallDiskBytes = 2 ** 20

function described(error: unknown): string {
  if (isGridError(error)) return `${error.code} ${error.message} ${JSON.stringify(error.facts)}`
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
}
