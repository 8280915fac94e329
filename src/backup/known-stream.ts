/** A stream that is stored already, as it is known by the tag of its plaintext. */
import { commitmentOf } from '../caps/keys.ts'
import type { Compression } from '../encoding/compression.ts'
import type { ObjectRef } from '../tree/refs.ts'

/** Whether read keys are remembered. With `none` every run derives them anew from all content. */
export type CachedKeys = 'kept' | 'none'

export const tagBytes = 16
export const checkBytes = 8

export interface KnownStream {
  object: ObjectRef
  /** Where its commitment starts in the ciphertext. */
  offset: number
  plaintextBytes: number
  compression: Compression
  storedBytes: number
  /** 8 bytes that only its read key gives: those of `checkOf`. */
  check: Uint8Array
  /** Undefined where no keys are kept: derive it, and compare its check. */
  readKey: Uint8Array | undefined
}

/** The first bytes of what the key's stream begins with; they do not lead back to the key. */
export function checkOf(readKey: Uint8Array): Uint8Array {
  return commitmentOf(readKey, 'raw').slice(0, checkBytes)
}
