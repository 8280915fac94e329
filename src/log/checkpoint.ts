/**
 * What the admin has seen: the heads of all chains, and snapshots that passed a restore test
 * (docs/specs/log.md, "Public bodies").
 */
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { hashBytes } from '../base/hash.ts'
import { type ChainHead, maxChains } from './log-peer.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf, isAscending } from './shape.ts'

export interface TestedSnapshot {
  /** Id of the entry. */
  id: Uint8Array
  /** When the test ended, by the admin's wall clock. */
  testedMs: number
}

export interface Checkpoint {
  /** Ascending by author; at most 512. */
  heads: readonly ChainHead[]
  /** At most 64. */
  tested: readonly TestedSnapshot[]
}

export const maxCheckpointHeads: number = maxChains / 2
const maxTested = 64
const limits = {
  depth: 3,
  items: 4 + 4 * maxCheckpointHeads + 3 * maxTested,
  bytes: 64 * 1024,
}

export function formatCheckpoint({ heads, tested }: Checkpoint): Uint8Array {
  return encodeCbor([
    1,
    heads.map(({ author, seq, id }) => [author, seq, id]),
    tested.map(({ id, testedMs }) => [id, testedMs]),
  ])
}

/** Throws E_ENTRY. */
export function readCheckpoint(body: Uint8Array): Checkpoint {
  return decodeAs('E_ENTRY', 'checkpoint', body, limits, (value) => {
    const [version, heads, tested] = arrayOf(value, 3, 3)
    demand(version === 1, 'another version')
    const checkpoint = {
      heads: arrayOf(heads, 0, maxCheckpointHeads).map(readHead),
      tested: arrayOf(tested, 0, maxTested).map(readTested),
    }
    demand(isAscending(checkpoint.heads.map(({ author }) => author)), 'heads out of order')
    return checkpoint
  })
}

function readHead(value: CborValue): ChainHead {
  const [author, seq, id] = arrayOf(value, 3, 3)
  return {
    author: bytesOf(author, publicKeyBytes),
    seq: integerOf(seq, 1),
    id: bytesOf(id, hashBytes),
  }
}

function readTested(value: CborValue): TestedSnapshot {
  const [id, testedMs] = arrayOf(value, 2, 2)
  return { id: bytesOf(id, hashBytes), testedMs: integerOf(testedMs, 0) }
}
