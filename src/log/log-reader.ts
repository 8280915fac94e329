/**
 * Reads a log from its servers, believing none of them: which chains there are, up to where, and
 * what may be concluded of their freshness (docs/specs/log.md, "Reading").
 */
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { peerIdOf } from '../base/peer-id.ts'
import { Branches } from './branches.ts'
import type { Witness } from './conclusion.ts'
import { type ReadHeader, readHeader, type SignedHeader } from './entry.ts'
import type { FetchedEntry } from './fetch-chain.ts'
import { freshnessOf } from './freshness.ts'
import { type Genesis, readGenesis } from './genesis.ts'
import type { HeadPins } from './head-pins.ts'
import { type LogConfig, quorumOf } from './log-config.ts'
import type { LogPeer } from './log-peer.ts'
import { LogRules, ruleKinds } from './log-rules.ts'
import { type ChainView, LogView, trustedEntriesOf, verdictOf } from './log-view.ts'
import { askServers, type ServerAnswer } from './server-answer.ts'

export interface LogReaderOptions {
  /** 32 bytes; kept. */
  logId: Uint8Array
  /** All servers that may be asked, as they are known at the moment. */
  peers: () => readonly LogPeer[]
  clock: Clock
  pins: HeadPins
}

export interface ReadOptions {
  /** Entries that the caller knows of, such as those it holds receipts for. */
  witnesses?: readonly Witness[]
  signal?: AbortSignal
}

/** What is known of a log from one reading to the next; all of it verified. */
interface Known {
  genesis: Genesis
  genesisBytes: Uint8Array
  rules: LogRules
  /** By the hex of the author. */
  branches: Map<string, Branches>
}

export class LogReader {
  readonly #options: LogReaderOptions
  #known: Known | undefined

  constructor(options: LogReaderOptions) {
    this.#options = options
  }

  /**
   * The log as its servers show it now. What was read before is not fetched again. Pins are moved
   * on to what was seen. Readings of one reader must not overlap.
   *
   * @throws E_UNREACHABLE if no server that answers has the log
   */
  async read(options: ReadOptions = {}): Promise<LogView> {
    const { logId, pins } = this.#options
    const pinned = (await pins.load(logId)).map(readHeader)
    const answers = new Map<string, ServerAnswer>()
    const known = await this.#learn(answers, options)
    const { genesis, genesisBytes, rules, branches } = known
    const heard = [...answers.values()]
    for (const { subject } of rules.certificates) {
      await this.#branchesOf(known, subject).follow(heard, this.#following(options))
    }
    const chains = this.#chainsOf(known, heard)
    const told = options.witnesses ?? []
    const shown = { logId, rules, branches, chains, answers: heard, pinned, told }
    const conclusion = freshnessOf(shown)
    await this.#pin(chains, pinned)
    const servers = heard.map((answer) => verdictOf(answer, chains))
    return new LogView({ logId, genesis, genesisBytes, rules, chains, conclusion, servers })
  }

  /** Asks servers until those of the newest config have been asked, and follows the admin chain. */
  async #learn(answers: Map<string, ServerAnswer>, options: ReadOptions): Promise<Known> {
    const { logId, clock } = this.#options
    const { signal } = options
    for (;;) {
      const asked = this.#toAsk().filter(({ id }) => !answers.has(id))
      if (asked.length === 0) break
      const question = { logId, genesis: this.#known === undefined }
      const before = [...answers.values()]
      const isEnough = (fresh: readonly ServerAnswer[]): boolean =>
        this.#isQuorum([...before, ...fresh])
      const fresh = await askServers(asked, question, { clock, isEnough, signal })
      for (const answer of fresh) answers.set(answer.peer.id, answer)
      const heard = [...answers.values()]
      this.#known ??= begin(logId, heard)
      if (this.#known !== undefined) await this.#followAdmin(this.#known, heard, options)
    }
    if (this.#known !== undefined) return this.#known
    throw new GridError('E_UNREACHABLE', 'no server that answers has this log', {
      facts: { asked: answers.size },
    })
  }

  /** Whether most servers of the newest config that is known, if only by its genesis, have answered. */
  #isQuorum(answers: readonly ServerAnswer[]): boolean {
    const config = this.#known?.rules.config ?? firstConfigIn(this.#options.logId, answers)
    if (config === undefined) return false
    const ids = new Set(config.servers.map(peerIdOf))
    const sound = answers.filter(({ peer, error }) => error === undefined && ids.has(peer.id))
    return sound.length >= quorumOf(config.servers.length)
  }

  /** Before the genesis is known everyone may have it; then the servers of all configs. */
  #toAsk(): LogPeer[] {
    const peers = [...this.#options.peers()]
    if (this.#known === undefined) return peers
    const keys = this.#known.rules.configs.flatMap(({ servers }) => servers)
    const ids = new Set(keys.map(peerIdOf))
    return peers.filter(({ id }) => ids.has(id))
  }

  async #followAdmin(
    known: Known,
    answers: readonly ServerAnswer[],
    options: ReadOptions,
  ): Promise<void> {
    const onEntries = (entries: readonly FetchedEntry[]): void => {
      known.rules = rulesAfter(known.rules, entries)
    }
    const following = { ...this.#following(options), bodies: 'rules', onEntries } as const
    await this.#branchesOf(known, known.genesis.adminKey).follow(answers, following)
  }

  #following({ signal }: ReadOptions) {
    return { clock: this.#options.clock, signal, bodies: 'none' } as const
  }

  #branchesOf({ branches }: Known, author: Uint8Array): Branches {
    const key = toHex(author)
    const held = branches.get(key) ?? new Branches(this.#options.logId, author)
    branches.set(key, held)
    return held
  }

  #chainsOf(known: Known, answers: readonly ServerAnswer[]): ChainView[] {
    const { genesis, rules } = known
    const authors = [genesis.adminKey, ...rules.certificates.map(({ subject }) => subject)]
    return authors.flatMap((author) => {
      const revocation = rules.revocationOf(author)
      const chain = this.#branchesOf(known, author).best(answers, revocation)
      if (chain === undefined) return []
      return { author, chain, certificate: rules.certificateOf(author), revocation }
    })
  }

  /** Pins only ever move on, to entries that are trusted, and stay where another version was seen. */
  async #pin(chains: readonly ChainView[], pinned: readonly ReadHeader[]): Promise<void> {
    const pins = new Map(pinned.map((pin) => [toHex(pin.fields.author), pin]))
    let moved = false
    for (const view of chains) {
      const key = toHex(view.author)
      const pin = pins.get(key)
      const head = trustedEntriesOf(view).at(-1)
      const isOn = pin === undefined || view.chain.chain.holds(pin.fields.seq, pin.id)
      if (head === undefined || !isOn || head.fields.seq <= (pin?.fields.seq ?? 0)) continue
      pins.set(key, head)
      moved = true
    }
    if (!moved) return
    const signed = ({ header, signature }: SignedHeader) => ({ header, signature })
    await this.#options.pins.save(this.#options.logId, [...pins.values()].map(signed))
  }
}

function firstConfigIn(logId: Uint8Array, answers: readonly ServerAnswer[]): LogConfig | undefined {
  for (const { genesis } of answers) {
    try {
      if (genesis !== undefined) return readGenesis(genesis, logId).config
    } catch {
      // of another log, or of none: `begin` tells
    }
  }
  return undefined
}

/** Takes the genesis from whoever has it; those who send another get an error. */
function begin(logId: Uint8Array, answers: readonly ServerAnswer[]): Known | undefined {
  let known: Known | undefined
  for (const answer of answers) {
    if (answer.error !== undefined) continue
    try {
      const genesisBytes = answer.genesis ?? new Uint8Array(0)
      const genesis = readGenesis(genesisBytes, logId)
      const rules = new LogRules(logId, genesis)
      known ??= { genesis, genesisBytes, rules, branches: new Map() }
    } catch (error) {
      answer.error = error as GridError
    }
  }
  return known
}

/** The rules after the admin's `entries`. Throws a GridError for an entry that breaks them. */
function rulesAfter(before: LogRules, entries: readonly FetchedEntry[]): LogRules {
  const rules = before.copy()
  for (const { fields, body } of entries) {
    const refusal = rules.refusalOf(fields)
    if (refusal !== undefined) throw new GridError(refusal.code, refusal.reason)
    if (!ruleKinds.has(fields.kind)) continue
    if (body === undefined) throw new GridError('E_PROTOCOL', 'a server leaves a body out')
    const change = rules.readChange(fields.kind, body)
    if (change !== undefined) rules.apply(change)
  }
  return rules
}
