/**
 * A log store in a directory (docs/specs/log-store.md):
 *
 *   <root>/logs/<first two letters>/<log id>/genesis                  what the log began with
 *   <root>/logs/<first two letters>/<log id>/<author>.<seq>.<count>.<digest>   entries, a run a file
 *   <root>/logs/incoming/<name>.<writer>.<serial>                     files still being written
 *
 * Invariants: a file is whole and durable from the moment it is shown, and never changed. Several
 * processes may use a root at once: each adds files of its own.
 */
import path from 'node:path'
import { fromBase32, toBase32 } from '../base/base32.ts'
import { type Disk, isDiskError } from '../base/disk.ts'
import { DirectorySync } from './directory-sync.ts'
import { diskFailure, ifPresent, onDisk } from './disk-failure.ts'
import { DiskLog } from './disk-log.ts'
import type { DiskStoreOptions, Writers } from './disk-store.ts'
import { type LogId, logIdBytes, type LogStore, type StoredLog } from './log-store.ts'
import { ShareDirectories } from './share-directories.ts'
import { sharePrefix } from './share-name.ts'
import type { Space } from './share-store.ts'
import { checkStoreFormat } from './store-format.ts'

const genesisName = 'genesis'
/** Longer than any genesis that a log may have. */
const maxGenesisBytes = 2 ** 20
const soleWriter: Writers = { own: '0', isRunning: () => false }

export interface DiskLogStoreOptions extends DiskStoreOptions {
  /** No other process writes here while it is open: then nobody looks for what another has added. */
  alone?: boolean
}

export class DiskLogStore implements LogStore {
  readonly #disk: Disk
  readonly #root: string
  readonly #incoming: string
  readonly #directories: ShareDirectories
  readonly #writers: Writers
  readonly #alone: boolean
  readonly #hidden = new Set<string>()
  #rootSync: Promise<void> | undefined
  #count: number | undefined
  #serial = 0

  /** `root` may be that of a share store. */
  constructor({ disk, root, writers = soleWriter, alone = false }: DiskLogStoreOptions) {
    this.#alone = alone
    this.#disk = disk
    this.#root = root
    this.#writers = writers
    this.#incoming = path.join(root, 'logs', 'incoming')
    this.#directories = new ShareDirectories(disk, path.join(root, 'logs'))
  }

  async open(): Promise<void> {
    await checkStoreFormat(this.#disk, this.#root)
    try {
      await this.#disk.makeDirectory(this.#incoming)
    } catch (error) {
      // a file system mounted read-only is served as it is
      if (isDiskError(error, 'EROFS')) return
      throw diskFailure(error, 'write')
    }
    await this.#removeTemporaries()
  }

  async count(): Promise<number> {
    if (this.#count === undefined) {
      let count = 0
      for await (const names of this.#namesByPrefix()) count += names.length
      this.#count ??= count
    }
    return this.#count
  }

  async *names(): AsyncGenerator<LogId> {
    for await (const names of this.#namesByPrefix())
      for (const name of names) yield fromBase32(name)!
  }

  async *#namesByPrefix(): AsyncGenerator<string[]> {
    const prefixes = (await ifPresent(this.#directories.prefixes())) ?? []
    for (const prefix of prefixes) yield (await this.#directories.names(prefix)).filter(isLogName)
  }

  async log(logId: LogId): Promise<StoredLog | undefined> {
    const name = logName(logId)
    await this.#directories.settled(sharePrefix(name))
    const directory = this.#directories.pathOf(name)
    const genesis = await this.#genesis(path.join(directory, genesisName))
    if (genesis === undefined) return undefined
    // whoever made the directory may have died, or not be done
    await this.#rooted()
    await this.#directories.sync(sharePrefix(name))
    const log = this.#diskLog(directory, genesis)
    await log.open()
    return log
  }

  async create(logId: LogId, genesis: Uint8Array): Promise<StoredLog> {
    const known = await this.log(logId)
    if (known !== undefined) return known
    const name = logName(logId)
    const directory = this.#directories.pathOf(name)
    await this.#rooted()
    const above = await this.#directories.ready(sharePrefix(name))
    const isNew = (await ifPresent(this.#disk.readDirectory(directory))) === undefined
    await onDisk('write', this.#disk.makeDirectory(directory))
    await above.run()
    if (isNew && this.#count !== undefined) this.#count++
    const log = this.#diskLog(directory, genesis.slice())
    await log.begin(genesisName)
    return log
  }

  /**
   * Resolves when the directories above all logs are durable: once in each process that needs them,
   * so that one which has nothing to do with logs does not wait for it.
   */
  #rooted(): Promise<void> {
    const sync = async (): Promise<void> => {
      for (const directory of [this.#root, path.dirname(this.#root)]) {
        await onDisk('sync', this.#disk.syncDirectory(directory))
      }
    }
    this.#rootSync ??= sync().catch((error: unknown) => {
      this.#rootSync = undefined
      throw error
    })
    return this.#rootSync
  }

  space(): Promise<Space> {
    return onDisk('read', this.#disk.space(this.#root))
  }

  async #genesis(file: string): Promise<Uint8Array | undefined> {
    if (this.#hidden.has(file)) return undefined
    const opened = await ifPresent(this.#disk.openRead(file))
    try {
      return opened && (await onDisk('read', opened.read(0, maxGenesisBytes)))
    } finally {
      await opened?.close().catch(() => {})
    }
  }

  #diskLog(directory: string, genesis: Uint8Array): DiskLog {
    const disk = this.#disk
    return new DiskLog({
      disk,
      directory,
      sync: new DirectorySync(() => onDisk('sync', disk.syncDirectory(directory))),
      genesis,
      temporary: (name) =>
        path.join(this.#incoming, `${name}.${this.#writers.own}.${this.#serial++}`),
      hidden: this.#hidden,
      alone: this.#alone,
    })
  }

  /** Leftovers cannot be removed from a file system mounted read-only, which may still be read. */
  async #removeTemporaries(): Promise<void> {
    for (const name of await onDisk('read', this.#disk.readDirectory(this.#incoming))) {
      if (this.#writers.isRunning(name.split('.').at(-2) ?? '')) continue
      await this.#disk.unlink(path.join(this.#incoming, name)).catch((error: unknown) => {
        if (!isDiskError(error, 'EROFS')) throw diskFailure(error, 'write')
      })
    }
  }
}

/** Throws a RangeError for what is no log id: no text from outside is ever part of a path. */
function logName(logId: LogId): string {
  if (logId.length !== logIdBytes) throw new RangeError(`log id: ${logId.length} bytes`)
  return toBase32(logId)
}

function isLogName(name: string): boolean {
  return fromBase32(name)?.length === logIdBytes && name === name.toLowerCase()
}
