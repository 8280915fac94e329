/** What a script learns from `$?`. 3, 10, 11, 12 and 130 mean what they mean to restic. */
import { type ErrorCode, isGridError } from '../base/errors.ts'

/** All there are (docs/commands.md, "Exit codes"); never renumbered. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  partlyDone: 3,
  notEnoughShares: 4,
  notEnoughServers: 5,
  integrity: 6,
  damageFound: 7,
  capTooWeak: 8,
  unreachable: 9,
  notInitialised: 10,
  locked: 11,
  wrongPassphrase: 12,
  full: 13,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const { failure, usage, integrity, unreachable } = exitCodes

export const exitCodeOf: Readonly<Record<ErrorCode, ExitCode>> = {
  E_CAP_SYNTAX: usage,
  E_CAP_TYPE: usage,
  E_CAP_CHECK: usage,
  E_CAP_FIELD: usage,
  E_CAP_TAHOE: usage,
  E_CAP_WEAK: exitCodes.capTooWeak,
  E_CBOR: integrity,
  E_DESCRIPTOR: integrity,
  E_SHARE: integrity,
  E_BLOCK: integrity,
  E_ENCODING: integrity,
  E_COMMIT: integrity,
  E_NODE: integrity,
  E_SIZE: integrity,
  E_ABSENT: exitCodes.notEnoughShares,
  E_FULL: exitCodes.full,
  E_READ_ONLY: failure,
  E_BUSY: unreachable,
  E_RATE: unreachable,
  E_BAD_REQUEST: failure,
  E_UNKNOWN_VERB: failure,
  E_TOO_LARGE: failure,
  E_IO: failure,
  E_FORBIDDEN: failure,
  E_UNREACHABLE: unreachable,
  E_TIMEOUT: unreachable,
  E_PROTOCOL: failure,
  E_VERSION: failure,
  E_CLOSED: unreachable,
  E_ANNOUNCEMENT: integrity,
  E_INVITE: exitCodes.capTooWeak,
  E_GENESIS: integrity,
  E_ENTRY: integrity,
  E_LINK: integrity,
  E_SIGNATURE: integrity,
  E_CERTIFICATE: exitCodes.capTooWeak,
  E_REVOKED: exitCodes.capTooWeak,
  E_RECEIPT: integrity,
  E_SEAL: integrity,
  E_FORKED: integrity,
  E_TRUNCATED: integrity,
  E_NOT_DURABLE: exitCodes.notEnoughServers,
  E_NOT_ENOUGH_SERVERS: exitCodes.notEnoughServers,
  E_NOT_ENOUGH_SHARES: exitCodes.notEnoughShares,
  E_FILE: failure,
  E_FILE_CHANGED: failure,
  E_CACHE: integrity,
  E_EXISTS: failure,
  E_INTERRUPTED: exitCodes.interrupted,
  E_CONFIG: usage,
  E_NOT_INITIALISED: exitCodes.notInitialised,
  E_PERMISSIONS: failure,
  E_LOCKED: exitCodes.locked,
  E_PORT_TAKEN: failure,
  E_PASSPHRASE: exitCodes.wrongPassphrase,
  E_USAGE: usage,
  E_INTERNAL: failure,
}

/** The exit code for whatever a command threw. */
export function exitCodeFor(error: unknown): ExitCode {
  return isGridError(error) ? exitCodeOf[error.code] : failure
}
