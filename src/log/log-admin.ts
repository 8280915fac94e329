/** The admin of a log: makes it, says who may write, and which servers keep it (docs/specs/certificates.md). */
import { compareBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import type { CapOf } from '../caps/cap.ts'
import { type RateLimits, type Right, rights, signCertificate } from './certificate.ts'
import { formatCheckpoint, maxCheckpointHeads, type TestedSnapshot } from './checkpoint.ts'
import { ChainWriter, type ChainWriterOptions, type WriteOptions } from './chain-writer.ts'
import { formatGenesis, type Genesis, logIdOf } from './genesis.ts'
import { formatConfigBody, type LogConfig } from './log-config.ts'
import { heal } from './heal.ts'
import { type LogKeys, logKeysOf } from './log-keys.ts'
import type { LogPeer } from './log-peer.ts'
import type { AppendReport } from './quorum-append.ts'
import { formatRelease, type Release } from './release.ts'
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
  release(release: Omit<Release, 'account'>, options: WriteOptions = {}): Promise<AppendReport> {
    const body = formatRelease({ ...release, account: this.writer.view.logId })
    return this.writer.append('release', () => body, options)
  }

  /**
   * Moves the log to other servers: catches the new ones up, has the config taken by a quorum of
   * both sets, and settles it with a checkpoint. `newPeers` are those of the new servers that can
   * be reached. After an interruption call it again with a new admin: nothing is lost in between.
   *
   * @returns the report on the config entry, or on the checkpoint if that was committed
   */
  async moveTo(
    servers: readonly Uint8Array[],
    newPeers: readonly LogPeer[],
    options: WriteOptions = {},
  ): Promise<AppendReport> {
    const { config } = this.writer.view.rules
    const next: LogConfig = { epoch: config.epoch + 1, servers: inOrder(servers) }
    await this.#bringUp(newPeers, options)
    this.writer.require([config, next])
    const body = formatConfigBody(next)
    const report = await this.writer.append('config', () => body, options)
    if (report.outcome !== 'committed') return report
    // what was committed at the old servers alone until they took the config
    await this.writer.refresh(options)
    await this.#bringUp(newPeers, options)
    const settled = await this.checkpoint([], options)
    if (settled.outcome === 'committed') this.writer.require([next])
    return settled
  }

  async #bringUp(targets: readonly LogPeer[], { signal }: WriteOptions): Promise<void> {
    const { clock, peers } = this.#options
    await heal(this.writer.view, { targets, peers: peers(), clock, signal })
  }
}

function inOrder(servers: readonly Uint8Array[]): Uint8Array[] {
  return [...servers].sort(compareBytes)
}
