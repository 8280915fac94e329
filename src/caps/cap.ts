/**
 * Capabilities: what a line of text lets its holder do (docs/specs/caps.md).
 *
 * A cap is plain data. It is made by whoever stored the data, or parsed from text; its byte fields
 * belong to it and nobody writes to them. Whatever holds a key is secret: a cap is never put into
 * an error, a log or the name of anything; `capFingerprint` is what may be shown.
 */

/** At most 64 bytes, carried in the cap itself; no server is asked. */
export interface LitCap {
  type: 'LIT'
  /** 0 … 64 bytes. */
  data: Uint8Array
}

/** Reads a file: a plain object, or the tree whose root node is at the start of the object. */
export interface ChkCap {
  type: 'CHK'
  /** 32 bytes. */
  readKey: Uint8Array
  /** Root of the object, 32 bytes. */
  root: Uint8Array
  /** Shares that rebuild the object: 1 … n. */
  k: number
  /** Shares there are: k … 255. */
  n: number
  /** Plaintext bytes, 0 … 2^53-1. */
  sizeBytes: number
}

/** Reads one sealed stream inside an object that holds many. */
export interface ChkSliceCap {
  type: 'CHK-Slice'
  readKey: Uint8Array
  root: Uint8Array
  k: number
  n: number
  /** Plaintext bytes, 0 … 2^24. */
  sizeBytes: number
  /** Where in the object's ciphertext the stream's commitment starts. */
  offsetBytes: number
  /** 0 stored, 1 brotli. */
  codec: number
  /** Bytes that were sealed: `sizeBytes` where the codec is 0. */
  storedBytes: number
}

/** Checks and repairs an object, and what is below it in a tree, without reading any of it. */
export interface ChkVerifierCap {
  type: 'CHK-Verifier'
  /** Opens the list of objects below a tree node, 32 bytes; undefined: this one object only. */
  verifyKey: Uint8Array | undefined
  root: Uint8Array
  k: number
  n: number
  /** Where in the ciphertext the node starts; 0 without a verify key. */
  offsetBytes: number
}

/** Reads a directory and everything below it. */
export interface DirChkCap {
  type: 'DIR-CHK'
  readKey: Uint8Array
  root: Uint8Array
  k: number
  n: number
  /** Bytes of the node's whole slice in the ciphertext. */
  sliceBytes: number
  /** Where in the ciphertext the slice starts. */
  offsetBytes: number
}

/** Checks and repairs a directory and everything below it, without reading any of it. */
export interface DirChkVerifierCap {
  type: 'DIR-CHK-Verifier'
  /** 32 bytes. */
  verifyKey: Uint8Array
  root: Uint8Array
  k: number
  n: number
  offsetBytes: number
}

/** Everything one can do with a log. */
export interface LogAdminCap {
  type: 'LOG-Admin'
  /** 32 bytes. */
  adminSeed: Uint8Array
  /** 32 bytes, public. */
  logId: Uint8Array
}

/** Opens the entries of a log, so every snapshot. */
export interface LogReadCap {
  type: 'LOG-Read'
  readSeed: Uint8Array
  logId: Uint8Array
}

/** Lists the verify caps of a log's snapshots. */
export interface LogVerifyCap {
  type: 'LOG-Verify'
  verifySeed: Uint8Array
  logId: Uint8Array
}

/** Adds entries to a log, and reads none. */
export interface LogAppendCap {
  type: 'LOG-Append'
  deviceSeed: Uint8Array
  /** 32 bytes; undefined: the device dedupes only with itself. */
  convergenceSecret: Uint8Array | undefined
  logId: Uint8Array
}

/** Verifies a log and signs releases. */
export interface LogPruneCap {
  type: 'LOG-Prune'
  pruneSeed: Uint8Array
  verifySeed: Uint8Array
  logId: Uint8Array
}

export type Cap =
  | LitCap
  | ChkCap
  | ChkSliceCap
  | ChkVerifierCap
  | DirChkCap
  | DirChkVerifierCap
  | LogAdminCap
  | LogReadCap
  | LogVerifyCap
  | LogAppendCap
  | LogPruneCap

export type CapType = Cap['type']

/** The cap of type `T`. */
export type CapOf<T extends CapType> = Extract<Cap, { type: T }>
