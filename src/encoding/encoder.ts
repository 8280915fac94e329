/**
 * Turning bytes into shares and shares into bytes, as jobs: what upload and download ask for, and
 * what worker threads (or, in a simulation, the same thread) carry out.
 */
import type { Coding } from './descriptor.ts'

/** Where an extent's bytes come from. */
export type ExtentInput =
  /** Bytes in memory, handed over: at least the longest extent, or all that is left. */
  | { bytes: Uint8Array }
  /** A file open for reading, from a position on. */
  | { fd: number; position: number }

/** How large files are cut: where the content says, or at fixed offsets. */
export type ChunkProfile = 'cdc' | 'fixed'

export interface EncodeSettings {
  /** Convergence secret, 32 bytes; a fresh random one makes an object that converges with nothing. */
  secret: Uint8Array
  coding: Coding
  profile: ChunkProfile
}

/** An object ready to be placed. */
export interface EncodedShares {
  root: Uint8Array
  coding: Coding
  ciphertextBytes: number
  /** n share files by share number: views of one buffer, valid until `release`. */
  shares: Uint8Array[]
  /**
   * Gives the memory back. `reusable` says that nobody reads it any more; false when a peer was
   * given up on that may still be sending from it.
   */
  release(reusable: boolean): void
}

export interface EncodedExtent extends EncodedShares {
  plaintextBytes: number
  /** 32 bytes; opens the object. */
  readKey: Uint8Array
}

export interface ExtentJob {
  /** Length of the extent, known long before it is encoded; 0 when the input has ended. */
  cut: Promise<number>
  /** The extent, or undefined where `cut` is 0. Rejects with E_FILE when the file cannot be read. */
  encoded: Promise<EncodedExtent | undefined>
}

/** What a peer sent of a share. */
export interface ReceivedShare {
  shareNumber: number
  header: Uint8Array
  /** The blocks of the wanted segments, end to end. */
  blocks: Uint8Array
}

export interface DecodeRequest {
  root: Uint8Array
  coding: Coding
  firstSegment: number
  /** Wanted segments; those past the last one are left out. */
  segmentCount: number
  /** k shares of distinct numbers, as peers sent them: nothing of it is trusted. Handed over. */
  shares: readonly ReceivedShare[]
}

export interface DecodedSegments {
  /** The segments end to end, each checked against the root. */
  ciphertext: Uint8Array
  /** Length of the whole ciphertext. */
  ciphertextBytes: number
}

/** What came of a decode: segments, or the shares sorted into good ones, given back, and the numbers of bad ones. */
export type DecodeOutcome = { segments: DecodedSegments } | { good: ReceivedShare[]; bad: number[] }

export interface Encoder {
  /** Cuts the next extent off `input`, seals and encodes it. Waits while too many bytes are in flight. */
  extent(
    input: ExtentInput,
    settings: EncodeSettings,
    options?: { signal?: AbortSignal },
  ): Promise<ExtentJob>
  /** Encodes content that is sealed already (a tree node's slice), handed over. */
  content(
    sealed: Uint8Array,
    settings: EncodeSettings,
    options?: { signal?: AbortSignal },
  ): Promise<EncodedShares>
  /** Checks and decodes. Rejects with E_ENCODING when good shares give a segment that the root denies. */
  decode(request: DecodeRequest, options?: { signal?: AbortSignal }): Promise<DecodeOutcome>
  close(): Promise<void>
}
