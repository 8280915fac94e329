/**
 * The disk, as a port. Only what a crash-safe store needs, so that a simulated disk can hold
 * every state that a power cut may leave. Failures are Node's own errors with `code` (ENOENT,
 * ENOSPC, EIO, …).
 */
import fs from 'node:fs/promises'
import {
  close,
  closeSync,
  fstatSync,
  fsync,
  open,
  openSync,
  read,
  statfsSync,
  writev,
} from 'node:fs'
import { promisify } from 'node:util'

export interface DiskFile {
  /** Bytes in the file. */
  size(): Promise<number>
  /** Exactly `length` bytes from `position`, or fewer at the end of the file. The caller owns them. */
  read(position: number, length: number): Promise<Uint8Array>
  /** Writes all of `pieces` one behind the other from `position`. They are borrowed until it resolves. */
  write(pieces: readonly Uint8Array[], position: number): Promise<void>
  /** Resolves when all that was written would survive a power cut. After a failure the file is lost: never retry. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface DiskEntry {
  isDirectory: boolean
  /** As it is long. */
  sizeBytes: number
  /** What it takes on the disk, in whole blocks; of a directory without what is in it. */
  diskBytes: number
}

export interface Disk {
  /** Opens an existing file for reading. */
  openRead(path: string): Promise<DiskFile>
  /** Makes a new file, 0600; EEXIST if there is one. */
  create(path: string): Promise<DiskFile>
  /** Puts `from` under the name `to`, replacing what was there. Durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Makes the directory, 0700, and those above it; nothing if it is there. */
  makeDirectory(path: string): Promise<void>
  /** Bytes in the file `path`, without opening it. */
  fileSize(path: string): Promise<number>
  /** What `path` is, a link for itself. */
  entry(path: string): Promise<DiskEntry>
  /** Names in a directory, in no order. */
  readDirectory(path: string): Promise<string[]>
  /** Resolves when the directory's entries would survive a power cut. */
  syncDirectory(path: string): Promise<void>
  /** Bytes that may still be written, and bytes in all, on the file system that holds `path`. */
  space(path: string): Promise<{ freeBytes: number; totalBytes: number }>
}

/** True when `error` is a system error of one of `codes`. */
export function isDiskError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

/**
 * The machine's file systems. What may wait for a disk goes to Node's threads, and each trip there
 * costs more than most of these calls; what never waits (to ask an open file, to close one that is
 * read or synced) is done at once. Plain descriptors, since a FileHandle costs more than a file.
 */
export class SystemDisk implements Disk {
  async openRead(path: string): Promise<DiskFile> {
    return new SystemFile(await openFile(path, 'r'))
  }

  async create(path: string): Promise<DiskFile> {
    return new SystemFile(await openFile(path, 'wx', 0o600))
  }

  rename(from: string, to: string): Promise<void> {
    return fs.rename(from, to)
  }

  unlink(path: string): Promise<void> {
    return fs.unlink(path)
  }

  async makeDirectory(path: string): Promise<void> {
    await fs.mkdir(path, { recursive: true, mode: 0o700 })
  }

  async fileSize(path: string): Promise<number> {
    return (await fs.stat(path)).size
  }

  async entry(path: string): Promise<DiskEntry> {
    const stats = await fs.lstat(path)
    const isDirectory = stats.isDirectory()
    return { isDirectory, sizeBytes: stats.size, diskBytes: stats.blocks * statBlockBytes }
  }

  readDirectory(path: string): Promise<string[]> {
    return fs.readdir(path)
  }

  async syncDirectory(path: string): Promise<void> {
    const descriptor = openSync(path, 'r')
    try {
      await syncFile(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  async space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    const { bavail, blocks, bsize } = statfsSync(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  }
}

/** What `stat` counts blocks in, whatever the file system's are. */
const statBlockBytes = 512

const openFile = promisify(open)
const syncFile = promisify(fsync)
const closeFile = promisify(close)
const readFile = promisify(read)
const writeFile = promisify(writev)

class SystemFile implements DiskFile {
  readonly #descriptor: number
  #unsynced = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  async size(): Promise<number> {
    return fstatSync(this.#descriptor).size
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
    let filled = 0
    while (filled < length) {
      const left = length - filled
      const { bytesRead } = await readFile(this.#descriptor, bytes, filled, left, position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    let pending = pieces.filter((piece) => piece.length > 0)
    let at = position
    this.#unsynced = true
    while (pending.length > 0) {
      let { bytesWritten } = await writeFile(this.#descriptor, pending, at)
      at += bytesWritten
      while (pending[0] !== undefined && bytesWritten >= pending[0].length) {
        bytesWritten -= pending[0].length
        pending = pending.slice(1)
      }
      if (pending[0] !== undefined && bytesWritten > 0) {
        pending = [pending[0].subarray(bytesWritten), ...pending.slice(1)]
      }
    }
  }

  async sync(): Promise<void> {
    await syncFile(this.#descriptor)
    this.#unsynced = false
  }

  async close(): Promise<void> {
    if (this.#unsynced) await closeFile(this.#descriptor)
    else closeSync(this.#descriptor)
  }
}
