/** Local files, read from start to end: the workers' reader, and what is asked of a file before and after. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { GridError } from '../../base/errors.ts'
import type { FileReader } from '../../encoding/file-reader.ts'

/** A file open for reading, with what tells whether it changed meanwhile. */
export interface OpenFile {
  readonly fd: number
  /** Bytes at the moment it was opened. */
  readonly sizeBytes: number
  /** Throws E_FILE_CHANGED if size, modification or change time are no longer those of its opening. */
  checkUnchanged(): void
  close(): void
}

/** Opens a regular file. Throws E_FILE with what is wrong and what to do. */
export function openFile(path: string): OpenFile {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch (error) {
    throw fileError(error, path)
  }
  const before = fstatSync(fd, { bigint: true })
  if (!before.isFile()) {
    closeSync(fd)
    throw new GridError('E_FILE', `${path}: not a regular file`, {
      hint: 'give a file, or - for standard input',
    })
  }
  return {
    fd,
    sizeBytes: Number(before.size),
    checkUnchanged() {
      const now = fstatSync(fd, { bigint: true })
      if (
        now.size !== before.size ||
        now.mtimeNs !== before.mtimeNs ||
        now.ctimeNs !== before.ctimeNs
      ) {
        throw new GridError('E_FILE_CHANGED', `${path}: it changed while it was read`, {
          hint: 'put it again when nothing writes to it, or put a copy',
        })
      }
    },
    close() {
      closeSync(fd)
    },
  }
}

/**
 * Reads with synchronous calls: in a worker thread they are several times faster than queued ones,
 * and there is nothing else that the thread could do meanwhile.
 */
export const syncFileReader: FileReader = {
  read(fd, position, room) {
    let filled = 0
    while (filled < room.length) {
      const count = readSync(fd, room, filled, room.length - filled, position + filled)
      if (count === 0) break
      filled += count
    }
    return filled
  },

  state(fd) {
    const { size: sizeBytes, mtimeMs, ctimeMs } = fstatSync(fd)
    return { sizeBytes, mtimeMs, ctimeMs }
  },
}

/** All of a file, or what is left of it since it was opened. The caller owns the bytes. */
export function readWhole({ fd, sizeBytes }: Pick<OpenFile, 'fd' | 'sizeBytes'>): Uint8Array {
  const room = new Uint8Array(sizeBytes)
  return room.subarray(0, syncFileReader.read(fd, 0, room))
}

function fileError(error: unknown, path: string): GridError {
  const { code, message } = error as NodeJS.ErrnoException
  const why: Record<string, string> = {
    ENOENT: 'no such file',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    EMFILE: 'too many open files',
  }
  return new GridError('E_FILE', `${path}: ${why[code ?? ''] ?? message}`, { cause: error })
}
