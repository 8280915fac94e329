/**
 * Turning bytes into shares and shares into bytes, as jobs: what upload and download ask for, and
 * what worker threads (or, in a simulation, the same thread) carry out.
 */
import type { Coding } from './descriptor.ts'
import type { StreamShape } from './file-stream.ts'
import type { PackedFile, PackInput } from './pack.ts'

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
  /** Streams are compressed where that pays; off unless told. */
  compress?: boolean
  /** Extents come with their tags; off unless told. */
  tagged?: boolean
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

/** An extent that has been cut off its file, in memory of the encoder until it is encoded or released. */
export interface CutExtent {
  /** What will be encoded, and nothing else: the very bytes that the tag is of. */
  readonly plaintext: Uint8Array
  /** 16 bytes; undefined unless asked for. */
  readonly tag: Uint8Array | undefined
  /** Gives the memory back, of an extent that need not be encoded. */
  release(): void
}

/** An extent as an object of its own, with what opens it. */
export interface EncodedExtent extends EncodedShares, StreamShape {}

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

export interface ContentOptions {
  signal?: AbortSignal
  /** Called with the memory that the content lay in, once it is not needed any more; not after a failure. */
  giveBack?: (memory: ArrayBuffer) => void
}

/** What came of small files, in their order. */
export interface Packed {
  files: PackedFile[]
  /** Gives the memory back that the sealed streams lie in. All else is the caller's. */
  release(): void
}

export interface RecodeOptions {
  signal?: AbortSignal
  nonces?: readonly Uint8Array[]
}

export interface RecodedShares extends EncodedShares {
  /** HMAC-SHA-256(nonce, share), by share number (docs/specs/share.md, "Possession"); none where no nonces were given. */
  proofs: readonly Uint8Array[]
}

export interface Encoder {
  /**
   * Cuts the next extent off `input`; undefined where it has ended. Waits while too many bytes are
   * in flight. Rejects with E_FILE when the file cannot be read.
   */
  cut(
    input: ExtentInput,
    settings: EncodeSettings,
    options?: { signal?: AbortSignal },
  ): Promise<CutExtent | undefined>
  /** Seals and encodes an extent that it has cut, handed over: it is released, also by a failure. */
  encode(
    extent: CutExtent,
    settings: EncodeSettings,
    options?: { signal?: AbortSignal },
  ): Promise<EncodedExtent>
  /**
   * Reads, tags, compresses and seals small files; what comes of them is in the order of `inputs`.
   * The caller bounds the bytes of all of them. One that cannot be read is a result, no rejection.
   */
  pack(
    inputs: readonly PackInput[],
    settings: EncodeSettings,
    options?: { signal?: AbortSignal },
  ): Promise<Packed>
  /** Encodes content that is sealed already (a tree node's slice), handed over with the memory it lies in. */
  content(
    sealed: Uint8Array,
    settings: EncodeSettings,
    options?: ContentOptions,
  ): Promise<EncodedShares>
  /**
   * Makes the shares of an object anew from its ciphertext, handed over, every segment of which has
   * been checked. Rejects with E_ENCODING unless they are the very shares that the root commits to:
   * whoever made the object was malformed then, and no share of it can be made.
   *
   * @param options.nonces - by share number: what a holder of each share answers to that nonce comes with them
   */
  recode(
    object: Coding & { root: Uint8Array },
    ciphertext: Uint8Array,
    options?: RecodeOptions,
  ): Promise<RecodedShares>
  /** Checks and decodes. Rejects with E_ENCODING when good shares give a segment that the root denies. */
  decode(request: DecodeRequest, options?: { signal?: AbortSignal }): Promise<DecodeOutcome>
  close(): Promise<void>
}
