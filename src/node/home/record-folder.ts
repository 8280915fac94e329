/** Small files that are each read and replaced whole: what they said last is there after a crash. */
import path from 'node:path'
import { toBase32 } from '../../base/base32.ts'
import { type Disk, isDiskError } from '../../base/disk.ts'
import { asGridError, GridError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'

export interface RecordFolderOptions {
  disk: Disk
  random: Random
  /** Where they lie; made when it is needed. */
  path: string
}

export class RecordFolder {
  readonly #options: RecordFolderOptions
  #isMade = false

  constructor(options: RecordFolderOptions) {
    this.#options = options
  }

  get path(): string {
    return this.#options.path
  }

  /** The whole file, or undefined if there is none. Throws E_IO, also for one above `maxBytes`. */
  async read(name: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const { disk } = this.#options
    const at = path.join(this.path, name)
    try {
      const file = await disk.openRead(at)
      try {
        const length = await file.size()
        if (length > maxBytes) throw new GridError('E_IO', `${at} is longer than it can be`)
        return await file.read(0, length)
      } finally {
        await file.close()
      }
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw asGridError(error, 'E_IO', `cannot read ${at}`)
    }
  }

  /** Puts `bytes` in the place of the file; durable on return. Throws E_IO, and the old one stays. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const { disk, random } = this.#options
    const at = path.join(this.path, name)
    // a name of its own, that no record has: another process may be writing too, or have been cut short
    const temporary = path.join(this.path, `.${toBase32(random.bytes(10))}.new`)
    try {
      await this.make()
      const file = await disk.create(temporary)
      try {
        await file.write([bytes], 0)
        await file.sync()
      } finally {
        await file.close()
      }
      await disk.rename(temporary, at)
      await disk.syncDirectory(this.path)
    } catch (error) {
      await disk.unlink(temporary).catch(() => {})
      throw asGridError(error, 'E_IO', `cannot write ${at}`)
    }
  }

  /** Nothing if it is not there. After a crash it may be there again. */
  async remove(name: string): Promise<void> {
    const { disk } = this.#options
    const at = path.join(this.path, name)
    try {
      await disk.unlink(at)
    } catch (error) {
      if (!isDiskError(error, 'ENOENT')) throw asGridError(error, 'E_IO', `cannot remove ${at}`)
    }
  }

  /** Makes the folder, durably. */
  async make(): Promise<void> {
    if (this.#isMade) return
    const { disk } = this.#options
    await disk.makeDirectory(this.path)
    await disk.syncDirectory(path.dirname(this.path))
    this.#isMade = true
  }
}
