/** Who a node is: an Ed25519 key, kept as its 32-byte seed; the public half names it. */
import { publicKeyOfSeed } from '../../base/ed25519.ts'
import { peerIdOf } from '../../base/peer-id.ts'

export interface Identity {
  /** The secret: 32 uniform bytes. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** Peer id: what others call this node by. */
  readonly id: string
}

/** The identity that `seed` (kept) makes. Throws a RangeError unless it has 32 bytes. */
export function identityOf(seed: Uint8Array): Identity {
  const publicKey = publicKeyOfSeed(seed)
  return { seed, publicKey, id: peerIdOf(publicKey) }
}
