/** A folder in memory, for tests and the simulation. Nothing in it outlives the process. */
import { GridError } from '../../base/errors.ts'
import type { CacheFile, CacheFolder } from './cache-folder.ts'

/** What a file holds, whoever has it open. */
interface Held {
  bytes: Uint8Array
  sizeBytes: number
}

export class MemoryCacheFolder implements CacheFolder {
  readonly #files = new Map<string, Held>()

  async list(): Promise<string[]> {
    return [...this.#files.keys()]
  }

  open(name: string): CacheFile | undefined {
    const held = this.#files.get(name)
    return held && new MemoryCacheFile(held)
  }

  create(name: string): CacheFile {
    if (this.#files.has(name)) throw new GridError('E_IO', `cannot make ${name}: it is there`)
    const held = { bytes: new Uint8Array(0), sizeBytes: 0 }
    this.#files.set(name, held)
    return new MemoryCacheFile(held)
  }

  async wipe(name: string): Promise<void> {
    this.#files.get(name)?.bytes.fill(0)
  }

  async rename(from: string, to: string): Promise<void> {
    const held = this.#files.get(from)
    if (held === undefined) throw new GridError('E_IO', `cannot rename ${from}: it is not there`)
    this.#files.delete(from)
    this.#files.set(to, held)
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name)
  }

  async sync(): Promise<void> {}
}

class MemoryCacheFile implements CacheFile {
  readonly #held: Held

  constructor(held: Held) {
    this.#held = held
  }

  get sizeBytes(): number {
    return this.#held.sizeBytes
  }

  read(position: number, length: number): Uint8Array {
    const { bytes, sizeBytes } = this.#held
    return bytes.slice(Math.min(position, sizeBytes), Math.min(position + length, sizeBytes))
  }

  append(bytes: Uint8Array): void {
    const held = this.#held
    const end = held.sizeBytes + bytes.length
    if (end > held.bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * held.bytes.length))
      grown.set(held.bytes.subarray(0, held.sizeBytes))
      held.bytes = grown
    }
    held.bytes.set(bytes, held.sizeBytes)
    held.sizeBytes = end
  }

  async sync(): Promise<void> {}

  close(): void {}
}
