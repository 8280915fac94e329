/**
 * Entries of logs, receipts and signed headers as they stand in bodies of `/grid/storage/1`
 * (docs/specs/storage-protocol.md, "Logs"). What reads throws the error of its `ByteReader`.
 */
import { publicKeyBytes, signatureBytes } from '../base/ed25519.ts'
import type { SignedHeader } from '../log/entry.ts'
import type { HandedEntry } from '../log/log-peer.ts'
import type { Receipt } from '../log/receipt.ts'
import { type ByteReader, ByteWriter } from './byte-fields.ts'

/** Stands for the length of a genesis or body that is not there. */
const absent = 0xffffffff

/** u16 header length ‖ u32 body length ‖ u8 receipts ‖ signature ‖ receipts ‖ header ‖ body. */
export function writeEntry(
  out: ByteWriter,
  { header, signature, body }: Omit<HandedEntry, 'receipts'>,
  receipts: readonly Receipt[],
): void {
  out.u16(header.length)
  out.u32(body?.length ?? absent)
  out.u8(receipts.length)
  out.raw(signature)
  for (const receipt of receipts) out.raw(receiptBytesOf(receipt))
  out.raw(header)
  if (body !== undefined) out.raw(body)
}

export function readEntry(input: ByteReader): HandedEntry {
  const headerBytes = input.u16()
  const bodyBytes = input.u32()
  const receiptCount = input.u8()
  const signature = input.raw(signatureBytes)
  const receipts = times(receiptCount, () => readReceipt(input))
  const header = input.raw(headerBytes)
  return {
    header,
    signature,
    receipts,
    body: bodyBytes === absent ? undefined : input.raw(bodyBytes),
  }
}

/** node ‖ u64 receivedMs ‖ u8 late ‖ signature. */
export function receiptBytesOf({ node, receivedMs, late, signature }: Receipt): Uint8Array {
  const out = new ByteWriter()
  out.raw(node)
  out.u64(receivedMs)
  out.u8(late ? 1 : 0)
  out.raw(signature)
  return out.bytes()
}

export function readReceipt(input: ByteReader): Receipt {
  const node = input.raw(publicKeyBytes)
  const receivedMs = input.u64()
  return { node, receivedMs, late: input.flag(), signature: input.raw(signatureBytes) }
}

export function writeSigned(out: ByteWriter, { header, signature }: SignedHeader): void {
  out.u16(header.length)
  out.raw(header)
  out.raw(signature)
}

export function readSigned(input: ByteReader): SignedHeader {
  return { header: input.raw(input.u16()), signature: input.raw(signatureBytes) }
}

export function writeOptional(out: ByteWriter, bytes: Uint8Array | undefined): void {
  out.u32(bytes?.length ?? absent)
  if (bytes !== undefined) out.raw(bytes)
}

export function readOptional(input: ByteReader): Uint8Array | undefined {
  const length = input.u32()
  return length === absent ? undefined : input.raw(length)
}

/** `count` values, each at least a byte of what is read: so a false count ends early. */
export function times<T>(count: number, make: () => T): T[] {
  const values: T[] = []
  while (values.length < count) values.push(make())
  return values
}
