/**
 * What tells that a file was not touched since it was looked at last. The change time moves with
 * content, mode, owner, links and extended attributes alike, and nobody sets it.
 */
import type { LocalStats } from './local-stats.ts'

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

/** 40 bytes, for an index: the five numbers as u64 or i64, big-endian, as they stand above. */
export function formatFingerprint(fingerprint: Fingerprint): Uint8Array {
  const out = new Uint8Array(fingerprintBytes)
  const view = new DataView(out.buffer)
  view.setBigUint64(0, fingerprint.device)
  view.setBigUint64(8, fingerprint.inode)
  view.setBigUint64(16, fingerprint.size)
  view.setBigInt64(24, fingerprint.mtimeNs)
  view.setBigInt64(32, fingerprint.ctimeNs)
  return out
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
