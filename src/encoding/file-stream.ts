/** The stream of a small file, for a bundle (docs/specs/encoding.md, "Bundles" and "Compression"). */
import { type ConvergenceKeys, streamKeysOf } from '../caps/keys.ts'
import type { BundleStream } from './bundle.ts'
import { compress, type Compression, decompress } from './compression.ts'
import { open, seal } from './seal.ts'

/** Files longer than this are extents, objects of their own. */
export const maxBundledBytes: number = 2 ** 20

/** What a row says of a sealed stream of file bytes. */
export interface StreamShape {
  /** 32 bytes. */
  readKey: Uint8Array
  plaintextBytes: number
  compression: Compression
  /** Bytes that were sealed: `plaintextBytes` where nothing is compressed. */
  storedBytes: number
}

/** Seals the bytes of a file, compressed where that pays unless told not to. `plaintext` is borrowed. */
export function sealFileStream(
  keys: ConvergenceKeys,
  plaintext: Uint8Array,
  options: { compress?: boolean } = {},
): BundleStream & StreamShape {
  const { compression, stored } =
    options.compress === false
      ? { compression: 'stored' as const, stored: plaintext }
      : compress(plaintext)
  const { readKey, cutValue } = streamKeysOf(keys, 'raw', stored)
  return {
    sealed: seal('raw', readKey, stored),
    cutValue,
    readKey,
    plaintextBytes: plaintext.length,
    compression,
    storedBytes: stored.length,
  }
}

/** The bytes of a file from its whole sealed stream. Throws E_COMMIT, E_SIZE. */
export function openFileStream(sealed: Uint8Array, shape: StreamShape): Uint8Array {
  const stored = open('raw', shape.readKey, sealed)
  return decompress(shape.compression, stored, shape.plaintextBytes)
}
