/** The files of an index in LMDB, and what its failures mean. It is loaded when it is needed: the addon takes its time. */
import { closeSync, mkdirSync, openSync, readSync, rmSync } from 'node:fs'
import path from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { fromHex, toHex } from '../../base/bytes.ts'
import { isDiskError } from '../../base/disk.ts'
import { GridError } from '../../base/errors.ts'

export type Database = RootDatabase<Uint8Array, Uint8Array>

/** Address space for all there may ever be; the file is as long as what is in it. */
const mapBytes = 2 ** 36
/** How each of its first two pages begins, on a machine that keeps the low byte first. */
const pageBytes = 4096
const magicAt = 24
const magic = fromHex('dec0efbe02000000')

/** The one that is mapped. */
export function indexFileIn(directory: string): string {
  return path.join(directory, 'data.mdb')
}

/** Opens it, or makes it anew: where it is not sound, or is not there. Throws E_FULL, E_IO. */
export function openIndexFile(directory: string, options: { isSound: boolean }): Database {
  return onIndex(() => {
    const isSound = options.isSound && isIndex(indexFileIn(directory))
    if (!isSound) rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const encodings = { keyEncoding: 'binary', encoding: 'binary' } as const
    const settings = {
      ...encodings,
      pageSize: pageBytes,
      mapSize: mapBytes,
      noSync: true,
      maxDbs: 1,
    }
    return open<Uint8Array, Uint8Array>(directory, settings)
  })
}

/** What `work` gives, its failure put into our terms. */
export function onIndex<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failure(error)
  }
}

/** Mistakes of ours stay what they are. */
export function failure(error: unknown): unknown {
  if (error instanceof GridError || error instanceof RangeError || error instanceof TypeError) {
    return error
  }
  const isFull = error instanceof Error && /MDB_MAP_FULL|No space left/.test(error.message)
  if (isFull) return new GridError('E_FULL', 'the disk has no space left', { cause: error })
  return new GridError('E_IO', 'the index of holds failed', { cause: error })
}

/**
 * Whether both of its first pages begin as LMDB's do: it takes the process down with it where a file
 * is something else. Of no bytes at all it makes an index.
 */
function isIndex(file: string): boolean {
  const pages = readStart(file, 2 * pageBytes)
  if (pages === undefined || pages.length === 0) return true
  return [0, pageBytes].every((page) => {
    const found = pages.subarray(page + magicAt, page + magicAt + magic.length)
    return toHex(found) === toHex(magic)
  })
}

/** Undefined where there is no such file. */
function readStart(file: string, byteCount: number): Uint8Array | undefined {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    const bytes = new Uint8Array(byteCount)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, byteCount, 0))
  } finally {
    closeSync(descriptor)
  }
}
