/** One share file on disk: being written, and being read. */
import type { Disk, DiskFile } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'
import { onDisk } from './disk-failure.ts'
import type { ShareReader, ShareWriter } from './share-store.ts'

export interface ShareFileWriterOptions {
  disk: Disk
  /** The open, empty file under its temporary name. */
  file: DiskFile
  temporary: string
  shareBytes: number
  /** Gives the synced and closed file its final name, durably; throws a GridError when it is not there. */
  publish: () => Promise<void>
}

export class ShareFileWriter implements ShareWriter {
  readonly #options: ShareFileWriterOptions
  #written = 0
  #open = true
  #done = false

  constructor(options: ShareFileWriterOptions) {
    this.#options = options
  }

  async write(pieces: readonly Uint8Array[]): Promise<void> {
    const { file, shareBytes } = this.#options
    const position = this.#written
    for (const piece of pieces) this.#written += piece.length
    if (this.#written > shareBytes) throw new RangeError(`share: more than ${shareBytes} bytes`)
    await onDisk('write', file.write(pieces, position))
  }

  async commit(): Promise<void> {
    const { file, shareBytes, publish } = this.#options
    if (this.#written !== shareBytes) {
      throw new RangeError(`share: ${this.#written} of ${shareBytes} bytes`)
    }
    await onDisk('sync', file.sync())
    await onDisk('sync', this.#close())
    await publish()
    this.#done = true
  }

  async abort(): Promise<void> {
    if (this.#done) return
    this.#done = true
    await this.#close().catch(() => {})
    await this.#options.disk.unlink(this.#options.temporary).catch(() => {})
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#options.file.close()
  }
}

export class ShareFileReader implements ShareReader {
  readonly shareBytes: number
  readonly #file: DiskFile
  readonly #onClose: () => void

  constructor(file: DiskFile, shareBytes: number, onClose: () => void = () => {}) {
    this.#file = file
    this.shareBytes = shareBytes
    this.#onClose = onClose
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = await onDisk('read', this.#file.read(position, length))
    if (bytes.length === length) return bytes
    throw new GridError('E_IO', 'the share is shorter than expected')
  }

  close(): Promise<void> {
    this.#onClose()
    return onDisk('read', this.#file.close())
  }
}
