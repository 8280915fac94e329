/**
 * The files of runs in a folder (docs/specs/backup-cache.md, "Runs"): rows, and the key that opens
 * them, which is there under its name from the moment in which the run counts.
 */
import type { CacheFile, CacheFolder } from './cache-folder.ts'
import { pageKeyBytes } from './sealed-page.ts'

const snapshotIdBytes = 32
const pattern = /^([1-9][0-9]{0,14})\.(?:rows|snapshot|key|key\.new)$/

/** The numbers of all runs that left anything behind, the last one first. */
export async function runsIn(folder: CacheFolder): Promise<number[]> {
  const numbers = new Set<number>()
  for (const name of await folder.list()) {
    const number = pattern.exec(name)?.[1]
    if (number !== undefined) numbers.add(Number(number))
  }
  return [...numbers].sort((a, b) => b - a)
}

export function createRows(folder: CacheFolder, run: number): CacheFile {
  return folder.create(`${run}.rows`)
}

/** Rows and key of a run, undefined if one is not there; and which snapshot it is of, where it tells. */
export function openRun(
  folder: CacheFolder,
  run: number,
): { rows: CacheFile; key: Uint8Array; snapshotId: Uint8Array | undefined } | undefined {
  const key = readKey(folder, `${run}.key`)
  if (key === undefined) return undefined
  const rows = folder.open(`${run}.rows`)
  return rows && { rows, key, snapshotId: readId(folder, run) }
}

/**
 * Makes a run count, whose rows are durable; it does, durably, when this resolves.
 *
 * @param snapshotId - 32 bytes: the entry of the log that the rows are of, if it is known
 */
export async function commitRun(
  folder: CacheFolder,
  run: number,
  key: Uint8Array,
  snapshotId?: Uint8Array,
): Promise<void> {
  if (snapshotId !== undefined) await writeId(folder, run, snapshotId)
  const file = createKey(folder, `${run}.key.new`, key)
  try {
    await file.sync()
  } finally {
    file.close()
  }
  await folder.rename(`${run}.key.new`, `${run}.key`)
  await folder.sync()
}

/** Destroys what opens a run, then the run. Nothing if there is none. */
export async function destroyRun(folder: CacheFolder, run: number): Promise<void> {
  await destroyKey(folder, `${run}.key.new`)
  await destroyKey(folder, `${run}.key`)
  await folder.remove(`${run}.snapshot`)
  await folder.remove(`${run}.rows`)
}

/** A key in a new file of its own, which is the caller's to sync and close. */
export function createKey(folder: CacheFolder, name: string, key: Uint8Array): CacheFile {
  const file = folder.create(name)
  try {
    file.append(key)
    return file
  } catch (error) {
    file.close()
    throw error
  }
}

async function writeId(folder: CacheFolder, run: number, snapshotId: Uint8Array): Promise<void> {
  const file = folder.create(`${run}.snapshot`)
  try {
    file.append(snapshotId)
    await file.sync()
  } finally {
    file.close()
  }
}

function readId(folder: CacheFolder, run: number): Uint8Array | undefined {
  const file = folder.open(`${run}.snapshot`)
  try {
    return file?.sizeBytes === snapshotIdBytes ? file.read(0, snapshotIdBytes) : undefined
  } finally {
    file?.close()
  }
}

/** Undefined where there is none of the right length. */
export function readKey(folder: CacheFolder, name: string): Uint8Array | undefined {
  const file = folder.open(name)
  try {
    return file?.sizeBytes === pageKeyBytes ? file.read(0, pageKeyBytes) : undefined
  } finally {
    file?.close()
  }
}

/** Overwrites a key before it loses its name. */
export async function destroyKey(folder: CacheFolder, name: string): Promise<void> {
  await folder.wipe(name)
  await folder.remove(name)
}
