/**
 * What requests about logs must look like, wherever they came from, besides the bounds that all
 * servers have in common (src/log/log-request.ts): E_BAD_REQUEST before they cost anything.
 */
import { publicKeyBytes, signatureBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import type { AppendRequest } from '../log/log-peer.ts'
import { checkAppendRequest } from '../log/log-request.ts'
import type { Receipt } from '../log/receipt.ts'

export function checkAppend(request: AppendRequest): void {
  checkAppendRequest(request)
  for (const { signature, receipts } of request.entries) {
    checkLength(signature, signatureBytes, 'a signature')
    for (const receipt of receipts) checkReceipt(receipt)
  }
}

function checkReceipt({ node, receivedMs, signature }: Receipt): void {
  checkLength(node, publicKeyBytes, 'a key')
  checkLength(signature, signatureBytes, 'a signature')
  if (!Number.isSafeInteger(receivedMs) || receivedMs < 0) throw badRequest('a time that is none')
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw badRequest(`${what} has ${length} bytes`)
}

function badRequest(why: string): GridError {
  return new GridError('E_BAD_REQUEST', `bad request: ${why}`)
}
