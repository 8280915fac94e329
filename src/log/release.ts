/** A signed release of holds, the only thing that ever frees storage (docs/specs/log.md, "Public bodies"). */
import { encodeCbor } from '../base/cbor.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { hashBytes } from '../base/hash.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf } from './shape.ts'

export interface Release {
  /** Log id. */
  account: Uint8Array
  /** The server it is for, 32 bytes; undefined for all. */
  server: Uint8Array | undefined
  /** Ascending among an author's releases, from 1. */
  releaseSeq: number
  /** Holds touched at or after this, by the server's clock, stay. */
  cutoffMs: number
  /** Storage indexes of 20 bytes, at most 45,000. */
  storageIndexes: readonly Uint8Array[]
}

export const maxReleasedIndexes = 45_000
const storageIndexBytes = 20
const limits = { depth: 2, items: 7 + maxReleasedIndexes, bytes: 1024 * 1024 }

export function formatRelease(release: Release): Uint8Array {
  const { account, server, releaseSeq, cutoffMs, storageIndexes } = release
  return encodeCbor([
    1,
    account,
    server ?? new Uint8Array(0),
    releaseSeq,
    cutoffMs,
    [...storageIndexes],
  ])
}

/** Throws E_ENTRY. */
export function readRelease(body: Uint8Array): Release {
  return decodeAs('E_ENTRY', 'release', body, limits, (value) => {
    const [version, account, server, releaseSeq, cutoffMs, indexes] = arrayOf(value, 6, 6)
    demand(version === 1, 'another version')
    const key = bytesOf(server, 0, publicKeyBytes)
    demand(key.length === 0 || key.length === publicKeyBytes, 'a server key of the wrong length')
    return {
      account: bytesOf(account, hashBytes),
      server: key.length === 0 ? undefined : key,
      releaseSeq: integerOf(releaseSeq, 1),
      cutoffMs: integerOf(cutoffMs, 0),
      storageIndexes: arrayOf(indexes, 0, maxReleasedIndexes).map((index) =>
        bytesOf(index, storageIndexBytes),
      ),
    }
  })
}
