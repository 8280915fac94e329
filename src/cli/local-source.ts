/** Files of this machine on their way into a tree: names as bytes, links not followed below the top. */
import { type BigIntStats, constants, openSync, statSync } from 'node:fs'
import { asGridError, GridError } from '../base/errors.ts'
import type { Path } from '../files/path.ts'
import type { Attributes } from '../tree/same-entry.ts'
import type { LocalEntry } from '../local/local-entry.ts'
import { LocalFile } from '../local/local-file.ts'
import { LocalTree } from '../local/local-tree.ts'
import { detailOf, type Report } from '../local/notice.ts'
import { splitPath } from '../local/pattern.ts'
import { maxMode, timestampOf } from '../tree/entry.ts'

/** `path` is from the top, and empty for the top itself. */
export type LocalItem = { path: Path; attributes: Attributes } & (
  | { kind: 'directory' }
  | { kind: 'symlink'; target: Uint8Array }
  /** To be opened before the next item is asked for; undefined if that is refused, which is reported. */
  | { kind: 'file'; open: () => LocalFile | undefined }
)

/**
 * What is at `top`, behind a link too, and all below it: a directory before what is in it, by name.
 * What cannot be read, or is of no kind that is copied, is reported and passed over.
 *
 * @throws E_FILE if the top cannot be read
 */
export function* itemsAt(top: string, report: Report): Generator<LocalItem, void> {
  try {
    const stats = statSync(top, { bigint: true, throwIfNoEntry: false })
    if (stats === undefined) throw new GridError('E_FILE', `${top}: no such file or directory`)
    if (stats.isFile()) yield fileAt(top, stats)
    else if (!stats.isDirectory()) report({ code: 'special', path: new Uint8Array(0) })
    else {
      const tree = new LocalTree(top, { report })
      for (const { step, entry } of tree.walk()) {
        const item = step === 'leave' ? undefined : itemOf(tree, entry, report)
        if (item !== undefined) yield item
      }
    }
  } catch (error) {
    throw asGridError(error, 'E_FILE', `cannot read ${top}`)
  }
}

function fileAt(top: string, { mode, mtimeNs }: BigIntStats): LocalItem {
  const attributes = { mode: Number(mode) & maxMode, mtime: timestampOf(mtimeNs), meta: {} }
  const open = (): LocalFile => {
    try {
      return new LocalFile(openSync(top, constants.O_RDONLY | constants.O_NONBLOCK))
    } catch (error) {
      throw asGridError(error, 'E_FILE', `cannot read ${top}`)
    }
  }
  return { path: [], attributes, kind: 'file', open }
}

/** Of owners and extended attributes nothing is copied. */
function itemOf(tree: LocalTree, entry: LocalEntry, report: Report): LocalItem | undefined {
  const orReport = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      report({ code: 'unreadable', path: entry.path, detail: detailOf(error) })
      return undefined
    }
  }
  const facts = orReport(() => tree.describe(entry))
  if (facts === undefined) return undefined
  const { kind, mode, mtime, target } = facts
  const item = { path: splitPath(entry.path), attributes: { mode, mtime, meta: {} } }
  if (kind === 'directory') return { ...item, kind }
  if (kind === 'file') return { ...item, kind, open: () => orReport(() => tree.open(entry)) }
  if (target !== undefined) return { ...item, kind: 'symlink', target }
  report({ code: 'special', path: entry.path })
  return undefined
}
