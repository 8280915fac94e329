/** What requests about logs must look like, wherever they came from: E_BAD_REQUEST before they cost anything. */
import { toHex } from '../base/bytes.ts'
import { publicKeyBytes, signatureBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { maxBodyBytes, maxHeaderBytes } from '../log/entry.ts'
import { maxGenesisBytes } from '../log/genesis.ts'
import {
  type AppendRequest,
  entryWireBytes,
  type HandedEntry,
  maxAppendBytes,
  maxAppendEntries,
  maxChains,
  maxHandedReceipts,
  maxReadBytes,
  minReadBytes,
  type ReadLogRequest,
} from '../log/log-peer.ts'
import type { Receipt } from '../log/receipt.ts'
import { logIdBytes } from './log-store.ts'

export function checkAppend({ logId, genesis, entries }: AppendRequest): void {
  checkBytes(logId, logIdBytes, 'a log id')
  if (genesis !== undefined && genesis.length > maxGenesisBytes) throw badRequest('a long genesis')
  if (entries.length > maxAppendEntries) throw badRequest(`${entries.length} entries`)
  for (const entry of entries) checkHanded(entry)
  const bytes = entries.reduce((sum, entry) => sum + entryWireBytes(entry), 0)
  if (bytes > maxAppendBytes) throw badRequest(`${bytes} bytes of entries`)
}

export function checkReadLog(request: ReadLogRequest): void {
  const { logId, ranges, maxBytes } = request
  checkBytes(logId, logIdBytes, 'a log id')
  if (ranges.length > maxChains) throw badRequest(`${ranges.length} ranges`)
  if (!isCount(maxBytes) || maxBytes < minReadBytes || maxBytes > maxReadBytes) {
    throw badRequest('an answer too long or too short')
  }
  const authors = new Set<string>()
  for (const { author, firstSeq, lastSeq } of ranges) {
    checkBytes(author, publicKeyBytes, 'an author')
    if (!isCount(firstSeq) || firstSeq < 1 || !isCount(lastSeq)) throw badRequest('a range')
    authors.add(toHex(author))
  }
  if (authors.size < ranges.length) throw badRequest('an author twice')
}

function checkHanded({ header, signature, body, receipts }: HandedEntry): void {
  checkBytes(signature, signatureBytes, 'a signature')
  if (header.length > maxHeaderBytes) throw badRequest('a long header')
  if (body !== undefined && body.length > maxBodyBytes) throw badRequest('a long body')
  if (receipts.length > maxHandedReceipts) throw badRequest(`${receipts.length} receipts`)
  for (const receipt of receipts) checkReceipt(receipt)
}

function checkReceipt({ node, receivedMs, signature }: Receipt): void {
  checkBytes(node, publicKeyBytes, 'a node')
  checkBytes(signature, signatureBytes, 'a signature')
  if (!isCount(receivedMs)) throw badRequest('a time that is none')
}

function checkBytes(bytes: Uint8Array, length: number, what: string): void {
  if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
    throw badRequest(`${what} has ${length} bytes`)
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function badRequest(why: string): GridError {
  return new GridError('E_BAD_REQUEST', `bad request: ${why}`)
}
