/** What may be shown of a cap: facts that every server of the grid knows anyway. */
import { toBase32 } from '../base/base32.ts'
import { capTable, type CapRight } from './cap-table.ts'
import type { Cap, CapType } from './cap.ts'

/** Plain data, fit for JSON and for logs: no key, no convergence secret, no literal data. */
export interface CapFacts {
  type: CapType
  rights: readonly CapRight[]
  fingerprint: string
  /** Base32 of the first 20 bytes of the root: what servers call the object. */
  storageIndex?: string
  k?: number
  n?: number
  /** Plaintext bytes, where the cap tells. */
  sizeBytes?: number
  /** Where a slice starts in the object's ciphertext. */
  offsetBytes?: number
  /** Base32 of the log's id. */
  logId?: string
}

const storageIndexBytes = 20
const shownLetters = 10

/**
 * A short name of `cap` for messages and logs, such as "CHK id7eq4bjdb": its type and the
 * beginning of the storage index or log id. Caps of different strength to one object differ in
 * the type alone.
 */
export function capFingerprint(cap: Cap): string {
  if (cap.type === 'LIT') return `LIT of ${cap.data.length} bytes`
  const name = 'root' in cap ? cap.root : cap.logId
  return `${cap.type} ${toBase32(name).slice(0, shownLetters)}`
}

export function describeCap(cap: Cap): CapFacts {
  const facts: CapFacts = {
    type: cap.type,
    rights: capTable[cap.type].rights,
    fingerprint: capFingerprint(cap),
  }
  if (cap.type === 'LIT') return { ...facts, sizeBytes: cap.data.length }
  if ('logId' in cap) return { ...facts, logId: toBase32(cap.logId) }
  return {
    ...facts,
    storageIndex: toBase32(cap.root.subarray(0, storageIndexBytes)),
    k: cap.k,
    n: cap.n,
    ...('sizeBytes' in cap && { sizeBytes: cap.sizeBytes }),
    ...('offsetBytes' in cap && { offsetBytes: cap.offsetBytes }),
  }
}
