/**
 * The marks of a node's folders, its home and its store: raised to what this version makes, and set back by one
 * (docs/specs/upgrades.md, "Raising a version"). Of the two the home's says more at every moment, so
 * that a version which may not touch the store is stopped before it looks for it.
 */
import path from 'node:path'
import type { Disk } from '../../base/disk.ts'
import { asGridError, GridError } from '../../base/errors.ts'
import { formatFile, formatLine } from '../../base/format-mark.ts'
import { replaceKept } from '../../base/kept-file.ts'
import { utf8 } from '../../base/bytes.ts'
import { formatNumber } from '../../base/version.ts'
import { readFormat } from '../../storage/store-format.ts'
import type { Home } from './home.ts'

/** The caller holds the home's lock. */
export interface MarkedFolders {
  disk: Disk
  home: Home
  /** Where shares lie; made if it is not there. Undefined for a node without. */
  store: string | undefined
}

/** To `format`; durable on return. Nothing is written where they say so already. Throws E_IO, E_VERSION. */
export async function raiseFormat(
  { disk, home, store }: MarkedFolders,
  format: number = formatNumber,
): Promise<void> {
  await mark(disk, home.path, format)
  if (store === undefined) return
  await disk.makeDirectory(store).catch((error: unknown) => {
    throw asGridError(error, 'E_IO', `cannot make ${store}`)
  })
  await mark(disk, store, format)
}

/**
 * Sets them back, so that the version before this one takes them; what it set back before stays so. Durable on
 * return. Throws E_USAGE where there was no format before this version's, E_IO, E_VERSION.
 *
 * @returns the format that they have now
 */
export async function lowerFormat({ disk, home, store }: MarkedFolders): Promise<number> {
  const format = formatNumber - 1
  if (format < 1) throw new GridError('E_USAGE', 'there is no format before the one of this Grid')
  if (store !== undefined) await mark(disk, store, format)
  await mark(disk, home.path, format)
  return format
}

async function mark(disk: Disk, folder: string, format: number): Promise<void> {
  if ((await readFormat(disk, folder, folder)) === format) return
  try {
    await replaceKept({ disk, path: path.join(folder, formatFile) }, utf8(formatLine(format)))
  } catch (error) {
    throw asGridError(error, 'E_IO', `cannot mark ${folder}`)
  }
}
