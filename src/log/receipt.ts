/**
 * Receipts: a server's signed word that an entry is durable there since a time by its clock
 * (docs/specs/log.md, "Receipt").
 */
import { concat, u64be, utf8 } from '../base/bytes.ts'
import { publicKeyBytes, signatureBytes, signMessage, verifySignature } from '../base/ed25519.ts'

export interface Receipt {
  /** Ed25519 public key of the server, 32 bytes; its peer id is that of this key. */
  readonly node: Uint8Array
  /** When the entry became durable there, by the server's wall clock. */
  readonly receivedMs: number
  /** Handed on by somebody after other servers had it: says nothing of when it was written. */
  readonly late: boolean
  /** 64 bytes. */
  readonly signature: Uint8Array
}

/** What a receipt is for. */
export interface ReceiptSubject {
  /** 32 bytes. */
  readonly logId: Uint8Array
  /** Id of the entry, 32 bytes. */
  readonly id: Uint8Array
}

const context = utf8('grid/v1/receipt')

/**
 * @param subject - the entry, which must be durable already
 * @param nodeKey - the server's key pair: seed and public key of 32 bytes each
 */
export function signReceipt(
  subject: ReceiptSubject,
  at: Pick<Receipt, 'receivedMs' | 'late'>,
  nodeKey: { seed: Uint8Array; publicKey: Uint8Array },
): Receipt {
  const claim = { receivedMs: at.receivedMs, late: at.late, node: nodeKey.publicKey }
  return { ...claim, signature: signMessage(nodeKey.seed, messageOf(subject, claim)) }
}

/** Whether `receipt` is its node's, for this entry. Total. */
export function isReceiptFor(subject: ReceiptSubject, receipt: Receipt): boolean {
  const { node, receivedMs, signature } = receipt
  if (node.length !== publicKeyBytes || signature.length !== signatureBytes) return false
  if (!Number.isSafeInteger(receivedMs) || receivedMs < 0) return false
  return verifySignature(node, messageOf(subject, receipt), signature)
}

function messageOf(
  { logId, id }: ReceiptSubject,
  { receivedMs, late, node }: Omit<Receipt, 'signature'>,
): Uint8Array {
  return concat(context, logId, id, u64be(receivedMs), Uint8Array.of(late ? 1 : 0), node)
}
