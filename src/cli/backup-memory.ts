/** Where this home remembers a backup: a folder for each log, device and set of paths. */
import path from 'node:path'
import { toBase32 } from '../base/base32.ts'
import { u32be, utf8 } from '../base/bytes.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { sha256 } from '../base/hash.ts'
import type { CapOf } from '../caps/cap.ts'
import type { BackupPaths } from '../backup/backup-paths.ts'
import { BackupMemory } from '../backup/memory/backup-memory.ts'
import type { CachedKeys } from '../backup/memory/cached-keys.ts'
import type { CacheReader } from '../backup/memory/cache-reader.ts'
import { DiskCacheFolder } from '../backup/memory/disk-cache-folder.ts'
import { RunMemory } from '../backup/memory/run-memory.ts'
import { ownersDigest } from '../local/owner-names.ts'
import type { Context } from './command.ts'
import { readHomeConfig } from './home-config.ts'

const nameBytes = 10

/**
 * @param how - what else decides how entries are described
 * @throws E_IO, E_CONFIG
 */
export async function openRunMemory(
  context: Context,
  append: CapOf<'LOG-Append'>,
  paths: BackupPaths,
  how: { describedBy: string; forget: boolean },
): Promise<RunMemory> {
  const described = sha256(ownersDigest(), utf8(how.describedBy))
  const { folder, basis, keys } = await placeOf(context, append, paths)
  const { random } = context.world
  return RunMemory.open(folder, { random, basis, described, keys, forget: how.forget })
}

/** What the last run remembers, to be looked at and closed. Throws as `openRunMemory`. */
export async function lookAtRunMemory(
  context: Context,
  append: CapOf<'LOG-Append'>,
  paths: BackupPaths,
): Promise<CacheReader | undefined> {
  const { folder, basis, keys } = await placeOf(context, append, paths)
  return BackupMemory.look(folder, { basis, keys })
}

async function placeOf(
  context: Context,
  { deviceSeed, logId }: CapOf<'LOG-Append'>,
  { root, shown }: BackupPaths,
): Promise<{ folder: DiskCacheFolder; basis: Uint8Array; keys: CachedKeys }> {
  const author = publicKeyOfSeed(deviceSeed)
  const basis = sha256(logId, author, ...[root, ...shown].flatMap(withLength))
  const { cache } = await readHomeConfig(context)
  const name = toBase32(basis.subarray(0, nameBytes))
  const folder = await DiskCacheFolder.open(path.join(context.home.cache, 'backups', name))
  return { folder, basis, keys: cache.keys === 'none' ? 'none' : 'kept' }
}

function withLength(bytes: Uint8Array): Uint8Array[] {
  return [u32be(bytes.length), bytes]
}
