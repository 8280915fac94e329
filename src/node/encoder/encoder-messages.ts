/** What a WorkerEncoder and its worker threads say to each other. Buffers are transferred, not copied. */
import type { ErrorCode } from '../../base/errors.ts'
import type { Coding } from '../../encoding/descriptor.ts'
import type { DecodeOutcome, DecodeRequest, EncodeSettings } from '../../encoding/encoder.ts'
import type { StreamShape } from '../../encoding/file-stream.ts'
import type { PackedRows } from './packed-rows.ts'

export type WorkerRequest =
  /** Cut the first extent of `room`, which is filled from a file first if one is given. */
  | {
      kind: 'cut'
      file: { fd: number; position: number } | undefined
      room: Uint8Array
      settings: EncodeSettings
    }
  /** Seal and encode `plaintext` into `out`; both come back. */
  | { kind: 'extent'; plaintext: Uint8Array; settings: EncodeSettings; out: ArrayBuffer }
  /** Encode sealed content into `out`. */
  | { kind: 'content'; sealed: Uint8Array; settings: EncodeSettings; out: ArrayBuffer }
  /** Pack files: open ones, or where `fds` has -1, so many of `bytes` as `lengths` says, in their order. Into `out`, if they fit. */
  | {
      kind: 'pack'
      fds: Int32Array
      lengths: Uint32Array
      bytes: Uint8Array
      settings: EncodeSettings
      out: ArrayBuffer
    }
  /** Encode a ciphertext of which the root is known into `out`. */
  | {
      kind: 'recode'
      object: Coding & { root: Uint8Array }
      ciphertext: Uint8Array
      nonces: readonly Uint8Array[]
      out: ArrayBuffer
    }
  | { kind: 'decode'; request: DecodeRequest }

export type WorkerReply =
  /** Length 0 where the input has ended. */
  | { kind: 'cut'; room: ArrayBuffer; length: number; tag: Uint8Array | undefined }
  | {
      kind: 'encoded'
      out: ArrayBuffer
      root: Uint8Array
      shareBytes: number
      ciphertextBytes: number
      /** By share number, where there were nonces. */
      proofs: readonly Uint8Array[]
      /** Of an extent. */
      stream: StreamShape | undefined
      plaintext: ArrayBuffer | undefined
    }
  | { kind: 'packed'; rows: PackedRows }
  | { kind: 'decoded'; outcome: DecodeOutcome }
  | { kind: 'failed'; code: ErrorCode; message: string }

export type FinalReply = Exclude<WorkerReply, { kind: 'failed' }>
