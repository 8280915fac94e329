/**
 * What statx gave of a name, read as it is asked for: of most names of a walk little is, and big
 * integers are dear.
 */
import { joinDevice } from './device-number.ts'
import type { LocalStats } from './local-stats.ts'

/** Offsets in struct statx, the same on every architecture. */
const at = {
  nlink: 0x10,
  uid: 0x14,
  gid: 0x18,
  mode: 0x1c,
  ino: 0x20,
  size: 0x28,
  ctime: 0x60,
  mtime: 0x70,
  rdev: 0x80,
  dev: 0x88,
} as const

/** What the system fills, and what of it counts here. */
export const statxBytes = 0x100
const keptBytes = 0x90
/** Several share a buffer: each small array of its own costs as much again. */
const perSlab = 64

let slab = new Uint8Array(0)
let used = 0

export class StatxStats implements LocalStats {
  readonly #bytes: Uint8Array

  /** `filled` is copied. */
  constructor(filled: Uint8Array) {
    if (used + keptBytes > slab.length) {
      slab = new Uint8Array(perSlab * keptBytes)
      used = 0
    }
    this.#bytes = slab.subarray(used, used + keptBytes)
    this.#bytes.set(filled.subarray(0, keptBytes))
    used += keptBytes
  }

  get mode(): bigint {
    return BigInt(this.#bytes[at.mode] | (this.#bytes[at.mode + 1] << 8))
  }

  get size(): bigint {
    return this.#view.getBigUint64(at.size, true)
  }

  get nlink(): bigint {
    return this.#small(at.nlink)
  }

  get uid(): bigint {
    return this.#small(at.uid)
  }

  get gid(): bigint {
    return this.#small(at.gid)
  }

  get ino(): bigint {
    return this.#view.getBigUint64(at.ino, true)
  }

  get dev(): bigint {
    return this.#device(at.dev)
  }

  get rdev(): bigint {
    return this.#device(at.rdev)
  }

  get mtimeNs(): bigint {
    return this.#time(at.mtime)
  }

  get ctimeNs(): bigint {
    return this.#time(at.ctime)
  }

  /** As `formatFingerprint` has it, which is how they lie here. */
  fingerprintBytes(): Uint8Array {
    const bytes = this.#bytes
    const out = new Uint8Array(40)
    copy(bytes, at.ino, out, 0, 16)
    copy(bytes, at.ctime, out, 16, 4)
    copy(bytes, at.ctime + 8, out, 20, 4)
    copy(bytes, at.mtime, out, 24, 4)
    copy(bytes, at.mtime + 8, out, 28, 4)
    copy(bytes, at.dev, out, 32, 8)
    return out
  }

  get #view(): DataView {
    const { buffer, byteOffset, byteLength } = this.#bytes
    return new DataView(buffer, byteOffset, byteLength)
  }

  #small(offset: number): bigint {
    return BigInt(this.#view.getUint32(offset, true))
  }

  #time(offset: number): bigint {
    return this.#view.getBigInt64(offset, true) * 1_000_000_000n + this.#small(offset + 8)
  }

  #device(offset: number): bigint {
    const view = this.#view
    const [major, minor] = [view.getUint32(offset, true), view.getUint32(offset + 4, true)]
    return joinDevice({ major, minor })
  }
}

/** Byte by byte: for a few that is faster than a call. */
function copy(from: Uint8Array, start: number, to: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) to[at + i] = from[start + i]
}
