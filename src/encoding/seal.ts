/**
 * Sealed streams: a commitment to key and type, then AES-256-CTR (docs/specs/encoding.md, "Sealed
 * stream"). Integrity comes from the root in the cap; the commitment only says that the key fits,
 * and that bytes sealed as one type are never read as another.
 */
import { createCipheriv, type Cipher } from 'node:crypto'
import { concat, equalBytes } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { commitmentOf, encryptionKeyOf, type SealType } from '../caps/keys.ts'

export const commitmentBytes = 32
const aesBlockBytes = 16
/** Pieces fed to the cipher: they stay in the processor's cache, and its output is short-lived. */
const pieceBytes = 128 * 1024

/** Length of the sealed form of `plaintextBytes`. */
export function sealedLength(plaintextBytes: number): number {
  return commitmentBytes + plaintextBytes
}

/** `commit ‖ CTR(XP(K,"enc"), plaintext)`, written to the start of `out`, which has room for it. */
export function sealInto(
  out: Uint8Array,
  type: SealType,
  key: Uint8Array,
  plaintext: Uint8Array,
): void {
  out.set(commitmentOf(key, type))
  applyKeystream(out.subarray(commitmentBytes), encryptionKeyOf(key), 0, plaintext)
}

/** As `sealInto`, into a new array. */
export function seal(type: SealType, key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(sealedLength(plaintext.length))
  sealInto(out, type, key, plaintext)
  return out
}

/** Whether `commitment` (32 bytes) is that of `key` and `type`; in constant time. */
export function commits(commitment: Uint8Array, type: SealType, key: Uint8Array): boolean {
  return equalBytes(commitment, commitmentOf(key, type))
}

/** The plaintext of a whole sealed stream. Throws E_COMMIT when key or type is another one's. */
export function open(type: SealType, key: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (sealed.length < commitmentBytes || !commits(sealed.subarray(0, commitmentBytes), type, key)) {
    throw new GridError('E_COMMIT', `the key does not fit this ${type} stream`)
  }
  return decrypt(key, 0, sealed.subarray(commitmentBytes))
}

/**
 * Decrypts `ciphertext`, which starts `offset` bytes into the encrypted part of a stream. The
 * caller has checked the commitment. The result is the caller's.
 */
export function decrypt(key: Uint8Array, offset: number, ciphertext: Uint8Array): Uint8Array {
  const aesKey = encryptionKeyOf(key)
  if (offset % aesBlockBytes === 0 && ciphertext.length <= pieceBytes) {
    // short streams, of which there are many: what the cipher gives is handed on as it is
    const plain = counterMode(aesKey, offset / aesBlockBytes).update(ciphertext)
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.length)
  }
  const out = new Uint8Array(ciphertext.length)
  applyKeystream(out, aesKey, offset, ciphertext)
  return out
}

/** `length` bytes of AES-256-CTR keystream from counter zero under `aesKey`. */
export function keystream(aesKey: Uint8Array, length: number): Uint8Array {
  return concat(counterMode(aesKey, 0).update(new Uint8Array(length)))
}

function applyKeystream(
  out: Uint8Array,
  aesKey: Uint8Array,
  offset: number,
  input: Uint8Array,
): void {
  const cipher = counterMode(aesKey, Math.floor(offset / aesBlockBytes))
  const skipped = offset % aesBlockBytes
  if (skipped > 0) cipher.update(new Uint8Array(skipped))
  for (let at = 0; at < input.length; at += pieceBytes) {
    out.set(cipher.update(input.subarray(at, at + pieceBytes)), at)
  }
}

/** AES-256-CTR whose 16-byte big-endian counter starts at `firstBlock`. */
function counterMode(aesKey: Uint8Array, firstBlock: number): Cipher {
  const counter = new Uint8Array(aesBlockBytes)
  new DataView(counter.buffer).setBigUint64(8, BigInt(firstBlock))
  return createCipheriv('aes-256-ctr', aesKey, counter)
}
