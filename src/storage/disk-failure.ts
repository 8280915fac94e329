/** What a failed call to the disk means to a share store. */
import { isDiskError } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'

export type DiskStep = 'read' | 'write' | 'sync'

/**
 * E_FULL for want of space; otherwise E_IO, with the fact `failing` when a write or a sync found the
 * medium broken or read-only. The message names no path: it goes to clients.
 */
export function diskFailure(error: unknown, step: DiskStep): GridError {
  if (error instanceof GridError) return error
  if (step !== 'read' && isDiskError(error, 'ENOSPC', 'EDQUOT')) {
    return new GridError('E_FULL', 'the disk has no space left', { cause: error })
  }
  const errno = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  const failing = step !== 'read' && isDiskError(error, 'EIO', 'EROFS')
  return new GridError('E_IO', `the disk failed to ${step}${errno ? ` (${errno})` : ''}`, {
    facts: { failing },
    cause: error,
  })
}

/** The outcome of a call to the disk, its failure put into our terms. */
export async function onDisk<T>(step: DiskStep, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw diskFailure(error, step)
  }
}

/** As `onDisk`; undefined where there is no such file or directory. */
export async function ifPresent<T>(
  call: Promise<T>,
  step: DiskStep = 'read',
): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return undefined
    throw diskFailure(error, step)
  }
}
