/** What requests about holds must look like, wherever they came from; E_BAD_REQUEST before they cost anything. */
import { publicKeyBytes, signatureBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { storageIndexBytes } from '../encoding/descriptor.ts'
import { maxCertificateBytes } from '../log/certificate.ts'
import { maxBodyBytesOf, maxHeaderBytes } from '../log/entry.ts'
import { maxGenesisBytes } from '../log/genesis.ts'
import {
  accountTokenBytes,
  type Credentials,
  enterNonceBytes,
  type ListHoldsRequest,
  maxListedHolds,
  maxTouchIndexes,
  type SignedRelease,
} from './hold-peer.ts'
import type { StorageIndex } from './request.ts'

export function checkTouch(indexes: readonly StorageIndex[]): void {
  demand(indexes.length <= maxTouchIndexes, `at most ${maxTouchIndexes} storage indexes`)
  for (const index of indexes) demandBytes(index, 'storage index', storageIndexBytes)
}

export function checkToken(token: Uint8Array): void {
  demandBytes(token, 'token', accountTokenBytes)
}

export function checkCredentialBounds(credentials: Credentials): void {
  const { genesis, certificate, key, nonce, signature } = credentials
  demandBytes(genesis, 'genesis', 1, maxGenesisBytes)
  if (certificate !== undefined) demandBytes(certificate, 'certificate', 1, maxCertificateBytes)
  demandBytes(key, 'key', publicKeyBytes)
  demandBytes(nonce, 'nonce', enterNonceBytes)
  demandBytes(signature, 'signature', signatureBytes)
}

export function checkListHolds({ after, limit }: ListHoldsRequest): void {
  if (after !== undefined) demandBytes(after, 'storage index', storageIndexBytes)
  const isCount = Number.isInteger(limit) && limit >= 1 && limit <= maxListedHolds
  demand(isCount, `a limit of 1 to ${maxListedHolds}`)
}

export function checkRelease({
  header,
  signature,
  genesis,
  certificate,
  body,
}: SignedRelease): void {
  demandBytes(header, 'header', 1, maxHeaderBytes)
  demandBytes(signature, 'signature', signatureBytes)
  demandBytes(genesis, 'genesis', 1, maxGenesisBytes)
  if (certificate !== undefined) demandBytes(certificate, 'certificate', 1, maxCertificateBytes)
  demandBytes(body, 'body', 1, maxBodyBytesOf('release'))
}

function demandBytes(bytes: Uint8Array, name: string, min: number, max: number = min): void {
  const isSound = bytes instanceof Uint8Array && bytes.length >= min && bytes.length <= max
  demand(isSound, `a ${name} has ${min === max ? min : `${min} to ${max}`} bytes`)
}

function demand(holds: boolean, why: string): void {
  if (!holds) throw new GridError('E_BAD_REQUEST', `bad request: ${why}`)
}
