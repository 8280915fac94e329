/**
 * The work behind an Encoder, synchronous and of one thread: cut, seal, pad, code, hash; and check,
 * decode. It keeps what can be reused between jobs: the code's tables, the sub-keys and the cutter
 * of the last secret, and one buffer for the ciphertext.
 */
import { equalBytes } from '../base/bytes.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { hmac } from '../base/hash.ts'
import { convergenceKeys, type ConvergenceKeys, readKeyOf, tagOf } from '../caps/keys.ts'
import { ExtentCutter, fixedCut, maxExtentBytes } from './chunker.ts'
import { compress } from './compression.ts'
import type { Coding } from './descriptor.ts'
import type {
  ChunkProfile,
  DecodeOutcome,
  DecodeRequest,
  EncodeSettings,
  ReceivedShare,
} from './encoder.ts'
import type { ErasureCode } from './erasure-code.ts'
import type { FileReader } from './file-reader.ts'
import type { StreamShape } from './file-stream.ts'
import {
  badBlock,
  decodeSegments,
  type EncodedObject,
  encodedLength,
  encodeObject,
  pad,
  type ShareBlocks,
} from './object.ts'
import { type PackedFile, Packer, type PackInput } from './pack.ts'
import { paddedLength } from './padme.ts'
import { sealedLength, sealInto } from './seal.ts'
import { parseShareHeader } from './share.ts'

/** Room that the shares of any extent fit into. */
export function maxExtentEncodedBytes(coding: Coding): number {
  return encodedLength(paddedLength(sealedLength(maxExtentBytes)), coding)
}

/** Room that the shares of sealed content of this length take. */
export function contentEncodedBytes(sealedBytes: number, coding: Coding): number {
  return encodedLength(paddedLength(sealedBytes), coding)
}

export class Codec {
  readonly #code: ErasureCode
  readonly #packer: Packer
  #ciphertext: Uint8Array = new Uint8Array(0)
  #secret: Uint8Array = new Uint8Array(0)
  #keys: ConvergenceKeys | undefined
  #cutter: ExtentCutter | undefined

  /** @param reader - without it, files that are open cannot be packed */
  constructor(code: ErasureCode, reader?: FileReader) {
    this.#code = code
    this.#packer = new Packer(reader)
  }

  /**
   * The first extent of `bytes`, which hold the longest extent or all that is left: its length, and
   * its tag where the settings ask for it.
   */
  cut(
    bytes: Uint8Array,
    { secret, profile, tagged }: EncodeSettings,
  ): { length: number; tag: Uint8Array | undefined } {
    const length = this.#cutAt(bytes, secret, profile)
    const tag = tagged ? tagOf(this.#keysOf(secret), bytes.subarray(0, length)) : undefined
    return { length, tag }
  }

  /** As `Encoder.pack`; sealed streams are good until the next call. */
  pack(inputs: readonly PackInput[], settings: EncodeSettings): PackedFile[] {
    return this.#packer.pack(this.#keysOf(settings.secret), inputs, settings)
  }

  /** Compresses if told to, seals and encodes one extent; its shares are laid into `out`. */
  encodeExtent(
    plaintext: Uint8Array,
    settings: EncodeSettings,
    out: Uint8Array,
  ): EncodedObject & StreamShape {
    const keys = this.#keysOf(settings.secret)
    const { compression, stored } = settings.compress
      ? compress(plaintext)
      : { compression: 'stored' as const, stored: plaintext }
    const readKey = readKeyOf(keys, 'raw', stored)
    const contentBytes = sealedLength(stored.length)
    const ciphertext = this.#scratch(paddedLength(contentBytes))
    sealInto(ciphertext, 'raw', readKey, stored)
    pad(ciphertext, contentBytes, keys.pad)
    const object = encodeObject(ciphertext, settings.coding, this.#code, out)
    const [plaintextBytes, storedBytes] = [plaintext.length, stored.length]
    return { ...object, readKey, compression, plaintextBytes, storedBytes }
  }

  /** Encodes content that is sealed already. */
  encodeContent(sealed: Uint8Array, settings: EncodeSettings, out: Uint8Array): EncodedObject {
    const ciphertext = this.#scratch(paddedLength(sealed.length))
    ciphertext.set(sealed)
    pad(ciphertext, sealed.length, this.#keysOf(settings.secret).pad)
    return encodeObject(ciphertext, settings.coding, this.#code, out)
  }

  /** As `Encoder.recode`. */
  recode(
    { root, k, n }: Coding & { root: Uint8Array },
    ciphertext: Uint8Array,
    out: Uint8Array,
    nonces: readonly Uint8Array[],
  ): EncodedObject & { proofs: Uint8Array[] } {
    const object = encodeObject(ciphertext, { k, n }, this.#code, out)
    if (equalBytes(object.root, root)) {
      return { ...object, proofs: nonces.map((nonce, i) => hmac(nonce, object.shares[i])) }
    }
    throw new GridError(
      'E_ENCODING',
      'the shares of this object are not all made of one content: it was uploaded malformed',
    )
  }

  /** As `Encoder.decode`. */
  decode(request: DecodeRequest): DecodeOutcome {
    const { root, coding, firstSegment } = request
    const shares = request.shares.map((share) => checkedShare(share, root, coding))
    const total = shares.find((share) => share !== undefined)?.header.layout.segmentCount ?? 0
    const count = Math.max(0, Math.min(request.segmentCount, total - firstSegment))
    const direct = this.#joined(shares, firstSegment, count)
    if (direct !== undefined) return direct
    const good = request.shares.filter((_, i) => {
      const share = shares[i]
      return share !== undefined && badBlock(share, firstSegment, count) === undefined
    })
    if (good.length < shares.length) {
      const bad = request.shares.filter((share) => !good.includes(share))
      return { good, bad: bad.map(({ shareNumber }) => shareNumber) }
    }
    const { descriptor } = shares[0]!.header
    const ciphertext = decodeSegments(shares as ShareBlocks[], firstSegment, count, this.#code)
    return { segments: { ciphertext, ciphertextBytes: descriptor.ciphertextBytes } }
  }

  #cutAt(bytes: Uint8Array, secret: Uint8Array, profile: ChunkProfile): number {
    if (profile === 'fixed') return fixedCut(bytes)
    const { cdc } = this.#keysOf(secret)
    this.#cutter ??= new ExtentCutter(cdc)
    return this.#cutter.cut(bytes)
  }

  /**
   * What k data shares hold, if every segment is what the root vouches for: then their blocks need
   * not be checked one by one. Undefined for other shares, and where a segment is wrong.
   */
  #joined(
    shares: readonly (ShareBlocks | undefined)[],
    firstSegment: number,
    count: number,
  ): DecodeOutcome | undefined {
    const isData = shares.every(
      (share) => share !== undefined && share.header.shareNumber < share.header.descriptor.k,
    )
    if (!isData) return undefined
    try {
      const ciphertext = decodeSegments(shares as ShareBlocks[], firstSegment, count, this.#code)
      const { ciphertextBytes } = shares[0]!.header.descriptor
      return { segments: { ciphertext, ciphertextBytes } }
    } catch (error) {
      if (isGridError(error, 'E_ENCODING')) return undefined
      throw error
    }
  }

  #keysOf(secret: Uint8Array): ConvergenceKeys {
    if (this.#keys === undefined || !equalBytes(secret, this.#secret)) {
      this.#keys = convergenceKeys(secret)
      this.#secret = secret.slice()
      this.#cutter = undefined
    }
    return this.#keys
  }

  #scratch(length: number): Uint8Array {
    if (this.#ciphertext.length < length) this.#ciphertext = new Uint8Array(length)
    return this.#ciphertext.subarray(0, length)
  }
}

/** The share with its parsed header, or undefined where it is not this share of this object. */
function checkedShare(
  share: ReceivedShare,
  root: Uint8Array,
  { k, n }: Coding,
): ShareBlocks | undefined {
  try {
    const header = parseShareHeader(share.header)
    const { descriptor, shareNumber } = header
    const fits = equalBytes(header.root, root) && descriptor.k === k && descriptor.n === n
    return fits && shareNumber === share.shareNumber ? { header, blocks: share.blocks } : undefined
  } catch (error) {
    if (isGridError(error)) return undefined
    throw error
  }
}
