/**
 * Ed25519 signatures (RFC 8032) under one rule for all nodes (docs/specs/signatures.md): canonical
 * S, A and R, no A or R of small order, and the equation without cofactor. Libraries differ here,
 * and nodes that differ would disagree about which data is valid.
 *
 * node:crypto checks the equation without cofactor and refuses an S that is too large; what it
 * would let pass is refused here first.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { compareBytes, concat, fromHex } from './bytes.ts'

export const seedBytes = 32
export const publicKeyBytes = 32
export const signatureBytes = 64

/** What RFC 8410 puts before the seed of a key in PKCS #8, and before a public key in SPKI. */
const pkcs8Prefix = fromHex('302e020100300506032b657004220420')
const spkiPrefix = fromHex('302a300506032b6570032100')

/** 2^255 - 19, big-endian. */
const fieldPrime = fromHex('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed')

/** The y coordinates of the eight points whose order divides 8, big-endian. */
const smallOrder: readonly Uint8Array[] = [
  fromHex('0000000000000000000000000000000000000000000000000000000000000000'),
  fromHex('0000000000000000000000000000000000000000000000000000000000000001'),
  fromHex('05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826'),
  fromHex('7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7'),
  fromHex('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec'),
]

/** The public key of `seed`, 32 bytes each. */
export function publicKeyOfSeed(seed: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
  return new Uint8Array(der.subarray(spkiPrefix.length))
}

/** The signature, 64 bytes, of `message` under `seed`; the same every time. */
export function signMessage(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey(seed)))
}

/** Whether `signature` over `message` is `publicKey`'s. Total: whatever has another length is not. */
export function verifySignature(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== signatureBytes) return false
  if (!isSoundPoint(publicKey) || !isSoundPoint(signature.subarray(0, 32))) return false
  const der = Buffer.from(concat(spkiPrefix, publicKey))
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return verify(null, message, key, signature)
}

/** Whether the y coordinate is below 2^255 - 19 and not that of a small order; not whether it is on the curve. */
function isSoundPoint(encoded: Uint8Array): boolean {
  if (encoded.length !== publicKeyBytes) return false
  const y = Uint8Array.from(encoded).reverse()
  y[0] &= 0x7f
  return compareBytes(y, fieldPrime) < 0 && smallOrder.every((low) => compareBytes(y, low) !== 0)
}

function privateKey(seed: Uint8Array): KeyObject {
  if (seed.length !== seedBytes) throw new RangeError(`ed25519: the seed needs ${seedBytes} bytes`)
  const der = Buffer.from(concat(pkcs8Prefix, seed))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}
