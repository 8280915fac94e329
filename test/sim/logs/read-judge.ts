/** Holds what a reader says to what is true. */
import { equalBytes, toHex } from '../../../src/base/bytes.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import type { Evidence } from '../../../src/log/conclusion.ts'
import { readHeader } from '../../../src/log/entry.ts'
import { quorumOf } from '../../../src/log/log-config.ts'
import { type LogView, trustedEntriesOf } from '../../../src/log/log-view.ts'
import type { Span } from '../judge.ts'
import type { SimServer } from '../sim-server.ts'
import type { Rare, Tally } from '../tally.ts'
import type { LogTruth } from './log-truth.ts'
import type { Standing } from './standing.ts'

/** Heads that a machine saw last, by the hex of the author: it must not be shown less without a word. */
export type Floor = ReadonlyMap<string, { seq: number; id: Uint8Array }>

export interface ReadJudgeOptions {
  truth: LogTruth
  standing: Standing
  servers: readonly SimServer[]
  tally: Tally
  onViolation: (what: string) => void
}

export class ReadJudge {
  readonly #case: ReadJudgeOptions
  /** What was concluded after all faults, by what servers answered. */
  readonly #concluded = new Map<string, string>()

  constructor(options: ReadJudgeOptions) {
    this.#case = options
  }

  /** Judges a view; returns the floor that its reader has from now on, from the one it had. */
  judge(view: LogView, floor: Floor, span: Span): Floor {
    this.#checkContent(view)
    this.#checkCount(view)
    this.#checkCommitted(view, span)
    this.#checkEvidence(view, span)
    this.#checkDue(view, span)
    this.#count(view)
    return this.#checkFloor(view, floor)
  }

  /** Nothing is shown that nobody signed, and nothing trusted that was forged. */
  #checkContent(view: LogView): void {
    const { truth } = this.#case
    for (const each of view.chains) {
      for (const { fields, id } of each.chain.entries) {
        if (!truth.isSigned(fields.author, fields.seq, id)) {
          this.#accuse('a reader shows an entry that its author never signed')
        }
      }
      for (const { id } of trustedEntriesOf(each)) {
        if (truth.forged.has(toHex(id))) this.#accuse('a reader trusts a forged entry')
      }
    }
  }

  /** FRESH takes a quorum of answers that bore out. */
  #checkCount({ conclusion, servers, rules }: LogView): void {
    if (conclusion.state !== 'FRESH') return
    const sound = new Set(servers.flatMap((each) => (isSound(each) ? each.server : [])))
    const members = rules.config.servers
    const answered = members.filter((key) => sound.has(peerIdOf(key))).length
    if (answered < quorumOf(members.length)) {
      this.#accuse(`L2: FRESH with ${answered} answers of ${members.length} servers`)
    }
  }

  /** Where a quorum answered, all is there that was committed before, and nothing revoked is trusted. */
  #checkCommitted(view: LogView, { fromMs }: Span): void {
    const { truth, standing } = this.#case
    const { answered, quorum, evidence } = view.conclusion
    if (!standing.isTame || answered < quorum) return
    const forked = new Set(evidence.flatMap((each) => (isFork(each) ? toHex(each.author) : [])))
    const chains = new Map(view.chains.map((each) => [toHex(each.author), each.chain]))
    for (const { author, seq, id, atMs } of truth.committed) {
      if (atMs > fromMs || forked.has(author)) continue
      const chain = chains.get(author)?.chain
      const isThere = chain !== undefined && chain.seq >= seq && toHex(chain.idAt(seq)) === id
      if (!isThere)
        this.#accuse(`L1: entry ${seq} of ${author.slice(0, 8)} was committed and is not shown`)
    }
    for (const { author, lastGoodSeq, atMs } of truth.revoked) {
      if (atMs > fromMs) continue
      for (const { fields } of view.entries('snapshot')) {
        if (toHex(fields.author) === author && fields.seq > lastGoodSeq) {
          this.#accuse('L4: an entry beyond a revocation is trusted')
        }
      }
    }
  }

  /** Whatever is said to be hidden or forked is. */
  #checkEvidence({ conclusion }: LogView, span: Span): void {
    const { truth, standing } = this.#case
    for (const piece of conclusion.evidence) {
      const author = toHex(piece.author)
      if (isFork(piece) && standing.isTame && !standing.disturbed.has(author)) {
        this.#accuse('L3: a fork of an author who never forked')
      }
      const isTrue =
        piece.kind === 'fork'
          ? piece.entries.every((entry) => {
              const { fields, id } = readHeader(entry)
              return truth.isSigned(fields.author, fields.seq, id)
            })
          : truth.isSigned(piece.author, piece.seq, piece.id)
      if (!isTrue) this.#accuse('L3: evidence of an entry that nobody signed')
      if (piece.kind === 'fork' || piece.finding === 'other' || !standing.isTame) continue
      const isForgotten = standing.disturbed.has(author) || truth.revoking.has(author)
      const isStuck = isForgotten || (truth.lowest.get(author) ?? 0) < 1000
      if (standing.isAfterAll(span) && standing.isQuorumWell(span) && !isStuck) {
        this.#accuse('L5: after all is well entries are still said to be hidden')
      }
    }
  }

  #checkDue({ conclusion, logId }: LogView, span: Span): void {
    const { standing } = this.#case
    if (conclusion.state === 'STALE-POSSIBLE' && standing.isQuorumWell(span)) {
      this.#accuse('L5: a quorum is well, and a reader is not sure')
    }
    if (standing.isAfterAll(span) && conclusion.state !== 'FORKED' && this.#isForked(logId, span)) {
      this.#accuse(`L3: honest servers hold two versions of a chain, and it is ${conclusion.state}`)
    }
  }

  /** Whether honest servers that are well and asked hold two versions, or evidence of them. */
  #isForked(logId: Uint8Array, span: Span): boolean {
    const { servers, standing, truth } = this.#case
    const unwell = standing.unwell(span)
    const seen = new Map<string, Uint8Array>()
    for (const i of new Set(truth.configs.flat())) {
      if (unwell.has(i)) continue
      const forked = [...servers[i].logLedger.forked(logId)]
      if (forked.some((author) => !truth.revoking.has(author))) return true
      for (const { author, seq, id } of servers[i].logLedger.entries) {
        // a revocation says which version is meant, and so settles it
        if (truth.revoking.has(toHex(author))) continue
        const key = `${toHex(author)} ${seq}`
        const other = seen.get(key)
        if (other !== undefined && !equalBytes(other, id)) return true
        seen.set(key, id)
      }
    }
    return false
  }

  /** Two readers who know nothing else conclude the same from the same answers, after all faults. */
  compare({ servers, conclusion, chains }: LogView): void {
    const answers = servers.map(({ server, verdict, heads }) => {
      return `${server} ${verdict} ${heads.map(({ id }) => toHex(id)).join(' ')}`
    })
    const key = answers.sort().join('\n')
    const heads = chains.map(({ chain }) => toHex(chain.chain.headId)).sort()
    const isFork = conclusion.state === 'FORKED'
    const said = `${isFork ? 'FORKED' : conclusion.answered} ${heads.join(' ')}`
    const before = this.#concluded.get(key)
    if (before === undefined) this.#concluded.set(key, said)
    else if (before !== said)
      this.#accuse('L6: two readers conclude otherwise from the same answers')
    else this.#case.tally.reached('reader: two agreed on the same answers')
  }

  /** What this reader saw before is there, or it says that it is not. */
  #checkFloor({ chains, conclusion }: LogView, floor: Floor): Floor {
    const isSaid = conclusion.state === 'TRUNCATED' || conclusion.state === 'FORKED'
    const next = new Map(floor)
    const byAuthor = new Map(chains.map((each) => [toHex(each.author), each.chain]))
    for (const [author, { seq, id }] of floor) {
      if (byAuthor.get(author)?.chain.holds(seq, id) !== true && !isSaid) {
        this.#accuse(`L2: a reader was rolled back, and says ${conclusion.state}`)
      }
    }
    for (const [author, { chain }] of byAuthor) {
      const before = floor.get(author)
      if (before !== undefined && !chain.holds(before.seq, before.id)) continue
      next.set(author, { seq: chain.seq, id: chain.headId.slice() })
    }
    return next
  }

  #count({ conclusion, servers }: LogView): void {
    const { tally, standing } = this.#case
    const { state, evidence } = conclusion
    tally.add(`read: ${state}`)
    if (state === 'FRESH' && standing.hasLiar) tally.reached('read: FRESH with a liar about')
    for (const { kind } of evidence)
      if (kind !== 'fork') tally.add(`read: TRUNCATED by ${kind}` as Rare)
    const isShown = servers.some(({ verdict }) => verdict === 'forked')
    if (state === 'FORKED' && !isShown) tally.reached('read: FORKED by evidence that a server kept')
  }

  #accuse(what: string): void {
    this.#case.onViolation(what)
  }
}

function isSound({ verdict }: LogView['servers'][number]): boolean {
  return verdict === 'current' || verdict === 'lagging' || verdict === 'forked'
}

function isFork(piece: Evidence): boolean {
  return piece.kind === 'fork' || piece.finding === 'other'
}
