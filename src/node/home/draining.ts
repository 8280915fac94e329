/**
 * Whether a node is being emptied: a file in its home says so, from before its first share is moved
 * until its owner changes his mind, whatever is restarted meanwhile.
 */
import path from 'node:path'
import { type Disk, isDiskError } from '../../base/disk.ts'
import { asGridError } from '../../base/errors.ts'
import type { Home } from './home.ts'

interface Parts {
  home: Home
  disk: Disk
}

export async function isDraining(parts: Parts): Promise<boolean> {
  try {
    await parts.disk.fileSize(fileOf(parts))
    return true
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return false
    throw asGridError(error, 'E_IO', 'cannot tell whether this node is being emptied')
  }
}

/** Durable on return. Throws E_IO. */
export async function setDraining(parts: Parts, isOn: boolean): Promise<void> {
  const { disk, home } = parts
  try {
    if (isOn) await (await disk.create(fileOf(parts))).close()
    else await disk.unlink(fileOf(parts))
    await disk.syncDirectory(home.path)
  } catch (error) {
    if (isDiskError(error, 'EEXIST', 'ENOENT')) return
    throw asGridError(error, 'E_IO', 'cannot mark this node as being emptied')
  }
}

function fileOf({ home }: Parts): string {
  return path.join(home.path, 'draining')
}
