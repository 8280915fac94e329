/**
 * What a store keeps of an entry besides its body (docs/specs/log-store.md, "Heads"):
 *
 *     signature (64) ‖ u8 receipt: 0 none, 1 in time, 2 late ‖ receipt ‖ header
 *     receipt = node (32) ‖ u64 receivedMs ‖ signature (64), absent for 0
 */
import { concat, readU64be, u64be } from '../base/bytes.ts'
import { publicKeyBytes, signatureBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import type { SignedHeader } from '../log/entry.ts'
import type { Receipt } from '../log/receipt.ts'

/** Undefined for evidence of a fork, which gets no receipt. */
export interface EntryHead extends SignedHeader {
  readonly receipt: Receipt | undefined
}

const receiptAt = signatureBytes + 1
const receiptBytes = publicKeyBytes + 8 + signatureBytes

export function formatEntryHead({ header, signature, receipt }: EntryHead): Uint8Array {
  if (receipt === undefined) return concat(signature, Uint8Array.of(0), header)
  const { node, receivedMs, late } = receipt
  const flag = Uint8Array.of(late ? 2 : 1)
  return concat(signature, flag, node, u64be(receivedMs), receipt.signature, header)
}

/** The inverse; its parts are views of `head`. Throws E_IO, since a store gave it. */
export function parseEntryHead(head: Uint8Array): EntryHead {
  const flag = head[signatureBytes]
  const headerAt = flag === 0 ? receiptAt : receiptAt + receiptBytes
  if (flag === undefined || flag > 2 || head.length < headerAt) {
    throw new GridError('E_IO', 'an entry is damaged here', { facts: { damaged: true } })
  }
  const signature = head.subarray(0, signatureBytes)
  const header = head.subarray(headerAt)
  if (flag === 0) return { header, signature, receipt: undefined }
  const timeAt = receiptAt + publicKeyBytes
  const receipt = {
    node: head.subarray(receiptAt, timeAt),
    receivedMs: readU64be(head, timeAt) ?? 0,
    late: flag === 2,
    signature: head.subarray(timeAt + 8, headerAt),
  }
  return { header, signature, receipt }
}
