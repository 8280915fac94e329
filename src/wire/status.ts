/**
 * Error codes as the numbers that cross the wire, and back. Append-only: a number never changes
 * its meaning and is never used again.
 */
import type { ErrorCode } from '../base/errors.ts'

/** The status of a reply that is no error. */
export const statusOk = 0

const statuses = {
  E_INTERNAL: 1,
  E_PROTOCOL: 2,
  E_VERSION: 3,
  E_BAD_REQUEST: 4,
  E_UNKNOWN_VERB: 5,
  E_TOO_LARGE: 6,
  E_BUSY: 7,
  E_RATE: 8,
  E_TIMEOUT: 9,
  E_INTERRUPTED: 10,
  E_FORBIDDEN: 11,
  E_CBOR: 12,
  E_ABSENT: 16,
  E_FULL: 17,
  E_READ_ONLY: 18,
  E_IO: 19,
  E_SHARE: 20,
  E_DESCRIPTOR: 21,
  E_BLOCK: 22,
  E_SIZE: 23,
  E_ANNOUNCEMENT: 32,
  E_UNREACHABLE: 33,
  E_CLOSED: 34,
  E_INVITE: 35,
  // between a node and its owner
  E_CONFIG: 36,
  E_USAGE: 37,
  E_EXISTS: 38,
  E_GENESIS: 48,
  E_ENTRY: 49,
  E_LINK: 50,
  E_SIGNATURE: 51,
  E_CERTIFICATE: 52,
  E_REVOKED: 53,
  E_RECEIPT: 54,
} as const satisfies Partial<Record<ErrorCode, number>>

const codes = new Map<number, ErrorCode>(
  Object.entries(statuses).map(([code, status]) => [status, code as ErrorCode]),
)

/** The status for `code`; undefined for a code that is nobody else's business. */
export function statusOf(code: ErrorCode): number | undefined {
  return (statuses as Partial<Record<ErrorCode, number>>)[code]
}

/** The code for a status other than `statusOk`; E_PROTOCOL for a number this version does not know. */
export function codeOf(status: number): ErrorCode {
  return codes.get(status) ?? 'E_PROTOCOL'
}
