/**
 * Checks a share while it arrives, in pieces cut anywhere: a server's whole reason to keep it.
 * Holds the header (≤ 16.4 kB) and one running hash, never a block.
 */
import type { Hash } from 'node:crypto'
import { equalBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { storageIndexBytes } from './descriptor.ts'
import {
  blockHasher,
  blockOffset,
  headerLength,
  leafAt,
  parseShareHeader,
  type ShareHeader,
} from './share.ts'

/** Prefix, descriptor of 255 shares, two lists of 128 leaves. */
const maxHeaderBytes = 8 + 48 + 255 * 32 + 2 * 128 * 32

export class ShareVerifier {
  readonly #storageIndex: Uint8Array
  readonly #shareNumber: number
  readonly #shareBytes: number
  #received = 0
  readonly #head: Uint8Array = new Uint8Array(maxHeaderBytes)
  /** How much of it has arrived. */
  #headFilled = 0
  /** Its length, as soon as it can be told. */
  #headerBytes: number | undefined
  #header: ShareHeader | undefined
  #segment = 0
  #blockLeft = 0
  #hash: Hash | undefined

  /** Expects share `shareNumber` of the object `storageIndex` in a file of `shareBytes`. */
  constructor(storageIndex: Uint8Array, shareNumber: number, shareBytes: number) {
    this.#storageIndex = storageIndex
    this.#shareNumber = shareNumber
    this.#shareBytes = shareBytes
  }

  /** The header, once it has arrived whole. */
  get header(): ShareHeader | undefined {
    return this.#header
  }

  /** Takes the next bytes. Throws E_SHARE, E_DESCRIPTOR or E_BLOCK at the first that cannot be right. */
  push(piece: Uint8Array): void {
    this.#received += piece.length
    if (this.#received > this.#shareBytes)
      throw new GridError('E_SHARE', 'the share is longer than declared')
    const rest = this.#header === undefined ? this.#pushHeader(piece) : piece
    if (this.#header !== undefined) this.#pushBlocks(this.#header, rest)
  }

  /** Says that no more will come. Throws E_SHARE when the share is not whole. */
  finish(): void {
    if (this.#received !== this.#shareBytes || this.#header === undefined) {
      throw new GridError(
        'E_SHARE',
        `the share ended after ${this.#received} of ${this.#shareBytes} bytes`,
      )
    }
  }

  /** Returns what is left of `piece` behind the header. */
  #pushHeader(piece: Uint8Array): Uint8Array {
    const seen = this.#headFilled
    const taken = piece.subarray(0, maxHeaderBytes - seen)
    this.#head.set(taken, seen)
    this.#headFilled += taken.length
    const length = (this.#headerBytes ??= headerLength(this.#head.subarray(0, this.#headFilled)))
    if (length === undefined || this.#headFilled < length) return new Uint8Array(0)
    const header = parseShareHeader(this.#head.subarray(0, length))
    if (!equalBytes(header.root.subarray(0, storageIndexBytes), this.#storageIndex)) {
      throw new GridError('E_DESCRIPTOR', 'the share belongs to another object')
    }
    if (header.shareNumber !== this.#shareNumber)
      throw new GridError('E_SHARE', 'the share has another number')
    if (header.layout.shareBytes !== this.#shareBytes) {
      throw new GridError(
        'E_SHARE',
        `the share has ${header.layout.shareBytes} bytes, ${this.#shareBytes} declared`,
      )
    }
    this.#header = header
    return piece.subarray(length - seen)
  }

  #pushBlocks(header: ShareHeader, piece: Uint8Array): void {
    let rest = piece
    while (rest.length > 0) {
      if (this.#hash === undefined) {
        const { descriptor } = header
        this.#blockLeft =
          blockOffset(descriptor, this.#segment + 1) - blockOffset(descriptor, this.#segment)
        this.#hash = blockHasher(this.#shareNumber, this.#segment)
      }
      const part = rest.subarray(0, this.#blockLeft)
      this.#hash.update(part)
      this.#blockLeft -= part.length
      rest = rest.subarray(part.length)
      if (this.#blockLeft === 0) this.#endBlock(header, this.#hash.digest())
    }
  }

  #endBlock(header: ShareHeader, leaf: Uint8Array): void {
    if (!equalBytes(leaf, leafAt(header.blockLeaves, this.#segment))) {
      throw new GridError('E_BLOCK', `block ${this.#segment} does not match its hash`)
    }
    this.#segment++
    this.#hash = undefined
  }
}
