/** A folder of this machine, 0700, with files that are 0600. */
import fs from 'node:fs'
import { promisify } from 'node:util'
import path from 'node:path'
import { isDiskError } from '../../base/disk.ts'
import { asGridError, GridError } from '../../base/errors.ts'
import type { CacheFile, CacheFolder } from './cache-folder.ts'

const syncFile = promisify(fs.fsync)
const zeros = new Uint8Array(64 * 1024)

export class DiskCacheFolder implements CacheFolder {
  readonly #path: string

  private constructor(folder: string) {
    this.#path = folder
  }

  /** Makes the folder where there is none. Throws E_IO, E_FULL. */
  static async open(folder: string): Promise<DiskCacheFolder> {
    const opened = new DiskCacheFolder(folder)
    await opened.#try('make', '', async () => {
      if (fs.mkdirSync(folder, { recursive: true, mode: 0o700 }) === undefined)
        fs.chmodSync(folder, 0o700)
      else await syncNames(path.dirname(folder))
    })
    return opened
  }

  list(): Promise<string[]> {
    return this.#try('list', '', () => fs.promises.readdir(this.#path))
  }

  open(name: string): CacheFile | undefined {
    const at = path.join(this.#path, name)
    try {
      return new DiskCacheFile(at, fs.openSync(at, 'r'))
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw diskFailure(error, 'open', at)
    }
  }

  create(name: string): CacheFile {
    const at = path.join(this.#path, name)
    try {
      return new DiskCacheFile(at, fs.openSync(at, 'wx+', 0o600))
    } catch (error) {
      throw diskFailure(error, 'make', at)
    }
  }

  async wipe(name: string): Promise<void> {
    await this.#try('overwrite', name, async (at) => {
      const descriptor = openIfThere(at)
      if (descriptor === undefined) return
      try {
        const { size } = fs.fstatSync(descriptor)
        for (let done = 0; done < size;)
          done += fs.writeSync(descriptor, zeros, 0, Math.min(zeros.length, size - done), done)
        await syncFile(descriptor)
      } finally {
        fs.closeSync(descriptor)
      }
    })
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#try('rename', from, (at) => fs.promises.rename(at, path.join(this.#path, to)))
  }

  async remove(name: string): Promise<void> {
    await this.#try('remove', name, (at) => fs.promises.rm(at, { force: true }))
  }

  async sync(): Promise<void> {
    await this.#try('sync', '', syncNames)
  }

  async #try<T>(what: string, name: string, work: (at: string) => Promise<T>): Promise<T> {
    const at = path.join(this.#path, name)
    try {
      return await work(at)
    } catch (error) {
      throw diskFailure(error, what, at)
    }
  }
}

class DiskCacheFile implements CacheFile {
  readonly #path: string
  readonly #descriptor: number
  #sizeBytes: number
  #isOpen = true

  constructor(at: string, descriptor: number) {
    this.#path = at
    this.#descriptor = descriptor
    this.#sizeBytes = fs.fstatSync(descriptor).size
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  read(position: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.#sizeBytes - position))
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(wanted).buffer)
    let filled = 0
    try {
      while (filled < wanted) {
        const left = wanted - filled
        const count = fs.readSync(this.#descriptor, bytes, filled, left, position + filled)
        if (count === 0) break
        filled += count
      }
    } catch (error) {
      throw diskFailure(error, 'read', this.#path)
    }
    return bytes.subarray(0, filled)
  }

  append(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length;) {
        const left = bytes.length - done
        const count = fs.writeSync(this.#descriptor, bytes, done, left, this.#sizeBytes)
        done += count
        this.#sizeBytes += count
      }
    } catch (error) {
      throw diskFailure(error, 'write', this.#path)
    }
  }

  async sync(): Promise<void> {
    try {
      await syncFile(this.#descriptor)
    } catch (error) {
      throw diskFailure(error, 'sync', this.#path)
    }
  }

  close(): void {
    if (this.#isOpen) fs.closeSync(this.#descriptor)
    this.#isOpen = false
  }
}

async function syncNames(folder: string): Promise<void> {
  const descriptor = fs.openSync(folder, 'r')
  try {
    await syncFile(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

function openIfThere(at: string): number | undefined {
  try {
    return fs.openSync(at, 'r+')
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return undefined
    throw error
  }
}

function diskFailure(error: unknown, what: string, at: string): GridError {
  const code = isDiskError(error, 'ENOSPC', 'EDQUOT') ? 'E_FULL' : 'E_IO'
  return asGridError(error, code, `cannot ${what} ${at}`)
}
