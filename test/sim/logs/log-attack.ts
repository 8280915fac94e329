/** Entries that a malicious client makes by hand: no honest server may take one, and no reader trust one. */
import { concat, utf8 } from '../../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { sha256 } from '../../../src/base/hash.ts'
import {
  bodyHashOf,
  type EntryHeader,
  formatHeader,
  signHeader,
  skipOf,
} from '../../../src/log/entry.ts'
import type { ChainHead, HandedEntry } from '../../../src/log/log-peer.ts'

export const attackWays = [
  'unsigned',
  'unlinked',
  'wrong skip',
  'stranger',
  'foreign',
  'wrong kind',
  'other body',
] as const

export type AttackWay = (typeof attackWays)[number]

export interface AttackParts {
  logId: Uint8Array
  /** Of the device whose key is abused. */
  seed: Uint8Array
  /** The head of its chain, as a server shows it; undefined for an empty one. */
  head: ChainHead | undefined
  /** Makes each attack another. */
  salt: string
}

/** The next entry of a chain, but for what is wrong with it. */
export function attackEntry(way: AttackWay, { logId, seed, head, salt }: AttackParts): HandedEntry {
  const noise = sha256(utf8(salt))
  const seq = (head?.seq ?? 0) + 1
  const prev = head?.id ?? logId
  const signer = way === 'stranger' ? noise : seed
  const isFirst = way === 'stranger'
  const body = concat(utf8('attack '), noise)
  const fields: EntryHeader = {
    logId: way === 'foreign' ? noise : logId,
    author: publicKeyOfSeed(signer),
    seq: isFirst ? 1 : seq,
    prev: way === 'unlinked' ? noise : isFirst ? logId : prev,
    skip: way === 'wrong skip' ? noise : isFirst || skipOf(seq) === 0 ? logId : prev,
    acks: [],
    clientMs: 0,
    kind: way === 'wrong kind' ? 'certificate' : 'snapshot',
    bodyHash: bodyHashOf(body),
    bodyBytes: body.length,
  }
  const header = formatHeader(fields)
  const signature = way === 'unsigned' ? concat(noise, noise) : signHeader(header, signer)
  return { header, signature, body: way === 'other body' ? noise : body, receipts: [] }
}
