/**
 * Damaged shares of a disk store, kept apart (docs/specs/share-store.md, "Damaged shares"):
 *
 *   <root>/quarantine/<storage index>.<number>.<serial>
 *
 * Nothing here is ever shown as a share, changed or removed: it is for the operator to look at.
 */
import path from 'node:path'
import type { Disk } from '../base/disk.ts'
import { ifPresent, onDisk } from './disk-failure.ts'
import { parseShareName } from './share-name.ts'

export class SetAside {
  readonly #disk: Disk
  readonly #directory: string
  /** The next serial of each name that is here, once the directory has been read. */
  #serials: Promise<Map<string, number>> | undefined

  constructor(disk: Disk, root: string) {
    this.#disk = disk
    this.#directory = path.join(root, 'quarantine')
  }

  /** Names of shares that were ever set aside here. */
  async names(): Promise<string[]> {
    return [...(await this.#known()).keys()]
  }

  /** Moves the share `name` in here from where it lies; durable here when it resolves. */
  async take(name: string, from: string): Promise<void> {
    const serials = await this.#known()
    await onDisk('write', this.#disk.makeDirectory(this.#directory))
    await onDisk('sync', this.#disk.syncDirectory(path.dirname(this.#directory)))
    const serial = serials.get(name) ?? 0
    serials.set(name, serial + 1)
    const target = path.join(this.#directory, `${name}.${serial}`)
    await onDisk('write', this.#disk.rename(from, target))
    await onDisk('sync', this.#disk.syncDirectory(this.#directory))
  }

  #known(): Promise<Map<string, number>> {
    const known = (this.#serials ??= this.#read())
    known.catch(() => (this.#serials = undefined))
    return known
  }

  async #read(): Promise<Map<string, number>> {
    const serials = new Map<string, number>()
    for (const file of (await ifPresent(this.#disk.readDirectory(this.#directory))) ?? []) {
      const [, name = '', digits = ''] = /^(.+)\.(\d{1,9})$/.exec(file) ?? []
      if (parseShareName(name) === undefined) continue
      serials.set(name, Math.max(serials.get(name) ?? 0, Number(digits) + 1))
    }
    return serials
  }
}
