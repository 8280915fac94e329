/**
 * Which folders an embedded grid has, on which of its disks each lies, and what each is called
 * (docs/specs/folder-keys.md). What is on the disks decides, so that a home that knows nothing but
 * them, in whatever order, opens the same grid.
 */
import path from 'node:path'
import { toHex } from '../../base/bytes.ts'
import { type Disk, isDiskError } from '../../base/disk.ts'
import { asGridError, isGridError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type { Trace } from '../../base/trace.ts'
import { embeddedSeedOf } from '../../caps/keys.ts'
import { type FolderKeys, maxFolders, readFolderKeys, writeFolderKeys } from './folder-keys.ts'
import { RecordFolder } from '../home/record-folder.ts'

export interface LayoutOptions {
  disk: Disk
  random: Random
  trace: Trace
  /** Directories, one per disk, ≥ 1. */
  disks: readonly string[]
  /** Folders that there must be, 0 … 255; with 0 nothing is made. */
  count: number
  /** Where keys come from that no disk has. */
  identitySeed: Uint8Array
}

export interface PlacedFolder {
  index: number
  /** May not be there yet. */
  path: string
  /** Seed of its key, 32 bytes. */
  seed: Uint8Array
}

interface OneDisk {
  path: string
  files: RecordFolder
  keys: FolderKeys
  folders: ReadonlySet<number>
}

/** The folders by their numbers; the keys are on every disk that can be written. Throws E_IO. */
export async function layFolders(options: LayoutOptions): Promise<PlacedFolder[]> {
  const { count, identitySeed } = options
  const disks = await Promise.all(options.disks.map((at) => look(at, options)))
  const numbers = new Set(Array.from({ length: count }, (_, index) => index))
  for (const { folders } of disks) for (const index of folders) numbers.add(index)
  const used = new Set<string>()
  const placed = [...numbers]
    .sort((a, b) => a - b)
    .map((index) => {
      const own = diskOf(disks, index)
      const seeds = [own, ...disks].flatMap(({ keys }) => keys.get(index) ?? [])
      // a disk may say that two folders have one key: they would be one server to all others
      for (const number of [index, index + maxFolders]) {
        seeds.push(embeddedSeedOf(identitySeed, number))
      }
      const seed = seeds.find((each) => !used.has(toHex(each)))!
      used.add(toHex(seed))
      return { index, path: path.join(own.path, folderName(index)), seed }
    })
  await Promise.all(disks.map((each) => keepKeys(each, placed, options)))
  return placed
}

/** The disk that has the folder; among several, or none, the one whose turn it is. */
function diskOf(disks: readonly OneDisk[], index: number): OneDisk {
  const turn = disks[index % disks.length]
  if (turn.folders.has(index)) return turn
  return disks.find(({ folders }) => folders.has(index)) ?? turn
}

async function look(at: string, { disk, random }: LayoutOptions): Promise<OneDisk> {
  const files = new RecordFolder({ disk, random, path: at })
  try {
    const names = await disk.readDirectory(at)
    const keys = await readFolderKeys(files)
    return { path: at, files, keys, folders: new Set(names.flatMap(folderNumber)) }
  } catch (error) {
    if (!isDiskError(error, 'ENOENT')) throw asGridError(error, 'E_IO', `cannot read ${at}`)
    return { path: at, files, keys: new Map(), folders: new Set() }
  }
}

/** Adds what a disk lacks. One that takes nothing more is still good for reading. */
async function keepKeys(
  { path: at, files, keys }: OneDisk,
  placed: readonly PlacedFolder[],
  { trace }: LayoutOptions,
): Promise<void> {
  if (placed.every(({ index }) => keys.has(index))) return
  const all: FolderKeys = new Map(placed.map(({ index, seed }) => [index, seed]))
  for (const [index, seed] of keys) all.set(index, seed)
  try {
    await writeFolderKeys(files, all)
  } catch (error) {
    if (!isGridError(error)) throw error
    trace.event('the keys of folders are not kept on a disk', { path: at, code: error.code })
  }
}

function folderName(index: number): string {
  return `folder-${index}`
}

function folderNumber(name: string): number[] {
  const [, digits] = /^folder-(0|[1-9]\d{0,2})$/.exec(name) ?? []
  const index = Number(digits ?? maxFolders)
  return index < maxFolders ? [index] : []
}
