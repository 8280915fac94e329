/** Whether the folder of a store may be opened at all: see base/format-mark.ts. */
import path from 'node:path'
import type { Disk } from '../base/disk.ts'
import { checkFormat, formatFile } from '../base/format-mark.ts'
import { ifPresent, onDisk } from './disk-failure.ts'

const mostBytes = 64

/** Throws E_VERSION for a store that a later version has changed, E_IO. Changes nothing. */
export async function checkStoreFormat(disk: Disk, root: string): Promise<void> {
  await readFormat(disk, root, `the store ${root}`)
}

/** The format of a folder, which errors call `what`. Throws E_VERSION for a later one, E_IO. */
export async function readFormat(disk: Disk, folder: string, what: string): Promise<number> {
  const at = path.join(folder, formatFile)
  const sizeBytes = await ifPresent(disk.fileSize(at))
  if (sizeBytes === undefined) return checkFormat(undefined, what)
  const file = await onDisk('read', disk.openRead(at))
  try {
    const length = Math.min(sizeBytes, mostBytes)
    const bytes = await onDisk('read', file.read(0, length))
    return checkFormat(new TextDecoder().decode(bytes), what)
  } finally {
    await file.close()
  }
}
