/**
 * Compression of a stream before it is sealed (docs/specs/encoding.md, "Compression"). The read key
 * comes from the compressed bytes, so another compressor costs dedupe and nothing else.
 */
import { brotliCompressSync, brotliDecompressSync, type BrotliOptions, constants } from 'node:zlib'
import { GridError } from '../base/errors.ts'

/** How the bytes of a stream were sealed: as they are, or as one brotli stream. */
export type Compression = 'stored' | 'brotli'

/** By their number in rows and caps. */
export const compressions: readonly Compression[] = ['stored', 'brotli']

/** No stream is longer than this when it is decompressed. */
export const maxStreamBytes: number = 2 ** 24

/** Streams no longer than this are tried once; of others this much is. */
const probeBytes = 64 * 1024
/** Of what is decompressed at a time; Node takes no less than the first. */
const minChunkBytes = 64
const maxChunkBytes = 2 ** 20
/** The second quality makes real trees 4 % smaller, and takes half as long again. */
const quality = 1

export interface Compressed {
  compression: Compression
  /** What is sealed: the input itself where compressing it would not pay. It may be a view of more. */
  stored: Uint8Array
}

/** Compresses where that saves at least 3 %. `plaintext` is borrowed, and given back where it is stored. */
export function compress(plaintext: Uint8Array): Compressed {
  const stored = tryCompress(plaintext)
  return stored === undefined
    ? { compression: 'stored', stored: plaintext }
    : { compression: 'brotli', stored }
}

/**
 * The inverse: exactly `plaintextBytes` (1 … 2^24) bytes, never more than that in memory.
 *
 * @throws E_SIZE for anything but one stream of that length, which fills `stored`
 */
export function decompress(
  compression: Compression,
  stored: Uint8Array,
  plaintextBytes: number,
): Uint8Array {
  const plaintext = compression === 'stored' ? stored : brotliOf(stored, plaintextBytes)
  if (plaintext.length !== plaintextBytes) throw wrongLength()
  return plaintext
}

function tryCompress(plaintext: Uint8Array): Uint8Array | undefined {
  if (looksRandom(plaintext.subarray(0, probeBytes))) return undefined
  if (plaintext.length <= probeBytes) return ifItPays(plaintext)
  if (ifItPays(plaintext.subarray(0, probeBytes)) === undefined) return undefined
  return ifItPays(plaintext)
}

/** Bytes that are counted to see whether trying is worth its while. */
const countedBytes = 1024
const counts = new Int32Array(256)

/**
 * Whether no byte is there much more often than in random bytes, as in files that are compressed
 * already: a compressor takes long over small ones.
 */
function looksRandom(bytes: Uint8Array): boolean {
  const share = Math.floor(bytes.length / countedBytes)
  // odd, so that of records whose length is a power of two every byte is met
  const step = Math.max(1, share - 1 + (share % 2))
  const counted = Math.min(bytes.length, countedBytes)
  counts.fill(0)
  for (let i = 0; i < counted; i++) counts[bytes[i * step]]++
  let squares = 0
  for (const count of counts) squares += count * count
  return 256 * squares <= counted * (counted + 384)
}

function ifItPays(plaintext: Uint8Array): Uint8Array | undefined {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants
  const stored = brotliCompressSync(plaintext, {
    // one piece of output, and no more memory for it than is of use
    chunkSize: Math.min(Math.max(plaintext.length, 64), 512 * 1024),
    params: {
      [BROTLI_PARAM_QUALITY]: quality,
      [BROTLI_PARAM_LGWIN]: windowBits(plaintext.length),
      [BROTLI_PARAM_SIZE_HINT]: plaintext.length,
    },
  })
  if (stored.length * 100 > plaintext.length * 97) return undefined
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.length)
}

/** The least window that holds all of it. */
function windowBits(length: number): number {
  const { BROTLI_MIN_WINDOW_BITS, BROTLI_MAX_WINDOW_BITS } = constants
  const bits = 32 - Math.clz32(length)
  return Math.min(Math.max(bits, BROTLI_MIN_WINDOW_BITS), BROTLI_MAX_WINDOW_BITS)
}

function brotliOf(stored: Uint8Array, plaintextBytes: number): Uint8Array {
  try {
    // room for all of it in one piece, where that is small: by default every file takes 16 KiB
    const chunkSize = Math.min(maxChunkBytes, Math.max(minChunkBytes, plaintextBytes + 1))
    const options: BrotliOptions & { info: true } = {
      ...{ maxOutputLength: plaintextBytes, chunkSize },
      info: true,
    }
    const { buffer, engine } = brotliDecompressSync(stored, options) as unknown as Inflated
    // It stops at the end of the stream, whatever stands behind.
    if (engine.bytesWritten !== stored.length) throw wrongLength()
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
  } catch (error) {
    throw error instanceof GridError ? error : wrongLength(error)
  }
}

/** What zlib gives where it is asked for `info`. */
interface Inflated {
  buffer: Uint8Array
  /** `bytesWritten` is what it has taken in. */
  engine: { bytesWritten: number }
}

function wrongLength(cause?: unknown): GridError {
  return new GridError('E_SIZE', 'a stream does not decompress to what its row says', { cause })
}
