/**
 * The disk, as a port. Only what a crash-safe store needs, so that a simulated disk can hold
 * every state that a power cut may leave. Failures are Node's own errors with `code` (ENOENT,
 * ENOSPC, EIO, …).
 */
import type { FileHandle } from 'node:fs/promises'
import fs from 'node:fs/promises'

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

/** The machine's file systems. */
export class SystemDisk implements Disk {
  async openRead(path: string): Promise<DiskFile> {
    return new SystemFile(await fs.open(path, 'r'))
  }

  async create(path: string): Promise<DiskFile> {
    return new SystemFile(await fs.open(path, 'wx', 0o600))
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

  readDirectory(path: string): Promise<string[]> {
    return fs.readdir(path)
  }

  async syncDirectory(path: string): Promise<void> {
    const handle = await fs.open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    const { bavail, blocks, bsize } = await fs.statfs(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  }
}

class SystemFile implements DiskFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(
        bytes,
        filled,
        length - filled,
        position + filled,
      )
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return new Uint8Array(bytes.buffer, 0, filled)
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    let pending = pieces.filter((piece) => piece.length > 0)
    let at = position
    while (pending.length > 0) {
      let { bytesWritten } = await this.#handle.writev(pending, at)
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

  sync(): Promise<void> {
    return this.#handle.sync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}
