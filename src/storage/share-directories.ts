/** The directories that a disk store keeps its shares or its logs in: one for each first two letters of a name. */
import path from 'node:path'
import type { Disk } from '../base/disk.ts'
import { DirectorySync } from './directory-sync.ts'
import { ifPresent, onDisk } from './disk-failure.ts'
import { isSharePrefix, sharePrefix } from './share-name.ts'

export class ShareDirectories {
  readonly #disk: Disk
  readonly #parent: string
  readonly #parentSync: DirectorySync
  /** Those that are there and durable, or are being made so. */
  readonly #ready = new Map<string, Promise<DirectorySync>>()
  readonly #settled = new Map<string, Promise<void>>()

  /** `parent` is where they lie; `open` makes it. */
  constructor(disk: Disk, parent: string) {
    this.#disk = disk
    this.#parent = parent
    this.#parentSync = this.#syncOf(parent)
  }

  async open(): Promise<void> {
    await onDisk('write', this.#disk.makeDirectory(this.#parent))
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
    await this.settled(prefix)
    return (await ifPresent(this.#disk.readDirectory(this.#pathTo(prefix)))) ?? []
  }

  /**
   * Resolves when all names in the directory of `prefix` are durable: what a store shows must be,
   * and a crash may have come between a rename and the sync behind it. Each directory is synced
   * once, before it is first looked into, so that opening a large store takes no longer than a
   * small one.
   */
  settled(prefix: string): Promise<void> {
    const known = this.#settled.get(prefix)
    if (known !== undefined) return known
    const synced = this.#settle(prefix)
    this.#settled.set(prefix, synced)
    synced.catch(() => this.#settled.delete(prefix))
    return synced
  }

  /** Makes durable what is in the directory of `prefix` now, which is there; makes none. */
  async sync(prefix: string): Promise<void> {
    await this.#parentSync.run()
    await this.#syncOf(this.#pathTo(prefix)).run()
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
    await onDisk('write', this.#disk.makeDirectory(this.#pathTo(prefix)))
    await this.#parentSync.run()
    return this.#syncOf(this.#pathTo(prefix))
  }

  async #settle(prefix: string): Promise<void> {
    const present = await ifPresent(this.#disk.readDirectory(this.#pathTo(prefix)))
    // A directory that is not there yet is made durable by whoever makes it.
    if (present === undefined || present.length === 0) return
    await this.#parentSync.run()
    await this.#syncOf(this.#pathTo(prefix)).run()
  }

  #pathTo(prefix: string): string {
    return path.join(this.#parent, prefix)
  }

  #syncOf(directory: string): DirectorySync {
    return new DirectorySync(() => onDisk('sync', this.#disk.syncDirectory(directory)))
  }
}
