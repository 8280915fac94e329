/** Who a node is: an Ed25519 key (RFC 8032), kept as its 32-byte seed; the public half names it. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { concat } from '../base/bytes.ts'
import { peerIdOf } from '../base/peer-id.ts'

export const seedBytes = 32

export interface Identity {
  /** The secret: 32 uniform bytes. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Peer id: what others call this node by. */
  readonly id: string
}

/** What RFC 8410 puts before the seed of an Ed25519 key in PKCS #8. */
const pkcs8Prefix = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
  ...[0x04, 0x22, 0x04, 0x20],
)
/** Bytes of SubjectPublicKeyInfo before the key. */
const spkiPrefixBytes = 12

/** The identity that `seed` (32 bytes, kept) makes. */
export function identityOf(seed: Uint8Array): Identity {
  if (seed.length !== seedBytes) throw new RangeError(`identity: the seed needs ${seedBytes} bytes`)
  const privateKey = createPrivateKey({
    key: Buffer.from(concat(pkcs8Prefix, seed)),
    format: 'der',
    type: 'pkcs8',
  })
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const publicKey = new Uint8Array(der.subarray(spkiPrefixBytes))
  return { seed, publicKey, id: peerIdOf(publicKey) }
}
