/**
 * Keys of the folders of an embedded grid, kept on its disks (docs/specs/folder-keys.md): each disk has
 * those of all folders, so that any one of them tells a new home what the folders are called.
 */
import { fromBase32, toBase32 } from '../../base/base32.ts'
import { utf8 } from '../../base/bytes.ts'
import { seedBytes } from '../../base/ed25519.ts'
import type { RecordFolder } from '../home/record-folder.ts'

/** Seeds by the number of the folder. */
export type FolderKeys = Map<number, Uint8Array>

/** As many as there can be shares of an object. */
export const maxFolders = 255
const fileName = 'folder-keys'
const header = 'grid folder keys 1'
const maxFileBytes = 32 * 1024
const lineForm = /^(0|[1-9]\d{0,2}) ([a-z2-7]{52})$/

/**
 * The keys on a disk, `folder` its top: none if it has none. What is damaged is left out, to be
 * written anew.
 *
 * @throws E_IO for a disk that cannot be read
 */
export async function readFolderKeys(folder: RecordFolder): Promise<FolderKeys> {
  const bytes = await folder.read(fileName, maxFileBytes)
  return bytes === undefined ? new Map() : parseFolderKeys(new TextDecoder().decode(bytes))
}

/** Puts the keys of a disk in the place of those that are there; durable on return. Throws E_IO. */
export async function writeFolderKeys(folder: RecordFolder, keys: FolderKeys): Promise<void> {
  await folder.write(fileName, utf8(formatFolderKeys(keys)))
}

/** The inverse of `formatFolderKeys`: total, and takes the first of two lines for a folder. */
export function parseFolderKeys(text: string): FolderKeys {
  const keys: FolderKeys = new Map()
  const [first, ...lines] = text.split('\n')
  if (first !== header) return keys
  for (const line of lines) {
    const [, index = '', letters = ''] = lineForm.exec(line) ?? []
    const seed = fromBase32(letters)
    if (seed?.length !== seedBytes || Number(index) >= maxFolders) continue
    if (!keys.has(Number(index))) keys.set(Number(index), seed)
  }
  return keys
}

export function formatFolderKeys(keys: FolderKeys): string {
  const lines = [...keys]
    .sort(([a], [b]) => a - b)
    .map(([index, seed]) => `${index} ${toBase32(seed)}`)
  return `${[header, ...lines].join('\n')}\n`
}
