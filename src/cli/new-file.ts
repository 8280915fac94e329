/**
 * A file that appears under its name whole or not at all: it is written beside it, synced, and
 * given the name at the end. Nothing is replaced unless that was asked for.
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import { toBase32 } from '../base/base32.ts'
import { utf8 } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { asGridError, GridError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'

/**
 * Writes `pieces` to the new file `target` and resolves when it would survive a power cut. Whatever
 * fails, `pieces` among it, leaves no trace.
 *
 * @param replace - whether a file of that name may be replaced; else that is refused before the
 *   first piece is asked for
 * @param mode - of the file, before the umask: 0600 for secrets
 * @throws E_EXISTS, E_FILE, or what `pieces` throw
 */
export async function writeNewFile(
  target: string,
  pieces: AsyncIterable<Uint8Array>,
  { replace, random, mode = 0o666 }: { replace: boolean; random: Random; mode?: number },
): Promise<void> {
  const at = await checkedTarget(target, replace)
  const suffix = toBase32(random.bytes(5))
  const part = path.join(path.dirname(at), `.${path.basename(at).slice(0, 200)}.${suffix}.part`)
  const file = await fs.open(part, 'wx', mode).catch((error: unknown) => {
    throw fileError(error, target)
  })
  try {
    try {
      for await (const piece of pieces) await file.writeFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    await (replace ? fs.rename(part, at) : nameExclusively(part, at))
    await syncDirectory(path.dirname(at))
  } catch (error) {
    await fs.rm(part, { force: true })
    throw fileError(error, target)
  }
}

/** As `writeNewFile`, for a text that only its owner may read. */
export function writeSecretFile(
  target: string,
  text: string,
  options: { replace: boolean; random: Random },
): Promise<void> {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    yield utf8(text)
  }
  return writeNewFile(target, pieces(), { ...options, mode: 0o600 })
}

/** Where to write: behind a link if the file is to be replaced. Throws E_EXISTS. */
async function checkedTarget(target: string, replace: boolean): Promise<string> {
  const stats = await fs.lstat(target).catch(() => undefined)
  if (stats === undefined) return target
  const at = replace ? await fs.realpath(target).catch(() => target) : target
  const found = await fs.stat(at).catch(() => stats)
  if (replace && found.isFile()) return at
  throw exists(target, found.isFile() ? 'give another name, or -f to replace it' : undefined)
}

/** A link fails where the name has been taken meanwhile; a rename would replace. */
async function nameExclusively(part: string, at: string): Promise<void> {
  try {
    await fs.link(part, at)
  } catch (error) {
    if (isDiskError(error, 'EEXIST')) throw exists(at)
    if (!isDiskError(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    await fs.rename(part, at) // a file system without links, such as FAT
    return
  }
  await fs.unlink(part)
}

function exists(target: string, hint = 'give another name'): GridError {
  return new GridError('E_EXISTS', `${target} is there already`, { hint })
}

async function syncDirectory(at: string): Promise<void> {
  const directory = await fs.open(at, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** What the disk says becomes E_FILE; what the pieces throw stays what it is. */
function fileError(error: unknown, target: string): unknown {
  const ofDisk = error instanceof Error && 'syscall' in error
  return ofDisk ? asGridError(error, 'E_FILE', `cannot write ${target}`) : error
}
