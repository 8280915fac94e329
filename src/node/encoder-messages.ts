/** What a WorkerEncoder and its worker threads say to each other. Buffers are transferred, not copied. */
import type { ErrorCode } from '../base/errors.ts'
import type { DecodeOutcome, DecodeRequest, EncodeSettings } from '../encoding/encoder.ts'
import type { StreamShape } from '../encoding/file-stream.ts'
import type { PackedRows } from './packed-rows.ts'

/** A file of a pack: one that is open, or so many of the bytes that come along, in their order. */
export type PackItem = { fd: number } | { length: number }

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
  | { kind: 'pack'; items: PackItem[]; bytes: Uint8Array; settings: EncodeSettings }
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
      /** Of an extent. */
      stream: StreamShape | undefined
      plaintext: ArrayBuffer | undefined
    }
  | { kind: 'packed'; rows: PackedRows }
  | { kind: 'decoded'; outcome: DecodeOutcome }
  | { kind: 'failed'; code: ErrorCode; message: string }

export type FinalReply = Exclude<WorkerReply, { kind: 'failed' }>
