/**
 * Sealing to a public key: HPKE (RFC 9180), base mode, one message a key (docs/specs/log.md, "Seal").
 *
 * The KEM is X-Wing (0x647a, draft-connolly-cfrg-xwing-kem), which holds as long as one of X25519
 * and ML-KEM-768 does (x-wing.ts); the KDF is HKDF-SHA256 (1) and the AEAD
 * ChaCha20-Poly1305 (3). Only the key schedule is made here.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { concat, utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { hmac } from '../base/hash.ts'
import type { Random } from '../base/random.ts'
import {
  decapsulate,
  encapsulate,
  type Encapsulated,
  encapsulationBytes,
  encapsulationSeedBytes,
} from './x-wing.ts'

export const sealTagBytes = 16
const nonceBytes = 12

/** What a sealed message is bound to besides its key. */
export interface SealContext {
  info: Uint8Array
  aad: Uint8Array
}

const suiteId = concat(utf8('HPKE'), Uint8Array.of(0x64, 0x7a, 0, 1, 0, 3))
const version = utf8('HPKE-v1')
const none = new Uint8Array(0)
const pskIdHash = labeledExtract(none, 'psk_id_hash', none)

/**
 * Seals `plaintext` to `publicKey`: encapsulation ‖ ciphertext ‖ tag. `random` gives the 64 bytes
 * of one encapsulation; they must never be used again. Throws E_GENESIS for a key that is none.
 */
export function sealTo(
  publicKey: Uint8Array,
  context: SealContext,
  plaintext: Uint8Array,
  random: Random,
): Uint8Array {
  const { encapsulation, sharedSecret } = freshSecret(publicKey, random)
  const { key, nonce } = keySchedule(sharedSecret, context.info)
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: sealTagBytes })
  cipher.setAAD(context.aad, { plaintextLength: plaintext.length })
  return concat(encapsulation, cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** The inverse of `sealTo`, with the seed of the key. Throws E_SEAL. */
export function openWith(seed: Uint8Array, context: SealContext, sealed: Uint8Array): Uint8Array {
  const tagAt = sealed.length - sealTagBytes
  if (tagAt < encapsulationBytes) throw unopened()
  try {
    const shared = decapsulate(sealed.subarray(0, encapsulationBytes), seed)
    const { key, nonce } = keySchedule(shared, context.info)
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, {
      authTagLength: sealTagBytes,
    })
    const ciphertext = sealed.subarray(encapsulationBytes, tagAt)
    decipher.setAAD(context.aad, { plaintextLength: ciphertext.length })
    decipher.setAuthTag(sealed.subarray(tagAt))
    return concat(decipher.update(ciphertext), decipher.final())
  } catch (error) {
    throw unopened(error)
  }
}

function freshSecret(publicKey: Uint8Array, random: Random): Encapsulated {
  try {
    return encapsulate(publicKey, random.bytes(encapsulationSeedBytes))
  } catch (error) {
    throw new GridError('E_GENESIS', 'a key of this log is not one that can be sealed to', {
      cause: error,
    })
  }
}

/** RFC 9180 §5.1 in base mode. */
function keySchedule(sharedSecret: Uint8Array, info: Uint8Array) {
  const context = concat(Uint8Array.of(0), pskIdHash, labeledExtract(none, 'info_hash', info))
  const secret = labeledExtract(sharedSecret, 'secret', none)
  return {
    key: labeledExpand(secret, 'key', context, 32),
    nonce: labeledExpand(secret, 'base_nonce', context, nonceBytes),
  }
}

/** RFC 9180 §4. */
function labeledExtract(salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return hmac(salt, version, suiteId, utf8(label), ikm)
}

/** RFC 9180 §4, for at most 32 bytes: one block of HKDF-Expand. */
function labeledExpand(
  secret: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const block = hmac(
    secret,
    Uint8Array.of(0, length),
    version,
    suiteId,
    utf8(label),
    info,
    Uint8Array.of(1),
  )
  return block.subarray(0, length)
}

function unopened(cause?: unknown): GridError {
  return new GridError('E_SEAL', 'this key does not open the entry', { cause })
}
