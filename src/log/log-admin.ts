/** The admin of a log: makes it, says who may write, and which servers keep it (docs/specs/certificates.md). */
import { compareBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { peerIdOf } from '../base/peer-id.ts'
import type { CapOf } from '../caps/cap.ts'
import { type RateLimits, type Right, rights, signCertificate } from './certificate.ts'
import { formatCheckpoint, maxCheckpointHeads, type TestedSnapshot } from './checkpoint.ts'
import { ChainWriter, type ChainWriterOptions, type WriteOptions } from './chain-writer.ts'
import { formatGenesis, type Genesis, logIdOf } from './genesis.ts'
import { formatConfigBody, type LogConfig, quorumOf } from './log-config.ts'
import { heal } from './heal.ts'
import { type LogKeys, logKeysOf } from './log-keys.ts'
import type { LogPeer } from './log-peer.ts'
import type { ServerVerdict } from './log-view.ts'
import type { AppendReport } from './quorum-append.ts'
import { appendRelease, type NewRelease } from './release-entry.ts'
import { formatRevocation } from './revocation.ts'

export interface NewLog {
  cap: CapOf<'LOG-Admin'>
  keys: LogKeys
  genesis: Uint8Array
}

export interface LogParameters {
  /** Ed25519 keys of the servers, in any order, 1 … 32. */
  servers: readonly Uint8Array[]
  profile: Genesis['profile']
  createdMs: number
}

export interface Grant {
  /** Ed25519 public key of the device, 32 bytes. */
  subject: Uint8Array
  rights: readonly Right[]
  limits: RateLimits
  label: string
}

/**
 * The keys and genesis of a log that exists nowhere yet.
 *
 * @param adminSeed - 32 fresh random bytes; kept in the cap
 * @throws RangeError for parameters out of bounds
 */
export function createLog(adminSeed: Uint8Array, parameters: LogParameters): NewLog {
  const keys = logKeysOf(adminSeed)
  const { adminKey, readerKey, verifierKey } = keys
  const { profile, createdMs } = parameters
  const config = { epoch: 0, servers: inOrder(parameters.servers) }
  const facts = { adminKey, readerKey, verifierKey, profile, convergenceEpoch: 0 }
  const genesis = formatGenesis({ ...facts, config, createdMs })
  return { cap: { type: 'LOG-Admin', adminSeed, logId: logIdOf(genesis) }, keys, genesis }
}

/**
 * Gives each of `peers` the genesis. Resolves to those that refused, with the reason; a log is
 * usable once a quorum keeps it.
 */
export async function founded(
  { cap, genesis }: Pick<NewLog, 'cap' | 'genesis'>,
  peers: readonly LogPeer[],
): Promise<{ server: string; reason: unknown }[]> {
  const request = { logId: cap.logId, genesis, entries: [] }
  const refusals = await Promise.all(
    peers.map((peer) =>
      peer.appendEntries(request).then(
        () => [],
        (reason: unknown) => [{ server: peer.id, reason }],
      ),
    ),
  )
  return refusals.flat()
}

export class LogAdmin {
  readonly writer: ChainWriter
  readonly #signSeed: Uint8Array
  readonly #options: Omit<ChainWriterOptions, 'seed'>

  private constructor(
    writer: ChainWriter,
    signSeed: Uint8Array,
    options: Omit<ChainWriterOptions, 'seed'>,
  ) {
    this.writer = writer
    this.#signSeed = signSeed
    this.#options = options
  }

  /** Throws E_CAP_WEAK if `keys` are not the admin's of this log, and as `ChainWriter.open` does. */
  static async open(
    keys: Pick<LogKeys, 'signSeed'>,
    options: Omit<ChainWriterOptions, 'seed'>,
    write: WriteOptions = {},
  ): Promise<LogAdmin> {
    const writer = await ChainWriter.open({ ...options, seed: keys.signSeed }, write)
    if (compareBytes(writer.author, writer.view.genesis.adminKey) !== 0) {
      throw new GridError('E_CAP_WEAK', 'this key does not administer the log')
    }
    return new LogAdmin(writer, keys.signSeed, options)
  }

  /** Certifies a key, or changes the limits of one that is. Throws as `ChainWriter.append` does. */
  grant(grant: Grant, options: WriteOptions = {}): Promise<AppendReport> {
    const { logId, rules } = this.writer.view
    const rightBits = grant.rights.reduce((bits, right) => bits | rights[right], 0)
    const { subject, limits, label } = grant
    // the seq of its entry, so it ascends whatever was read
    const serial = Math.max(this.writer.seq, rules.lastSerial) + 1
    const certificate = { logId, subject, rightBits, limits, label, serial }
    const bytes = signCertificate(certificate, this.#signSeed)
    return this.writer.append('certificate', () => bytes, options)
  }

  /**
   * Ends a key: what of its chain was read and verified stands, or less if `lastGoodSeq` says so.
   * Throws a RangeError for a seq beyond the head that was read.
   */
  revoke(
    author: Uint8Array,
    lastGoodSeq?: number,
    options: WriteOptions = {},
  ): Promise<AppendReport> {
    const { view } = this.writer
    const chain = view.chainOf(author)?.chain.chain
    const seq = lastGoodSeq ?? chain?.seq ?? 0
    if (seq > (chain?.seq ?? 0)) throw new RangeError(`log: no entry ${seq} to let stand`)
    const lastGoodId = chain?.idAt(seq) ?? view.logId
    const body = formatRevocation({ author, lastGoodSeq: seq, lastGoodId })
    return this.writer.append('revocation', () => body, options)
  }

  /** Pins the heads of all chains as they were read, and snapshots that passed a restore test. */
  checkpoint(
    tested: readonly TestedSnapshot[] = [],
    options: WriteOptions = {},
  ): Promise<AppendReport> {
    const heads = this.writer.view.heads
      .sort((a, b) => compareBytes(a.author, b.author))
      .slice(0, maxCheckpointHeads)
    const body = formatCheckpoint({ heads, tested })
    return this.writer.append('checkpoint', () => body, options)
  }

  /** Signs a release of holds into the chain. */
  release(release: NewRelease, options: WriteOptions = {}): Promise<AppendReport> {
    return appendRelease(this.writer, release, options)
  }

  /**
   * Moves the log to other servers: catches the new ones up, has the config taken by a quorum of
   * both sets, and settles it with a checkpoint. `newPeers` are those of the new servers that can
   * be reached. After an interruption call it again with a new admin: the move that is under way is
   * brought to its end first, and nothing is lost in between.
   *
   * @returns the report on the config entry, or on the checkpoint if that was committed
   * @throws E_NOT_ENOUGH_SERVERS if fewer than a quorum of the new servers could be given all that
   *   is in the log, or too few of the old ones show it; as `ChainWriter.append` does
   */
  async moveTo(
    servers: readonly Uint8Array[],
    newPeers: readonly LogPeer[],
    options: WriteOptions = {},
  ): Promise<AppendReport> {
    const wanted = inOrder(servers)
    if (this.writer.configs.length > 1) {
      const ended = await this.#endMove(newPeers, options)
      const { config } = this.writer.view.rules
      if (ended.outcome !== 'committed' || isSame(config.servers, wanted)) return ended
    }
    const { config } = this.writer.view.rules
    const next: LogConfig = { epoch: config.epoch + 1, servers: wanted }
    await this.#bringUp(next, newPeers, options)
    this.writer.require([config, next])
    const body = formatConfigBody(next)
    const report = await this.writer.append('config', () => body, options)
    return report.outcome === 'committed' ? this.#endMove(newPeers, options) : report
  }

  /** Hands over what was committed at the old servers alone until they took the config, and settles it. */
  async #endMove(newPeers: readonly LogPeer[], options: WriteOptions): Promise<AppendReport> {
    const again = await this.writer.retry(options)
    if (again !== undefined && again.outcome !== 'committed') return again
    await this.#readBehindConfig(options)
    const { conclusion, rules } = this.writer.view
    if (conclusion.answered < conclusion.quorum) throw tooFew(conclusion)
    await this.#bringUp(rules.config, newPeers, options)
    const settled = await this.checkpoint([], options)
    if (settled.outcome === 'committed') this.writer.require([rules.config])
    return settled
  }

  /**
   * Reads from a quorum of each config that has the newest: what such a server took for one who had
   * not heard of the move it took before, and shows. Those that answer and lack it get it first.
   */
  async #readBehindConfig(options: WriteOptions): Promise<void> {
    await this.writer.refresh(options)
    if (this.#lacking() === undefined) return
    const { view, configs } = this.writer
    const { clock } = this.#options
    const ids = new Set(configs.flatMap(({ servers }) => servers.map(peerIdOf)))
    const silent = new Set(view.servers.flatMap(({ server, reason }) => (reason ? server : [])))
    const peers = this.#options.peers().filter(({ id }) => ids.has(id) && !silent.has(id))
    await heal(view, { targets: peers, peers, clock, signal: options.signal })
    await this.writer.refresh(options)
    const lacking = this.#lacking()
    if (lacking !== undefined) throw tooFew(lacking)
  }

  /** A config of which less than a quorum has shown the admin's newest entry. */
  #lacking(): { answered: number; quorum: number } | undefined {
    const { view, configs, author } = this.writer
    const newest = view.chainOf(author)?.chain.seq ?? 0
    const shows = ({ heads }: ServerVerdict): boolean =>
      heads.some((head) => compareBytes(head.author, author) === 0 && head.seq >= newest)
    const ids = new Set(view.servers.filter(shows).map(({ server }) => server))
    return configs
      .map(({ servers }) => {
        const answered = servers.filter((key) => ids.has(peerIdOf(key))).length
        return { answered, quorum: quorumOf(servers.length) }
      })
      .find(({ answered, quorum }) => answered < quorum)
  }

  /** Gives the servers of `config` all that was read. Throws unless a quorum of them has it then. */
  async #bringUp(
    config: LogConfig,
    newPeers: readonly LogPeer[],
    { signal }: WriteOptions,
  ): Promise<void> {
    const { clock } = this.#options
    const peers = this.#options.peers()
    const ids = new Set(config.servers.map(peerIdOf))
    const reached = new Map([...peers, ...newPeers].map((peer) => [peer.id, peer]))
    const targets = [...reached.values()].filter(({ id }) => ids.has(id))
    const quorum = quorumOf(config.servers.length)
    const bringUp = async (): Promise<number> => {
      const healed = await heal(this.writer.view, { targets, peers, clock, signal })
      return healed.filter(({ error }) => error === undefined).length
    }
    let answered = await bringUp()
    // an entry that one server alone had: those that take it at once can vouch for it to the others
    if (answered < quorum) answered = await bringUp()
    if (answered < quorum) throw tooFew({ answered, quorum })
  }
}

function tooFew({ answered, quorum }: { answered: number; quorum: number }): GridError {
  return new GridError(
    'E_NOT_ENOUGH_SERVERS',
    `${answered} of the servers have the whole log, and ${quorum} are needed to move it`,
    { facts: { answered, quorum } },
  )
}

function isSame(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((key, i) => compareBytes(key, b[i]) === 0)
}

function inOrder(servers: readonly Uint8Array[]): Uint8Array[] {
  return [...servers].sort(compareBytes)
}
