/**
 * X-Wing (draft-connolly-cfrg-xwing-kem): a key encapsulation that holds as long as one of
 * ML-KEM-768 and X25519 does. ML-KEM is that of @noble/post-quantum; X25519 and SHA3 are node:crypto's,
 * which are many times as fast.
 *
 *   public key     ML-KEM public key (1,184) ‖ X25519 public key (32)
 *   encapsulation  ML-KEM ciphertext (1,088) ‖ ephemeral X25519 public key (32)
 *   shared secret  SHA3-256(ML-KEM secret ‖ X25519 secret ‖ ephemeral key ‖ X25519 public key ‖ label)
 */
import { ml_kem768_x25519 as portable } from '@noble/post-quantum/hybrid.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { createHash, createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { concat, fromHex, utf8 } from '../base/bytes.ts'

export const kemSeedBytes = 32
export const kemPublicKeyBytes = 1216
/** What encapsulation adds. */
export const encapsulationBytes = 1120
/** Random bytes that one encapsulation takes. */
export const encapsulationSeedBytes = 64

const mlKemKeyBytes = 1184
const halfSeedBytes = 32
const label = utf8('\\.//^\\')
/** What RFC 8410 puts before an X25519 key in PKCS #8, and in SPKI. */
const pkcs8Prefix = fromHex('302e020100300506032b656e04220420')
const spkiPrefix = fromHex('302a300506032b656e032100')

export interface Encapsulated {
  encapsulation: Uint8Array
  sharedSecret: Uint8Array
}

/** The public key, 1,216 bytes, of a secret seed of 32. */
export function kemPublicKeyOf(seed: Uint8Array): Uint8Array {
  return portable.keygen(seed).publicKey
}

/**
 * A fresh secret for whoever has the key of `publicKey`. Throws for a key that is none, or one that
 * would give the same secret to everybody.
 *
 * @param seed - 64 random bytes that are never used again
 */
export function encapsulate(publicKey: Uint8Array, seed: Uint8Array): Encapsulated {
  if (publicKey.length !== kemPublicKeyBytes) throw new RangeError('x-wing: a key of 1,216 bytes')
  const staticKey = publicKey.subarray(mlKemKeyBytes)
  const mlKem = ml_kem768.encapsulate(
    publicKey.subarray(0, mlKemKeyBytes),
    seed.subarray(0, halfSeedBytes),
  )
  const { ephemeralKey, secret } = agree(seed.subarray(halfSeedBytes), staticKey)
  const hash = createHash('sha3-256')
  for (const part of [mlKem.sharedSecret, secret, ephemeralKey, staticKey, label]) hash.update(part)
  return {
    encapsulation: concat(mlKem.cipherText, ephemeralKey),
    sharedSecret: new Uint8Array(hash.digest()),
  }
}

/** The secret behind an encapsulation of 1,120 bytes. */
export function decapsulate(encapsulation: Uint8Array, seed: Uint8Array): Uint8Array {
  return portable.decapsulate(encapsulation, seed)
}

/** X25519 (RFC 7748) of a secret scalar and a public key, and the scalar's own public key. */
function agree(
  scalar: Uint8Array,
  publicKey: Uint8Array,
): { ephemeralKey: Uint8Array; secret: Uint8Array } {
  const pkcs8 = Buffer.from(concat(pkcs8Prefix, scalar))
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const own = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const spki = Buffer.from(concat(spkiPrefix, publicKey))
  const theirs = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return {
    ephemeralKey: new Uint8Array(own.subarray(spkiPrefix.length)),
    secret: new Uint8Array(diffieHellman({ privateKey, publicKey: theirs })),
  }
}
