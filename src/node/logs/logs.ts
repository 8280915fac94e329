/**
 * Logs over the servers of a grid: made, written and read by whoever holds the cap for it.
 * Reachable as `grid.logs`.
 */
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { publicKeyOfSeed, signMessage } from '../../base/ed25519.ts'
import type { Random } from '../../base/random.ts'
import { attenuate } from '../../caps/attenuate.ts'
import type { CapOf } from '../../caps/cap.ts'
import { logConvergenceSecretOf } from '../../caps/keys.ts'
import type { ChunkProfile } from '../../encoding/encoder.ts'
import { hasRight, type RateLimits, type Right } from '../../log/certificate.ts'
import type { ChainWriter, ChainWriterOptions } from '../../log/chain-writer.ts'
import { Device } from '../../log/device.ts'
import { LogAdmin } from '../../log/log-admin.ts'
import { logKeysOf } from '../../log/log-keys.ts'
import type { LogPeer } from '../../log/log-peer.ts'
import { LogReader } from '../../log/log-reader.ts'
import { Pruner } from '../../log/pruner.ts'
import type { AppendReport } from '../../log/quorum-append.ts'
import type { NewRelease } from '../../log/release-entry.ts'
import { permuted } from '../placement/placement.ts'
import { DeviceLog, type SnapshotFacts } from './device-log.ts'
import { HeldWriters } from './held-writers.ts'
import { LogAccount } from './log-account.ts'
import { foundLog } from './log-founding.ts'
import { type MovedLog, moveLog } from './log-move.ts'
import { notDurable } from './not-durable.ts'
import type { LogRecords } from './log-records.ts'
import type { PeerPool } from '../peers/peer-pool.ts'
import { ReadableLog } from './readable-log.ts'

export interface LogsParts {
  clock: Clock
  random: Random
  peers: PeerPool
  records: LogRecords
  /** Peer id that servers know this client by. */
  clientId: string
}

export interface LogOptions {
  signal?: AbortSignal
}

export interface CreateLogOptions extends LogOptions {
  /** Name of the first device, at most 64 characters. */
  device: string
  /** How files of this account are cut; `cdc` unless told. */
  profile?: ChunkProfile
}

export interface CreatedLog {
  /** Secret, as is the other: whoever holds it can do everything with the log. */
  admin: CapOf<'LOG-Admin'>
  /** For the first device. */
  append: CapOf<'LOG-Append'>
}

export interface GrantOptions extends LogOptions {
  /** Name of the device, at most 64 characters. */
  label: string
  rights?: readonly Right[]
  limits?: RateLimits
}

const deviceRights: readonly Right[] = ['append', 'put', 'renew']
const deviceLimits: RateLimits = { bytesPer30Days: 2 ** 40, entriesPerDay: 1000 }
/** What servers that are behind a quorum are waited for when the grid is closed. */
const settleMs = 500

export class Logs {
  readonly #parts: LogsParts
  readonly #devices: HeldWriters<DeviceLog>
  readonly #admins: HeldWriters<LogAdmin>
  readonly #pruners: HeldWriters<Pruner>
  readonly #readers = new Map<string, ReadableLog>()
  readonly #accounts = new Map<string, LogAccount>()
  readonly #settling = new Set<Promise<unknown>>()

  constructor(parts: LogsParts) {
    this.#parts = parts
    this.#devices = new HeldWriters(parts.records)
    this.#admins = new HeldWriters(parts.records)
    this.#pruners = new HeldWriters(parts.records)
  }

  /**
   * Makes a log on at most ten servers that accept, with a certificate for a first device.
   *
   * @throws E_NOT_ENOUGH_SERVERS with each server's verdict
   */
  async create(options: CreateLogOptions): Promise<CreatedLog> {
    const { clock, random, peers } = this.#parts
    const { signal, device, profile = 'cdc' } = options
    await peers.ready({ signal })
    const adminSeed = random.bytes(32)
    const deviceSeed = random.bytes(32)
    const subject = publicKeyOfSeed(deviceSeed)
    const grant = { subject, rights: deviceRights, limits: deviceLimits, label: device }
    const candidates = permuted(random.bytes(20), peers.candidates())
    const founding = { adminSeed, grant, profile, clock, signal }
    const { cap, keys } = await foundLog(candidates, founding)
    const { convergenceSecret } = keys
    const { logId } = cap
    return { admin: cap, append: { type: 'LOG-Append', deviceSeed, convergenceSecret, logId } }
  }

  /**
   * Makes a random key for a device, and a certificate for it. The cap holds the account's
   * convergence secret, so that its files dedupe with those of the other devices.
   *
   * @throws E_NOT_DURABLE if the certificate is on fewer servers than a quorum: the key is then lost
   */
  async grant(cap: CapOf<'LOG-Admin'>, options: GrantOptions): Promise<CapOf<'LOG-Append'>> {
    const { label, signal, rights = deviceRights, limits = deviceLimits } = options
    const { logId, adminSeed } = cap
    const deviceSeed = this.#parts.random.bytes(32)
    const admin = await this.admin(cap, { signal })
    const grant = { subject: publicKeyOfSeed(deviceSeed), rights, limits, label }
    this.#expectDurable(await admin.grant(grant, { signal }))
    const { convergenceEpoch } = admin.writer.view.genesis
    const convergenceSecret = logConvergenceSecretOf(adminSeed, convergenceEpoch)
    return { type: 'LOG-Append', deviceSeed, convergenceSecret, logId }
  }

  /**
   * Makes a random key for a pruner, and a certificate for it: it decides what is given up, and
   * reads nothing. Throws as `grant`.
   */
  async grantPruner(
    cap: CapOf<'LOG-Admin'>,
    { label, signal }: Pick<GrantOptions, 'label' | 'signal'>,
  ): Promise<CapOf<'LOG-Prune'>> {
    const given = { label, signal, rights: ['release'] as const }
    const { deviceSeed: pruneSeed, logId } = await this.grant(cap, given)
    return { type: 'LOG-Prune', pruneSeed, verifySeed: logKeysOf(cap.adminSeed).verifySeed, logId }
  }

  /** Ends a device, after its newest entry unless told otherwise: 0 lets nothing of it stand. Throws E_NOT_DURABLE. */
  async revoke(
    cap: CapOf<'LOG-Admin'>,
    author: Uint8Array,
    options: LogOptions & { lastGoodSeq?: number } = {},
  ): Promise<AppendReport> {
    const { signal, lastGoodSeq } = options
    const admin = await this.admin(cap, { signal })
    await admin.writer.refresh({ signal })
    return this.#expectDurable(await admin.revoke(author, lastGoodSeq, { signal }))
  }

  /** Moves the log off servers that take nothing any more or are gone: log-move.ts. Throws E_NOT_DURABLE, and as `moveLog`. */
  async move(cap: CapOf<'LOG-Admin'>, options: LogOptions = {}): Promise<MovedLog> {
    const admin = await this.admin(cap, options)
    const candidates = permuted(this.#parts.random.bytes(20), this.#parts.peers.candidates())
    const moved = await moveLog(admin, candidates, options)
    if (moved.report !== undefined) this.#expectDurable(moved.report)
    return moved
  }

  /** Reads a log: snapshots with a LOG-Read or LOG-Admin cap, what they stand on with a weaker one. */
  reader(cap: CapOf<'LOG-Admin' | 'LOG-Read' | 'LOG-Verify' | 'LOG-Prune'>): ReadableLog {
    const isVerifier = cap.type === 'LOG-Verify' || cap.type === 'LOG-Prune'
    const role = isVerifier ? 'verifier' : 'reader'
    const seed = isVerifier ? cap.verifySeed : attenuate(cap, 'LOG-Read').readSeed
    const { logId } = cap
    const { clock, peers } = this.#parts
    const name = `${toHex(logId)} ${toHex(seed)}`
    const known = this.#readers.get(name)
    if (known !== undefined) return known
    const reader = this.#reader(logId)
    const ready = (options: LogOptions): Promise<void> => peers.ready(options)
    const log = new ReadableLog({ reader, role, seed, clock, ready, peers: this.#peers })
    this.#readers.set(name, log)
    return log
  }

  /**
   * Opens a device's chain, or gives the one that is open: until the grid is closed nobody else
   * here may write it.
   *
   * @throws E_NOT_ENOUGH_SERVERS, E_FORKED, E_TRUNCATED, E_REVOKED, E_UNREACHABLE, E_LOCKED
   */
  async device(cap: CapOf<'LOG-Append'>, options: LogOptions = {}): Promise<DeviceLog> {
    const { random, clock } = this.#parts
    const { deviceSeed: seed, logId } = cap
    return this.#hold(this.#devices, seed, logId, options, async (writing) => {
      const device = await Device.open({ ...writing, seed, random }, options)
      return new DeviceLog(device, clock, seed)
    })
  }

  /** Opens the admin's chain, or gives the one that is open. Throws as `device` does. */
  async admin(cap: CapOf<'LOG-Admin'>, options: LogOptions = {}): Promise<LogAdmin> {
    const keys = logKeysOf(cap.adminSeed)
    return this.#hold(this.#admins, keys.signSeed, cap.logId, options, (writing) =>
      LogAdmin.open(keys, writing, options),
    )
  }

  /** Opens a pruner's chain, or gives the one that is open. Throws as `device` does. */
  async pruner(cap: CapOf<'LOG-Prune'>, options: LogOptions = {}): Promise<Pruner> {
    const { pruneSeed: seed, logId } = cap
    return this.#hold(this.#pruners, seed, logId, options, (writing) =>
      Pruner.open({ ...writing, seed }, options),
    )
  }

  /** What a device stores on, if its certificate lets it. Throws as `device` does. */
  async storing(
    cap: CapOf<'LOG-Append'>,
    options: LogOptions = {},
  ): Promise<LogAccount | undefined> {
    const { writer } = await this.device(cap, options)
    const certificate = writer.view.rules.certificateOf(writer.author)
    const mayPut = certificate !== undefined && hasRight(certificate, 'put')
    return mayPut ? this.#account(writer, cap.deviceSeed) : undefined
  }

  /** The account of a log, for whoever may release from it; the chain of the key is opened. Throws as `device` does. */
  async account(
    cap: CapOf<'LOG-Prune' | 'LOG-Admin'>,
    options: LogOptions = {},
  ): Promise<LogAccount> {
    if (cap.type === 'LOG-Prune')
      return this.#account((await this.pruner(cap, options)).writer, cap.pruneSeed)
    const { writer } = await this.admin(cap, options)
    return this.#account(writer, logKeysOf(cap.adminSeed).signSeed)
  }

  /** Signs a release of what the account of the log holds. Throws E_NOT_DURABLE, and as `device` does. */
  async release(
    cap: CapOf<'LOG-Prune' | 'LOG-Admin'>,
    release: NewRelease,
    options: LogOptions = {},
  ): Promise<AppendReport> {
    const writer =
      cap.type === 'LOG-Prune' ? await this.pruner(cap, options) : await this.admin(cap, options)
    return this.#expectDurable(await writer.release(release, options))
  }

  /**
   * Appends a snapshot of a directory, whose objects are stored, to the device's chain.
   *
   * @throws E_NOT_DURABLE if fewer servers than a quorum have it; it is offered again before the
   *   next; what `device` and `DeviceLog.append` throw
   */
  async append(
    cap: CapOf<'LOG-Append'>,
    facts: SnapshotFacts,
    options: LogOptions = {},
  ): Promise<AppendReport> {
    const device = await this.device(cap, options)
    try {
      return this.#expectDurable(await device.append(facts, options))
    } catch (error) {
      // whatever it came to: the next append begins with what the servers have
      await this.#devices.forget(device.author)
      throw error
    }
  }

  /** Gives servers that are behind a moment, and lets others write. */
  async close(): Promise<void> {
    const { clock } = this.#parts
    if (this.#settling.size > 0) {
      let cancel = (): void => {}
      const patience = new Promise<void>((resolve) => (cancel = clock.after(settleMs, resolve)))
      await Promise.race([Promise.all(this.#settling), patience])
      cancel()
    }
    await Promise.all([this.#devices.close(), this.#admins.close(), this.#pruners.close()])
  }

  #account({ view, author }: ChainWriter, seed: Uint8Array): LogAccount {
    const { peers, clientId, clock } = this.#parts
    const name = toHex(author)
    const known = this.#accounts.get(name)
    if (known !== undefined) return known
    const certificate = view.rules.signedCertificateOf(author)
    const sign = (message: Uint8Array): Uint8Array => signMessage(seed, message)
    const credentials = { genesis: view.genesisBytes, certificate, key: author, sign }
    const account = new LogAccount({ peers, credentials, clientId, clock })
    this.#accounts.set(name, account)
    return account
  }

  readonly #peers = (): LogPeer[] => this.#parts.peers.candidates().map(({ peer }) => peer)

  #reader(logId: Uint8Array): LogReader {
    const { clock, records } = this.#parts
    return new LogReader({ logId, peers: this.#peers, clock, pins: records.pins })
  }

  async #hold<T>(
    writers: HeldWriters<T>,
    seed: Uint8Array,
    logId: Uint8Array,
    options: LogOptions,
    open: (writing: Omit<ChainWriterOptions, 'seed'>) => Promise<T>,
  ): Promise<T> {
    const { clock, records, peers } = this.#parts
    return writers.hold(seed, async () => {
      await peers.ready(options)
      const reader = this.#reader(logId)
      return open({ reader, peers: this.#peers, journal: records.journal, clock })
    })
  }

  #expectDurable(report: AppendReport): AppendReport {
    const settling = report.settled.finally(() => this.#settling.delete(settling))
    this.#settling.add(settling)
    if (report.outcome === 'committed') return report
    throw notDurable(report)
  }
}
