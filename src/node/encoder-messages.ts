/** What a WorkerEncoder and its worker threads say to each other. Buffers are transferred, not copied. */
import type { ErrorCode } from '../base/errors.ts'
import type {
  DecodeOutcome,
  DecodeRequest,
  EncodeSettings,
  ExtentInput,
} from '../encoding/encoder.ts'

export type WorkerRequest =
  /** Cut and encode into `out`; answered by `cut`, then `encoded` (or `ended`). */
  | { kind: 'extent'; input: ExtentInput; settings: EncodeSettings; out: ArrayBuffer }
  /** Encode sealed content into `out`; answered by `encoded`. */
  | { kind: 'content'; sealed: Uint8Array; settings: EncodeSettings; out: ArrayBuffer }
  | { kind: 'decode'; request: DecodeRequest }

export type WorkerReply =
  | { kind: 'cut'; length: number }
  | { kind: 'ended'; out: ArrayBuffer }
  | {
      kind: 'encoded'
      out: ArrayBuffer
      root: Uint8Array
      readKey: Uint8Array | undefined
      shareBytes: number
      ciphertextBytes: number
      plaintextBytes: number
    }
  | { kind: 'decoded'; outcome: DecodeOutcome }
  | { kind: 'failed'; code: ErrorCode; message: string }
