/** A disk of which one call fails: before it does anything, or after it has done all. */
import type { Disk, DiskEntry, DiskFile } from '../../src/base/disk.ts'

export interface DiskFailure {
  /** Which call, from 0. */
  call: number
  code: string
  /** The call fails, and yet its effect is there. */
  persisted: boolean
}

export class FailingDisk implements Disk {
  readonly #disk: Disk
  readonly #failure: DiskFailure
  /** Calls so far, in order. */
  readonly calls: string[] = []

  constructor(disk: Disk, failure: DiskFailure) {
    this.#disk = disk
    this.#failure = failure
  }

  /** What failed, or undefined when there were not that many calls. */
  get failed(): string | undefined {
    return this.calls[this.#failure.call]
  }

  async openRead(path: string): Promise<DiskFile> {
    return this.#wrap(await this.#pass('openRead', () => this.#disk.openRead(path)))
  }

  async create(path: string): Promise<DiskFile> {
    return this.#wrap(await this.#pass('create', () => this.#disk.create(path)))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#pass('rename', () => this.#disk.rename(from, to))
  }

  unlink(path: string): Promise<void> {
    return this.#pass('unlink', () => this.#disk.unlink(path))
  }

  makeDirectory(path: string): Promise<void> {
    return this.#pass('makeDirectory', () => this.#disk.makeDirectory(path))
  }

  fileSize(path: string): Promise<number> {
    return this.#pass('fileSize', () => this.#disk.fileSize(path))
  }

  entry(path: string): Promise<DiskEntry> {
    return this.#pass('entry', () => this.#disk.entry(path))
  }

  readDirectory(path: string): Promise<string[]> {
    return this.#pass('readDirectory', () => this.#disk.readDirectory(path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#pass('syncDirectory', () => this.#disk.syncDirectory(path))
  }

  space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    return this.#pass('space', () => this.#disk.space(path))
  }

  #wrap(file: DiskFile): DiskFile {
    return {
      size: () => this.#pass('size', () => file.size()),
      read: (position, length) => this.#pass('read', () => file.read(position, length)),
      write: (pieces, position) => this.#pass('write', () => file.write(pieces, position)),
      sync: () => this.#pass('sync', () => file.sync()),
      close: () => this.#pass('close', () => file.close()),
    }
  }

  async #pass<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { call, code, persisted } = this.#failure
    const fails = this.calls.push(name) - 1 === call
    if (fails && !persisted) throw diskError(code, name)
    const result = await work()
    if (fails) throw diskError(code, name)
    return result
  }
}

function diskError(code: string, name: string): Error {
  return Object.assign(new Error(`${code}: planned, ${name}`), { code })
}
