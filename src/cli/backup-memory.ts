/** Where this home remembers a backup: a folder for each log, device and set of paths. */
import path from 'node:path'
import { toBase32 } from '../base/base32.ts'
import { u32be, utf8 } from '../base/bytes.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { sha256 } from '../base/hash.ts'
import type { CapOf } from '../caps/cap.ts'
import type { BackupPaths } from '../backup/backup-paths.ts'
import { DiskCacheFolder } from '../backup/disk-cache-folder.ts'
import { RunMemory } from '../backup/run-memory.ts'
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
  { root, shown }: BackupPaths,
  how: { describedBy: string; forget: boolean },
): Promise<RunMemory> {
  const { home, world } = context
  const { deviceSeed, logId } = append
  const author = publicKeyOfSeed(deviceSeed)
  const basis = sha256(logId, author, ...[root, ...shown].flatMap(withLength))
  const described = sha256(ownersDigest(), utf8(how.describedBy))
  const { cache } = await readHomeConfig(context)
  const name = toBase32(basis.subarray(0, nameBytes))
  const folder = await DiskCacheFolder.open(path.join(home.cache, 'backups', name))
  const keys = cache.keys === 'none' ? 'none' : 'kept'
  const { forget } = how
  return RunMemory.open(folder, { random: world.random, basis, described, keys, forget })
}

function withLength(bytes: Uint8Array): Uint8Array[] {
  return [u32be(bytes.length), bytes]
}
