/**
 * What the user wants backed up, as one tree: below the deepest directory that holds all of it, with
 * the directories that lead there (docs/backup.md, "What a snapshot holds").
 */
import { lstatSync, realpathSync, statSync } from 'node:fs'
import nodePath from 'node:path'
import { compareBytes, utf8 } from '../base/bytes.ts'
import { isDiskError } from '../base/disk.ts'
import { GridError } from '../base/errors.ts'
import { escapedName } from '../local/escaped-name.ts'

export interface BackupPaths {
  /** The topmost directory, absolute, without a link in it. */
  root: Uint8Array
  /** Below the root, without a slash in front; one empty path means all of it. */
  below: readonly Uint8Array[]
  /** As they are told in the snapshot: absolute. */
  shown: readonly Uint8Array[]
  /** Devices of the file systems that they are on, for `--one-file-system`. */
  devices: ReadonlySet<bigint>
}

const slash = 0x2f

/**
 * Finds what is to be backed up. A link given by the user is followed, and the path that it leads
 * to is what the snapshot tells.
 *
 * @param paths - at least one; bytes are paths as the system has them
 * @throws E_FILE for what is not there
 */
export function backupPaths(paths: readonly (string | Uint8Array)[]): BackupPaths {
  const found = paths.map(resolved)
  const shown: Uint8Array[] = []
  for (const { path } of found.sort((a, b) => compareBytes(a.order, b.order))) {
    const last = shown.at(-1)
    if (last === undefined || !isIn(path, last)) shown.push(path)
  }
  const root = shown.map(parentOf).reduce(commonDirectory)
  const below = shown.map((path) => path.subarray(root.length === 1 ? 1 : root.length + 1))
  return { root, below, shown, devices: new Set(found.map(({ device }) => device)) }
}

interface Resolved {
  path: Uint8Array
  /** By which a directory comes before all that is in it, and that before all else. */
  order: Uint8Array
  device: bigint
}

function resolved(given: string | Uint8Array): Resolved {
  const bytes = typeof given === 'string' ? utf8(nodePath.resolve(given)) : given
  try {
    const path = new Uint8Array(realpathSync(Buffer.from(bytes), { encoding: 'buffer' }))
    const { dev: device } = statSync(Buffer.from(path), { bigint: true })
    return { path, order: path.map((byte) => (byte === slash ? 0 : byte)), device }
  } catch (error) {
    if (isDiskError(error, 'ENOENT') && isLink(bytes)) {
      throw new GridError('E_FILE', `${escapedName(bytes)}: a link that leads nowhere`)
    }
    const why = isDiskError(error, 'ENOENT') ? 'no such file or directory' : 'it cannot be read'
    throw new GridError('E_FILE', `${escapedName(bytes)}: ${why}`, { cause: error })
  }
}

function isLink(path: Uint8Array): boolean {
  return lstatSync(Buffer.from(path), { throwIfNoEntry: false })?.isSymbolicLink() === true
}

function parentOf(path: Uint8Array): Uint8Array {
  return path.subarray(0, Math.max(1, path.lastIndexOf(slash)))
}

function commonDirectory(a: Uint8Array, b: Uint8Array): Uint8Array {
  let shared = a
  while (!isIn(b, shared)) shared = parentOf(shared)
  return shared
}

/** Whether `path` is `above`, or below it. */
function isIn(path: Uint8Array, above: Uint8Array): boolean {
  if (above.length === 1) return true
  if (path.length < above.length || Buffer.compare(path.subarray(0, above.length), above) !== 0)
    return false
  return path.length === above.length || path[above.length] === slash
}
