/**
 * The folder in which a simulated machine keeps what a backup remembers, on its disk: what a process
 * writes outlives it, and a power cut leaves what a disk may leave (`disk-image.ts`).
 */
import { isDiskError } from '../../../src/base/disk.ts'
import { asGridError, type GridError } from '../../../src/base/errors.ts'
import type { CacheFile, CacheFolder } from '../../../src/backup/memory/cache-folder.ts'
import type { FileNow, MountedDisk } from '../mounted-disk.ts'

/** Where it lies. */
export const cacheDirectory = 'home/cache'

export class MachineFolder implements CacheFolder {
  readonly #disk: MountedDisk
  readonly #onCall: () => void
  openFiles = 0

  /** `onCall` is told before each call that changes anything. */
  constructor(disk: MountedDisk, onCall: () => void) {
    this.#disk = disk
    this.#onCall = onCall
  }

  list(): Promise<string[]> {
    return this.#try('list', '', (at) => this.#disk.readDirectory(at))
  }

  open(name: string): CacheFile | undefined {
    try {
      return this.#opened(this.#disk.openNow(pathOf(name)))
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw failure(error, 'open', name)
    }
  }

  create(name: string): CacheFile {
    this.#onCall()
    try {
      return this.#opened(this.#disk.createNow(pathOf(name)))
    } catch (error) {
      throw failure(error, 'make', name)
    }
  }

  async wipe(name: string): Promise<void> {
    this.#onCall()
    await this.#try('overwrite', name, async (at) => {
      let file: FileNow | undefined
      try {
        file = this.#disk.openNow(at)
        file.write(new Uint8Array(file.sizeBytes), 0)
        await file.sync()
      } catch (error) {
        if (!isDiskError(error, 'ENOENT')) throw error
      } finally {
        file?.close()
      }
    })
  }

  async rename(from: string, to: string): Promise<void> {
    this.#onCall()
    await this.#try('rename', from, (at) => this.#disk.rename(at, pathOf(to)))
  }

  async remove(name: string): Promise<void> {
    this.#onCall()
    await this.#try('remove', name, async (at) => {
      try {
        await this.#disk.unlink(at)
      } catch (error) {
        if (!isDiskError(error, 'ENOENT')) throw error
      }
    })
  }

  async sync(): Promise<void> {
    this.#onCall()
    await this.#try('sync', '', (at) => this.#disk.syncDirectory(at))
  }

  #opened(file: FileNow): CacheFile {
    this.openFiles++
    return new MachineFile(file, this.#onCall, () => this.openFiles--)
  }

  async #try<T>(what: string, name: string, work: (at: string) => Promise<T>): Promise<T> {
    try {
      return await work(pathOf(name))
    } catch (error) {
      throw failure(error, what, name)
    }
  }
}

class MachineFile implements CacheFile {
  readonly #file: FileNow
  readonly #onCall: () => void
  readonly #onClosed: () => void
  #isOpen = true

  constructor(file: FileNow, onCall: () => void, onClosed: () => void) {
    this.#file = file
    this.#onCall = onCall
    this.#onClosed = onClosed
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes
  }

  read(position: number, length: number): Uint8Array {
    return tried('read', () => this.#file.read(position, length))
  }

  append(bytes: Uint8Array): void {
    this.#onCall()
    tried('write', () => this.#file.write(bytes, this.#file.sizeBytes))
  }

  async sync(): Promise<void> {
    this.#onCall()
    try {
      await this.#file.sync()
    } catch (error) {
      throw failure(error, 'sync', '')
    }
  }

  close(): void {
    if (this.#isOpen) this.#onClosed()
    this.#isOpen = false
    this.#file.close()
  }
}

function pathOf(name: string): string {
  return name === '' ? cacheDirectory : `${cacheDirectory}/${name}`
}

function tried<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failure(error, what, '')
  }
}

function failure(error: unknown, what: string, name: string): GridError {
  const code = isDiskError(error, 'ENOSPC', 'EDQUOT') ? 'E_FULL' : 'E_IO'
  return asGridError(error, code, `cannot ${what} ${name}`)
}
