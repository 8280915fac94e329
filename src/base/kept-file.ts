/** A small file that is only ever replaced whole: after a crash it is the old one or the new one. */
import path from 'node:path'
import { type Disk, isDiskError } from './disk.ts'

export interface KeptAt {
  disk: Disk
  /** The file; its directory must be there, and no other process may write it. */
  path: string
}

/** The whole file, or one byte more than `maxBytes`; undefined where there is none. */
export async function readKept(
  { disk, path: name }: KeptAt,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const file = await disk.openRead(name).catch((error: unknown) => {
    if (isDiskError(error, 'ENOENT')) return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    return await file.read(0, Math.min(await file.size(), maxBytes + 1))
  } finally {
    await file.close()
  }
}

/** Puts `bytes` in the place of the file, durably. Readable by its owner alone. */
export async function replaceKept({ disk, path: name }: KeptAt, bytes: Uint8Array): Promise<void> {
  const temporary = `${name}.new`
  await disk.unlink(temporary).catch((error: unknown) => {
    if (!isDiskError(error, 'ENOENT')) throw error
  })
  const file = await disk.create(temporary)
  try {
    await file.write([bytes], 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(temporary, name)
  await disk.syncDirectory(path.dirname(name))
}
