/**
 * Whether one who wants to enter is who it says (docs/specs/holds.md, "Accounts"): what is signed, by
 * whom, and what that key may do.
 */
import { concat, equalBytes, utf8 } from '../../base/bytes.ts'
import { verifySignature } from '../../base/ed25519.ts'
import { GridError } from '../../base/errors.ts'
import { type Certificate, hasRight, readCertificate, type Right } from '../../log/certificate.ts'
import { logIdOf, readGenesis } from '../../log/genesis.ts'
import type { Credentials } from '../hold-peer.ts'

/** Between which two, and by which nonce. */
export interface Meeting {
  /** Peer id of the server. */
  server: string
  /** Peer id of the client, as the carrier has authenticated it. */
  client: string
  /** 32 bytes, of the server. */
  nonce: Uint8Array
}

/** A key of an account, and what it may do. */
export interface AccountKey {
  logId: Uint8Array
  key: Uint8Array
  /** Undefined for the admin, who may do all. */
  certificate: Certificate | undefined
}

const context = utf8('grid/v1/auth')

/** What is signed to enter the account `logId`. */
export function authMessage({ server, client, nonce }: Meeting, logId: Uint8Array): Uint8Array {
  const [serverId, clientId] = [utf8(server), utf8(client)]
  if (Math.max(serverId.length, clientId.length) > 255) throw new RangeError('auth: a long peer id')
  const ids = [Uint8Array.of(serverId.length), serverId, Uint8Array.of(clientId.length), clientId]
  return concat(context, ...ids, nonce, logId)
}

/**
 * The key that a genesis and a certificate speak for. Its signature is not looked at.
 * @throws E_GENESIS, E_CERTIFICATE
 */
export function readAccountKey(
  genesis: Uint8Array,
  certificate: Uint8Array | undefined,
  key: Uint8Array,
): AccountKey {
  const logId = logIdOf(genesis)
  const { adminKey } = readGenesis(genesis, logId)
  if (certificate === undefined) {
    if (equalBytes(key, adminKey)) return { logId, key, certificate: undefined }
    throw new GridError('E_CERTIFICATE', 'no certificate, and not the key of the admin')
  }
  const read = readCertificate(certificate, logId, adminKey)
  if (equalBytes(key, read.subject)) return { logId, key, certificate: read }
  throw new GridError('E_CERTIFICATE', 'the certificate is of another key')
}

/** Throws E_GENESIS, E_CERTIFICATE, E_SIGNATURE. */
export function checkCredentials(credentials: Credentials, meeting: Meeting): AccountKey {
  const { genesis, certificate, key, signature } = credentials
  const read = readAccountKey(genesis, certificate, key)
  if (verifySignature(key, authMessage(meeting, read.logId), signature)) return read
  throw new GridError('E_SIGNATURE', 'the key has not signed this meeting')
}

export function mayDo({ certificate }: AccountKey, ...anyOf: Right[]): boolean {
  return certificate === undefined || anyOf.some((right) => hasRight(certificate, right))
}
