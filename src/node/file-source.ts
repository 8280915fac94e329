/** Local files, read from start to end: the workers' reader, and what is asked of a file before and after. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { GridError } from '../base/errors.ts'
import type { FileReader } from '../encoding/inline-encoder.ts'

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
 * and there is nothing else that the thread could do meanwhile. The buffer is reused by the next call.
 */
export function syncFileReader(): FileReader {
  let buffer = new Uint8Array(0)
  return (fd, position, length) => {
    if (buffer.length < length) buffer = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const count = readSync(fd, buffer, filled, length - filled, position + filled)
      if (count === 0) break
      filled += count
    }
    return buffer.subarray(0, filled)
  }
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
