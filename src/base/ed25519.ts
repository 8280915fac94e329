/**
 * Ed25519 signatures (RFC 8032) under one rule for all nodes (docs/specs/signatures.md): canonical
 * S, A and R, no A or R of small order, and the equation without cofactor. Libraries differ here,
 * and nodes that differ would disagree about which data is valid.
 *
 * node:crypto checks the equation without cofactor and refuses an S that is too large; what it
 * would let pass is refused here first.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { compareBytes, concat, fromHex, toHex } from './bytes.ts'

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
  return verify(null, message, publicKeys.of(publicKey), signature)
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
  return privateKeys.of(seed)
}

/** Keys as node:crypto wants them, the latest few kept: making one costs as much as using it. */
class ParsedKeys {
  readonly #parse: (bytes: Uint8Array) => KeyObject
  readonly #most: number
  readonly #kept = new Map<string, KeyObject>()

  constructor(most: number, parse: (bytes: Uint8Array) => KeyObject) {
    this.#most = most
    this.#parse = parse
  }

  of(bytes: Uint8Array): KeyObject {
    const name = toHex(bytes)
    const key = this.#kept.get(name) ?? this.#parse(bytes)
    this.#kept.delete(name)
    this.#kept.set(name, key)
    if (this.#kept.size > this.#most) this.#kept.delete(this.#kept.keys().next().value!)
    return key
  }
}

const publicKeys = new ParsedKeys(128, (publicKey) =>
  createPublicKey({ key: Buffer.from(concat(spkiPrefix, publicKey)), format: 'der', type: 'spki' }),
)

const privateKeys = new ParsedKeys(16, (seed) =>
  createPrivateKey({ key: Buffer.from(concat(pkcs8Prefix, seed)), format: 'der', type: 'pkcs8' }),
)
