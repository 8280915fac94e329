/** The stream of a small file, for a bundle (docs/specs/encoding.md, "Bundles" and "Compression"). */
import { type ConvergenceKeys, streamKeysOf } from '../caps/keys.ts'
import type { BundleStream } from './bundle.ts'
import { compress, type Compression, decompress } from './compression.ts'
import { open, sealedLength, sealInto } from './seal.ts'

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

export interface SealFileOptions {
  /** On unless told not to; done only where it pays. */
  compress?: boolean
  /** Gives the memory for the sealed stream, of exactly so many bytes; fresh memory if absent. */
  room?: (sealedBytes: number) => Uint8Array
}

/** Seals the bytes of a file. `plaintext` is borrowed. */
export function sealFileStream(
  keys: ConvergenceKeys,
  plaintext: Uint8Array,
  options: SealFileOptions = {},
): BundleStream & StreamShape {
  const { compression, stored } =
    options.compress === false
      ? { compression: 'stored' as const, stored: plaintext }
      : compress(plaintext)
  const { readKey, cutValue } = streamKeysOf(keys, 'raw', stored)
  const sealedBytes = sealedLength(stored.length)
  const sealed = options.room?.(sealedBytes) ?? new Uint8Array(sealedBytes)
  sealInto(sealed, 'raw', readKey, stored)
  return {
    sealed,
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
