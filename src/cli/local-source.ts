/** Files of this machine on their way into a tree: names as bytes, links not followed below the top. */
import { closeSync, constants, fstatSync, openSync, type BigIntStats } from 'node:fs'
import fs from 'node:fs/promises'
import { concat, compareBytes, utf8 } from '../base/bytes.ts'
import { asGridError, GridError } from '../base/errors.ts'
import type { Path } from '../files/path.ts'
import type { Attributes } from '../files/same-entry.ts'
import { timestampOf } from '../tree/entry.ts'

export interface LocalItem {
  /** From the top; empty for the top itself. */
  path: Path
  /** Where it is on this machine. */
  at: Uint8Array
  kind: 'file' | 'directory' | 'symlink' | 'other'
  attributes: Attributes
}

export interface OpenLocal {
  fd: number
  sizeBytes: number
  /** Whether it is no longer as it was when it was opened; ends its use. */
  close(): boolean
}

/**
 * What is at `top`, behind a link, and with `recursive` all below it: a directory before what is in
 * it, by name. What cannot be read is told to `refuse`, and passed over.
 *
 * @throws E_FILE if the top cannot be read
 */
export async function* walkLocal(
  top: string,
  options: { recursive: boolean; refuse: (at: Uint8Array, error: unknown) => Promise<void> },
): AsyncGenerator<LocalItem> {
  const stats = await fs.stat(top, { bigint: true }).catch((error: unknown) => {
    throw fileError(error, top)
  })
  const first = itemOf([], utf8(top), stats)
  yield first
  if (first.kind !== 'directory' || !options.recursive) return
  const waiting = [first]
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    if (item !== first) yield item
    if (item.kind !== 'directory') continue
    try {
      waiting.push(...(await childrenOf(item)).reverse())
    } catch (error) {
      await options.refuse(item.at, error)
    }
  }
}

/** Opens a file of the walk: never what a link leads to. */
export function openLocal(at: Uint8Array): OpenLocal {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  const fd = openSync(Buffer.from(at), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  const before = fstatSync(fd, { bigint: true })
  if (!before.isFile()) {
    closeSync(fd)
    throw new GridError('E_FILE', 'it is no regular file any more')
  }
  return {
    fd,
    sizeBytes: Number(before.size),
    close() {
      const { size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true })
      closeSync(fd)
      return size !== before.size || mtimeNs !== before.mtimeNs || ctimeNs !== before.ctimeNs
    },
  }
}

/** The target of a symbolic link. */
export async function linkTarget(at: Uint8Array): Promise<Uint8Array> {
  return bytesOf(await fs.readlink(Buffer.from(at), { encoding: 'buffer' }))
}

async function childrenOf({ at, path }: LocalItem): Promise<LocalItem[]> {
  const names = await fs.readdir(Buffer.from(at), { encoding: 'buffer' })
  const sorted = names.map(bytesOf).sort(compareBytes)
  return Promise.all(
    sorted.map(async (name) => {
      const below = concat(at, utf8('/'), name)
      const stats = await fs.lstat(Buffer.from(below), { bigint: true })
      return itemOf([...path, name], below, stats)
    }),
  )
}

function itemOf(path: Path, at: Uint8Array, stats: BigIntStats): LocalItem {
  const mode = Number(stats.mode & 0o7777n)
  const attributes = { mode, mtime: timestampOf(stats.mtimeNs), meta: {} }
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other'
  return { path, at, kind, attributes }
}

function bytesOf(buffer: Uint8Array): Uint8Array {
  return Uint8Array.from(buffer)
}

function fileError(error: unknown, path: string): GridError {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
    return new GridError('E_FILE', `${path}: no such file or directory`, { cause: error })
  return asGridError(error, 'E_FILE', `cannot read ${path}`)
}
