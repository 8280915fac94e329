/** Says in a line what a tree holds, so that two trees, or two machines, can be compared. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs'
import path from 'node:path'
import { walkSorted } from './walk-sorted.ts'

export interface TreeDigest {
  files: number
  bytes: number
  /** Of names, kinds, bytes and link targets. */
  contents: string
  /** Of modes, owners, times in ns and hard links. */
  attributes: string
}

export function digestTree(directory: string): TreeDigest {
  const contents = createHash('sha256')
  const attributes = createHash('sha256')
  const firstNames = new Map<bigint, string>()
  let files = 0
  let bytes = 0
  for (const [name, stats] of walkSorted(directory)) {
    const file = path.join(directory, name)
    let kind = 'l'
    let body = ''
    if (stats.isFile()) {
      files++
      bytes += Number(stats.size)
      kind = 'f'
      body = hashFile(file)
    } else if (stats.isDirectory()) kind = 'd'
    else if (stats.isSymbolicLink()) body = readlinkSync(file)
    contents.update(`${name}\0${kind}\0${body}\n`)
    const shared = stats.isFile() && stats.nlink > 1n
    if (shared && !firstNames.has(stats.ino)) firstNames.set(stats.ino, name)
    const link = shared ? firstNames.get(stats.ino) : ''
    const time = stats.isSymbolicLink() ? '' : stats.mtimeNs
    attributes.update(`${name}\0${stats.mode}\0${stats.uid}\0${stats.gid}\0${time}\0${link}\n`)
  }
  const short = (hash: typeof contents): string => hash.digest('hex').slice(0, 16)
  return { files, bytes, contents: short(contents), attributes: short(attributes) }
}

/** Files and bytes only, without a read. */
export function countTree(directory: string): { files: number; bytes: number } {
  let files = 0
  let bytes = 0
  for (const [, stats] of walkSorted(directory)) {
    if (!stats.isFile()) continue
    files++
    bytes += Number(stats.size)
  }
  return { files, bytes }
}

const buffer = Buffer.alloc(1 << 20)

function hashFile(name: string): string {
  const hash = createHash('sha256')
  const file = openSync(name, 'r')
  for (let length; (length = readSync(file, buffer, 0, buffer.length, null)) > 0;) {
    hash.update(buffer.subarray(0, length))
  }
  closeSync(file)
  return hash.digest('hex')
}
