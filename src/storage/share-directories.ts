/** The directories that a disk store keeps its share files in: one for each first two letters of a name. */
import path from 'node:path'
import type { Disk } from '../base/disk.ts'
import { mapWithin } from '../base/limit.ts'
import { DirectorySync } from './directory-sync.ts'
import { ifPresent, onDisk } from './disk-failure.ts'
import { isSharePrefix, sharePrefix } from './share-name.ts'

/** Directories synced together while the store is opened. */
const openConcurrency = 16

export class ShareDirectories {
  readonly #disk: Disk
  readonly #parent: string
  readonly #parentSync: DirectorySync
  /** Those that are there and durable, or are being made so. */
  readonly #ready = new Map<string, Promise<DirectorySync>>()

  /** `parent` is where they lie; `open` makes it. */
  constructor(disk: Disk, parent: string) {
    this.#disk = disk
    this.#parent = parent
    this.#parentSync = this.#syncOf(parent)
  }

  /**
   * Syncs all there are, as a crash may have come between a rename and the sync that makes it
   * durable, and what a store shows must be durable.
   */
  async open(): Promise<void> {
    await onDisk('write', this.#disk.makeDirectory(this.#parent))
    await mapWithin(openConcurrency, await this.prefixes(), async (prefix) => {
      const directory = await this.ready(prefix)
      await directory.run()
    })
  }

  /** The path of the share of this name. */
  pathOf(name: string): string {
    return path.join(this.#parent, sharePrefix(name), name)
  }

  async prefixes(): Promise<string[]> {
    const names = await onDisk('read', this.#disk.readDirectory(this.#parent))
    return names.filter(isSharePrefix)
  }

  /** Names in the directory of `prefix`, none where there is no such directory. */
  async names(prefix: string): Promise<string[]> {
    return (await ifPresent(this.#disk.readDirectory(path.join(this.#parent, prefix)))) ?? []
  }

  /** Resolves when the directory of `prefix` is there, durably, to what syncs the names in it. */
  ready(prefix: string): Promise<DirectorySync> {
    const known = this.#ready.get(prefix)
    if (known !== undefined) return known
    const made = this.#make(prefix)
    this.#ready.set(prefix, made)
    made.catch(() => this.#ready.delete(prefix))
    return made
  }

  async #make(prefix: string): Promise<DirectorySync> {
    const directory = path.join(this.#parent, prefix)
    await onDisk('write', this.#disk.makeDirectory(directory))
    await this.#parentSync.run()
    return this.#syncOf(directory)
  }

  #syncOf(directory: string): DirectorySync {
    return new DirectorySync(() => onDisk('sync', this.#disk.syncDirectory(directory)))
  }
}
