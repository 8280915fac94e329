/**
 * A share store in a directory (docs/specs/share-store.md):
 *
 *   <root>/shares/<first two letters>/<storage index>.<number>   one file a share, never changed
 *   <root>/incoming/<storage index>.<number>.<writer>.<serial>   shares still being written
 *
 * Invariants: a file under `shares` is whole and durable from the moment it is shown; what a crash
 * leaves in `incoming` was never acknowledged. Several processes may use a root at once: shares
 * never change, so that two who store the same one store the same bytes.
 */
import path from 'node:path'
import { type Disk, isDiskError } from '../base/disk.ts'
import { mapWithin } from '../base/limit.ts'
import { diskFailure, ifPresent, onDisk } from './disk-failure.ts'
import type { StorageIndex } from './peer.ts'
import { ShareDirectories } from './share-directories.ts'
import { ShareFileReader, ShareFileWriter } from './share-file.ts'
import { parseShareName, shareName, sharePrefix } from './share-name.ts'
import type {
  ShareEntry,
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
  #totals: ShareTotals | undefined
  #serial = 0

  constructor({ disk, root, writers = soleWriter }: DiskStoreOptions) {
    this.#disk = disk
    this.#writers = writers
    this.#root = root
    this.#incoming = path.join(root, 'incoming')
    this.#directories = new ShareDirectories(disk, path.join(root, 'shares'))
  }

  async open(): Promise<void> {
    await onDisk('write', this.#disk.makeDirectory(this.#incoming))
    await this.#removeTemporaries()
    await this.#directories.open()
    await onDisk('sync', this.#disk.syncDirectory(this.#root))
    await onDisk('sync', this.#disk.syncDirectory(path.dirname(this.#root)))
  }

  async totals(): Promise<ShareTotals> {
    if (this.#totals === undefined) {
      const totals = { shareCount: 0, shareBytes: 0 }
      for await (const { shareBytes } of this.entries()) {
        totals.shareCount++
        totals.shareBytes += shareBytes
      }
      this.#totals = totals
    }
    return { ...this.#totals }
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
    const file = await ifPresent(this.#disk.openRead(this.#directories.pathOf(name)))
    if (file === undefined) return undefined
    try {
      const shareBytes = await onDisk('read', file.size())
      if (!this.#unsettled.has(name)) return new ShareFileReader(file, shareBytes)
      await file.close()
      return undefined
    } catch (error) {
      await file.close().catch(() => {})
      throw error
    }
  }

  async *entries(): AsyncGenerator<ShareEntry> {
    for (const prefix of await this.#directories.prefixes()) {
      const names = (await this.#names(prefix)).filter((name) => sharePrefix(name) === prefix)
      const sizes = await mapWithin(entriesConcurrency, names, (name) => this.#sizeOf(name))
      for (const [i, name] of names.entries()) {
        const share = parseShareName(name)
        const shareBytes = sizes[i]
        if (share !== undefined && shareBytes !== undefined) yield { ...share, shareBytes }
      }
    }
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
      const replacedBytes = await this.#sizeOf(name)
      ours = replacedBytes === undefined
      await onDisk('write', this.#disk.rename(temporary, target))
      ours = true
      if (replacedBytes !== undefined) this.#count(-1, -replacedBytes)
      await directory.run()
    } catch (error) {
      if (ours) await ifPresent(this.#disk.unlink(target), 'write')
      this.#unsettled.delete(name)
      throw error
    }
    this.#unsettled.delete(name)
    this.#count(1, shareBytes)
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

  #count(shareCount: number, shareBytes: number): void {
    if (this.#totals === undefined) return
    this.#totals.shareCount += shareCount
    this.#totals.shareBytes += shareBytes
  }
}
