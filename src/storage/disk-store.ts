/**
 * A share store in a directory (docs/specs/share-store.md):
 *
 *   <root>/shares/<first two letters>/<storage index>.<number>   one file a share, never changed
 *   <root>/incoming/<storage index>.<number>.<writer>.<serial>   shares still being written
 *   <root>/quarantine/<storage index>.<number>.<serial>          damaged ones, kept apart
 *
 * Invariants: a file under `shares` is whole and durable from the moment it is shown; what a crash
 * leaves in `incoming` was never acknowledged. Several processes may use a root at once: shares
 * never change, so that two who store the same one store the same bytes.
 */
import path from 'node:path'
import { type Disk, type DiskEntry, type DiskFile, isDiskError } from '../base/disk.ts'
import { mapWithin } from '../base/limit.ts'
import { diskFailure, ifPresent, onDisk } from './disk-failure.ts'
import type { StorageIndex } from './peer.ts'
import { RunningTotals } from './running-totals.ts'
import { ShareDirectories } from './share-directories.ts'
import { ShareFileReader, ShareFileWriter } from './share-file.ts'
import { SetAside } from './set-aside.ts'
import { compareShares, parseShareName, shareName, sharePrefix } from './share-name.ts'
import { checkStoreFormat } from './store-format.ts'
import type {
  ShareEntry,
  ShareKey,
  ShareReader,
  ShareStore,
  ShareTotals,
  ShareWriter,
  Space,
} from './share-store.ts'

/** Files looked at together. */
const entriesConcurrency = 16

export interface DiskStoreOptions {
  disk: Disk
  /** Where the store lies; made if it is not there. */
  root: string
  /** Tells the temporary files of processes that run from those that a crash left; all are left by one if absent. */
  writers?: Writers
}

/** Processes that write to one store. */
export interface Writers {
  /** What this process is called: letters and digits, another name for each process. */
  readonly own: string
  /** Whether the process of this name runs. */
  isRunning(name: string): boolean
}

/** Of a store that one process uses at a time. */
export const soleWriter: Writers = { own: '0', isRunning: () => false }

export class DiskStore implements ShareStore {
  readonly #disk: Disk
  readonly #root: string
  readonly #incoming: string
  readonly #directories: ShareDirectories
  /** Names that are there and not yet durable: hidden. */
  readonly #unsettled = new Set<string>()
  readonly #writers: Writers
  readonly #setAside: SetAside
  /** Names that were set aside and are not there again, once they have been looked for. */
  #damaged: Promise<Set<string>> | undefined
  /** Moves out of the way that are under way, by name. */
  readonly #leaving = new Map<string, Promise<boolean>>()
  /** Who reads which share, so that what has replaced it is not taken for it. */
  readonly #readers = new Map<string, Set<ShareReader>>()
  readonly #totals = new RunningTotals(() => this.#files())
  /** Shares that got their names so far. */
  #published = 0
  #serial = 0

  constructor({ disk, root, writers = soleWriter }: DiskStoreOptions) {
    this.#disk = disk
    this.#writers = writers
    this.#root = root
    this.#incoming = path.join(root, 'incoming')
    this.#directories = new ShareDirectories(disk, path.join(root, 'shares'))
    this.#setAside = new SetAside(disk, root)
  }

  async open(): Promise<void> {
    await checkStoreFormat(this.#disk, this.#root)
    await onDisk('write', this.#disk.makeDirectory(this.#incoming))
    await this.#removeTemporaries()
    await this.#directories.open()
    await onDisk('sync', this.#disk.syncDirectory(this.#root))
    await onDisk('sync', this.#disk.syncDirectory(path.dirname(this.#root)))
  }

  totals(): Promise<ShareTotals> {
    return this.#totals.get()
  }

  async list(storageIndex: StorageIndex): Promise<number[]> {
    const first = shareName(storageIndex, 0)
    const stem = first.slice(0, -1)
    const names = await this.#names(sharePrefix(first))
    return names
      .filter((name) => name.startsWith(stem))
      .flatMap((name) => parseShareName(name)?.shareNumber ?? [])
      .sort((a, b) => a - b)
  }

  async create(
    storageIndex: StorageIndex,
    shareNumber: number,
    shareBytes: number,
  ): Promise<ShareWriter> {
    const name = shareName(storageIndex, shareNumber)
    const temporary = path.join(this.#incoming, `${name}.${this.#writers.own}.${this.#serial++}`)
    const publish = (): Promise<void> => this.#publish(temporary, name, shareBytes)
    const file = await onDisk('write', this.#disk.create(temporary))
    return new ShareFileWriter({ disk: this.#disk, file, temporary, shareBytes, publish })
  }

  async read(storageIndex: StorageIndex, shareNumber: number): Promise<ShareReader | undefined> {
    const name = shareName(storageIndex, shareNumber)
    await this.#directories.settled(sharePrefix(name))
    const publishedBefore = this.#published
    const file = await ifPresent(this.#disk.openRead(this.#directories.pathOf(name)))
    if (file === undefined) return undefined
    try {
      const shareBytes = await onDisk('read', file.size())
      if (!this.#unsettled.has(name)) return this.#reader(name, file, shareBytes, publishedBefore)
      await file.close()
      return undefined
    } catch (error) {
      await file.close().catch(() => {})
      throw error
    }
  }

  async *entries(after?: ShareKey): AsyncGenerator<ShareEntry> {
    for await (const { key, sizeBytes } of this.#files(after)) {
      yield { ...key, shareBytes: sizeBytes }
    }
  }

  async remove(storageIndex: StorageIndex, shareNumber: number): Promise<void> {
    const name = shareName(storageIndex, shareNumber)
    await this.#leaving.get(name)?.catch(() => {})
    const shareBytes = await this.#sizeOf(name)
    if (shareBytes === undefined) return
    await ifPresent(this.#disk.unlink(this.#directories.pathOf(name)), 'write')
    this.#totals.subtract(shareBytes)
    await this.#directories.sync(sharePrefix(name))
  }

  async setAside(
    storageIndex: StorageIndex,
    shareNumber: number,
    reader: ShareReader,
  ): Promise<boolean> {
    const name = shareName(storageIndex, shareNumber)
    // what is being put, or has been since, is another file: from here to `set` nothing may wait
    const isRead = this.#readers.get(name)?.has(reader) ?? false
    if (this.#unsettled.has(name) || this.#leaving.has(name) || !isRead) return false
    const moved = this.#moveAside(name, reader)
    this.#leaving.set(name, moved)
    try {
      return await moved
    } finally {
      this.#leaving.delete(name)
    }
  }

  async damaged(): Promise<ShareKey[]> {
    const names = [...(await this.#damagedNames())]
    return names.flatMap((name) => parseShareName(name) ?? []).sort(compareShares)
  }

  space(): Promise<Space> {
    return onDisk('read', this.#disk.space(this.#root))
  }

  /**
   * Gives a synced file its name, and takes the name away again unless it can be made durable. One
   * that cannot even be taken away stays hidden until the store is opened anew.
   */
  async #publish(temporary: string, name: string, shareBytes: number): Promise<void> {
    const target = this.#directories.pathOf(name)
    let ours = false
    this.#unsettled.add(name)
    try {
      const directory = await this.#directories.ready(sharePrefix(name))
      await this.#leaving.get(name)?.catch(() => {})
      const replacedBytes = await this.#sizeOf(name)
      ours = replacedBytes === undefined
      await onDisk('write', this.#disk.rename(temporary, target))
      ours = true
      this.#published++
      this.#readers.delete(name)
      if (replacedBytes !== undefined) this.#totals.subtract(replacedBytes)
      await directory.run()
    } catch (error) {
      if (ours) await ifPresent(this.#disk.unlink(target), 'write')
      this.#unsettled.delete(name)
      throw error
    }
    this.#unsettled.delete(name)
    this.#totals.add(shareBytes)
    void this.#damaged?.then(
      (names) => names.delete(name),
      () => undefined,
    )
  }

  async #moveAside(name: string, reader: ShareReader): Promise<boolean> {
    const damaged = await this.#damagedNames()
    const from = this.#directories.pathOf(name)
    if ((await this.#sizeOf(name)) === undefined) return false
    await this.#setAside.take(name, from)
    this.#readers.delete(name)
    await this.#directories.sync(sharePrefix(name))
    this.#totals.subtract(reader.shareBytes)
    damaged.add(name)
    return true
  }

  #damagedNames(): Promise<Set<string>> {
    const damaged = (this.#damaged ??= this.#findDamaged())
    damaged.catch(() => (this.#damaged = undefined))
    return damaged
  }

  async #findDamaged(): Promise<Set<string>> {
    const names = await this.#setAside.names()
    const sizes = await mapWithin(entriesConcurrency, names, (name) => this.#sizeOf(name))
    return new Set(names.filter((_, i) => sizes[i] === undefined))
  }

  /** Notes who reads what, unless a share has come meanwhile: it could be the one of this name. */
  #reader(name: string, file: DiskFile, shareBytes: number, publishedBefore: number): ShareReader {
    if (this.#published !== publishedBefore) return new ShareFileReader(file, shareBytes)
    const readers = this.#readers.get(name) ?? new Set()
    const reader = new ShareFileReader(file, shareBytes, () => {
      readers.delete(reader)
      if (readers.size === 0 && this.#readers.get(name) === readers) this.#readers.delete(name)
    })
    this.#readers.set(name, readers.add(reader))
    return reader
  }

  /** Share files as they lie, with what the disk says of them. */
  async *#files(after?: ShareKey): AsyncGenerator<DiskEntry & { key: ShareKey }> {
    const first = after && sharePrefix(shareName(after.storageIndex, after.shareNumber))
    for (const prefix of (await this.#directories.prefixes()).sort()) {
      if (first !== undefined && prefix < first) continue
      const keys = (await this.#names(prefix))
        .filter((name) => sharePrefix(name) === prefix)
        .flatMap((name) => parseShareName(name) ?? [])
        .filter((key) => after === undefined || compareShares(key, after) > 0)
        .sort(compareShares)
      const entries = await mapWithin(entriesConcurrency, keys, (key) =>
        ifPresent(
          this.#disk.entry(this.#directories.pathOf(shareName(key.storageIndex, key.shareNumber))),
        ),
      )
      for (const [i, key] of keys.entries()) {
        const entry = entries[i]
        if (entry !== undefined) yield { ...entry, key }
      }
    }
  }

  /** Leftovers cannot be removed from a file system mounted read-only, which may still be read. */
  async #removeTemporaries(): Promise<void> {
    for (const name of await onDisk('read', this.#disk.readDirectory(this.#incoming))) {
      const [, , writer = ''] = name.split('.')
      if (this.#writers.isRunning(writer)) continue
      await this.#disk.unlink(path.join(this.#incoming, name)).catch((error: unknown) => {
        if (!isDiskError(error, 'EROFS')) throw diskFailure(error, 'write')
      })
    }
  }

  async #names(prefix: string): Promise<string[]> {
    const names = await this.#directories.names(prefix)
    return names.filter((name) => !this.#unsettled.has(name))
  }

  #sizeOf(name: string): Promise<number | undefined> {
    return ifPresent(this.#disk.fileSize(this.#directories.pathOf(name)))
  }
}
