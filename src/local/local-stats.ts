/** What lstat tells of a name, from Node or from the adapter. */
import type { BigIntStats } from 'node:fs'
import type { LocalKind } from './facts.ts'

export type LocalStats = Pick<
  BigIntStats,
  'dev' | 'ino' | 'mode' | 'nlink' | 'uid' | 'gid' | 'rdev' | 'size' | 'mtimeNs' | 'ctimeNs'
>

export const kindBits: Readonly<Record<LocalKind, number>> = {
  fifo: 0o010000,
  'char-device': 0o020000,
  directory: 0o040000,
  'block-device': 0o060000,
  file: 0o100000,
  symlink: 0o120000,
}
const allKindBits = 0o170000
const socketBits = 0o140000

const kinds = new Map(Object.entries(kindBits).map(([kind, bits]) => [bits, kind as LocalKind]))

/** The kind as a row names it, or undefined for a socket and what else there may be. */
export function kindOf({ mode }: LocalStats): LocalKind | undefined {
  return kinds.get(Number(mode) & allKindBits)
}

export function isSocket({ mode }: LocalStats): boolean {
  return (Number(mode) & allKindBits) === socketBits
}
