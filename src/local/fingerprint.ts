/**
 * What tells that a file was not touched since it was looked at last. The change time moves with
 * content, mode, owner, links and extended attributes alike, and nobody sets it.
 */
import { timestampOf } from '../tree/entry.ts'
import { splitDevice } from './device-number.ts'
import type { LocalStats } from './local-stats.ts'
import { StatxStats } from './statx-stats.ts'

export interface Fingerprint {
  device: bigint
  inode: bigint
  size: bigint
  /** Nanoseconds since 1970 began, as is `ctimeNs`. */
  mtimeNs: bigint
  ctimeNs: bigint
}

export const fingerprintBytes = 40

export function fingerprintOf(stats: LocalStats): Fingerprint {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats
  return { device: dev, inode: ino, size, mtimeNs, ctimeNs }
}

/**
 * 40 bytes, for an index: inode and size as u64, the times of change and of modification as seconds
 * modulo 2^32 and nanoseconds, the device's two numbers; u32 but for the first two, little-endian.
 */
export function formatFingerprint(stats: LocalStats): Uint8Array {
  if (stats instanceof StatxStats) return stats.fingerprintBytes()
  const out = new Uint8Array(fingerprintBytes)
  const view = new DataView(out.buffer)
  view.setBigUint64(0, stats.ino, true)
  view.setBigUint64(8, stats.size, true)
  setTime(view, 16, stats.ctimeNs)
  setTime(view, 24, stats.mtimeNs)
  const { major, minor } = splitDevice(stats.dev)
  view.setUint32(32, major, true)
  view.setUint32(36, minor, true)
  return out
}

function setTime(view: DataView, at: number, nanoseconds: bigint): void {
  const { seconds, nanoseconds: rest } = timestampOf(nanoseconds)
  view.setUint32(at, Number(BigInt.asUintN(32, BigInt(seconds))), true)
  view.setUint32(at + 4, rest, true)
}

export function sameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return (
    a.inode === b.inode &&
    a.device === b.device &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs
  )
}
