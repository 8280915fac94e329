/** Open files of a tree in memory, as an encoder reads those of a machine. */
import type { FileReader, FileState } from '../../src/encoding/file-reader.ts'
import type { MemoryFile } from './memory-tree.ts'

/** Far from any descriptor of this process, which is then not read by mistake. */
const firstDescriptor = 1_000_000

export class MemoryFiles implements FileReader {
  readonly #open = new Map<number, MemoryFile>()
  readonly #onRead: (file: MemoryFile) => void
  #next = firstDescriptor

  /** `onRead` is told before each read, and may change the file. */
  constructor(onRead: (file: MemoryFile) => void = () => {}) {
    this.#onRead = onRead
  }

  get openCount(): number {
    return this.#open.size
  }

  open(file: MemoryFile): number {
    this.#open.set(this.#next, file)
    return this.#next++
  }

  close(fd: number): void {
    if (!this.#open.delete(fd)) throw new RangeError('a file is closed twice')
  }

  read(fd: number, position: number, room: Uint8Array): number {
    const file = this.#file(fd)
    this.#onRead(file)
    const bytes = file.content.subarray(position, position + room.length)
    room.set(bytes)
    return bytes.length
  }

  state(fd: number): FileState {
    const { content, mtimeNs, ctimeNs } = this.#file(fd)
    const [mtimeMs, ctimeMs] = [mtimeNs, ctimeNs].map((ns) => Number(ns) / 1e6)
    return { sizeBytes: content.length, mtimeMs, ctimeMs }
  }

  #file(fd: number): MemoryFile {
    const file = this.#open.get(fd)
    if (file === undefined) throw new RangeError('a file is read that is not open')
    return file
  }
}
