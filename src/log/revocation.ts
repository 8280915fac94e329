/** The end of a key: what of its chain still stands (docs/specs/certificates.md, "Revocation"). */
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { hashBytes } from '../base/hash.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf } from './shape.ts'

export interface Revocation {
  /** The key, 32 bytes. */
  author: Uint8Array
  /** The last entry that is trusted; 0 for none. */
  lastGoodSeq: number
  /** Its id; the log id for 0. So a revocation also says which branch of a fork is meant. */
  lastGoodId: Uint8Array
}

const limits = { depth: 1, items: 5, bytes: 256 }

export function formatRevocation({ author, lastGoodSeq, lastGoodId }: Revocation): Uint8Array {
  return encodeCbor([1, author, lastGoodSeq, lastGoodId])
}

/** Throws E_ENTRY. */
export function readRevocation(body: Uint8Array): Revocation {
  return decodeAs('E_ENTRY', 'revocation', body, limits, decodeRevocation)
}

function decodeRevocation(value: CborValue): Revocation {
  const [version, author, lastGoodSeq, lastGoodId] = arrayOf(value, 4, 4)
  demand(version === 1, 'another version')
  return {
    author: bytesOf(author, publicKeyBytes),
    lastGoodSeq: integerOf(lastGoodSeq, 0),
    lastGoodId: bytesOf(lastGoodId, hashBytes),
  }
}
