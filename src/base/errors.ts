/**
 * Facts of the world, as errors. Mistakes of a programmer are TypeError and RangeError instead.
 *
 * Codes are append-only: they cross the wire and users' scripts read them.
 */
export type ErrorCode =
  // capabilities
  | 'E_CAP_SYNTAX' // not the form of a cap at all
  | 'E_CAP_TYPE' // a type this version does not know
  | 'E_CAP_CHECK' // check characters do not match: mistyped or cut
  | 'E_CAP_FIELD' // a field is out of range, of wrong length or not canonical
  | 'E_CAP_TAHOE' // a Tahoe-LAFS cap
  | 'E_CAP_WEAK' // the cap does not hold the right that is asked for
  // formats
  | 'E_CBOR' // not canonical CBOR within bounds
  | 'E_DESCRIPTOR' // malformed object descriptor, or not the one of this root
  | 'E_SHARE' // malformed share header, or not of this object
  | 'E_BLOCK' // a block that does not match its leaf
  | 'E_ENCODING' // k verified blocks give a wrong segment: the uploader was malformed
  | 'E_COMMIT' // the key is not the one this stream was sealed with
  | 'E_NODE' // malformed tree node
  | 'E_SIZE' // an object too short for the size that its cap or its row gives
  // a storage server's answers
  | 'E_ABSENT' // no such share here
  | 'E_FULL' // no space beyond the reserve, or quota used
  | 'E_READ_ONLY' // takes no new shares
  | 'E_BUSY' // too much under way: try again later
  | 'E_RATE' // too many requests of this kind
  | 'E_BAD_REQUEST' // arguments of the wrong shape or range
  | 'E_UNKNOWN_VERB' // this version does not know the verb
  | 'E_TOO_LARGE' // a frame, head or body beyond its limit
  | 'E_IO' // the disk failed
  | 'E_FORBIDDEN' // not for this client
  // the network
  | 'E_UNREACHABLE' // no connection could be made
  | 'E_TIMEOUT' // no answer, or no progress, before the deadline
  | 'E_PROTOCOL' // the other side broke the protocol
  | 'E_VERSION' // no protocol version or suite in common, or a format later than this version reads
  | 'E_CLOSED' // the connection ended
  | 'E_ANNOUNCEMENT' // malformed, expired or badly signed announcement
  | 'E_INVITE' // no such invitation, or one that is used, expired, revoked or refused
  // logs
  | 'E_GENESIS' // malformed genesis, or not the one of this log
  | 'E_ENTRY' // malformed or foreign log entry, or a body that is not its own
  | 'E_LINK' // an entry that does not follow the one before it
  | 'E_SIGNATURE' // not signed by whom it names
  | 'E_CERTIFICATE' // no certificate, or a malformed one, or one without that right
  | 'E_REVOKED' // after the last entry that a revocation lets stand
  | 'E_RECEIPT' // malformed receipt, or not of this entry
  | 'E_SEAL' // a sealed body that this key does not open
  | 'E_FORKED' // two entries of one author with one number
  | 'E_TRUNCATED' // entries that are proven to exist are withheld
  | 'E_NOT_DURABLE' // written, but on fewer servers than a quorum
  // a client's work
  | 'E_NOT_ENOUGH_SERVERS'
  | 'E_NOT_ENOUGH_SHARES'
  | 'E_FILE' // a local file cannot be read or written
  | 'E_FILE_CHANGED' // it changed while it was read
  | 'E_CACHE' // what a backup remembers between runs is damaged
  | 'E_EXISTS' // the target exists already
  | 'E_INTERRUPTED'
  // a home and its node
  | 'E_CONFIG'
  | 'E_NOT_INITIALISED'
  | 'E_PERMISSIONS' // private files open to others
  | 'E_LOCKED' // another process holds the home
  | 'E_PORT_TAKEN'
  | 'E_PASSPHRASE' // it does not open what it should
  | 'E_USAGE'
  | 'E_INTERNAL'

/** Typed facts that go with an error: plain data, fit for JSON, never a secret. */
export type ErrorFacts = Readonly<Record<string, unknown>>

export interface GridErrorOptions {
  /** What to do about it, one line. */
  hint?: string
  facts?: ErrorFacts
  cause?: unknown
}

/** A fact of the world that stops an operation. `message` is one line and holds no secret. */
export class GridError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, options: GridErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GridError'
    this.code = code
    this.hint = options.hint
    this.facts = options.facts ?? {}
  }
}

/** True for a GridError, of one of `codes` if any are given. */
export function isGridError(error: unknown, ...codes: ErrorCode[]): error is GridError {
  return error instanceof GridError && (codes.length === 0 || codes.includes(error.code))
}

/** Wraps whatever was thrown in a GridError of `code`, unless it is one already. */
export function asGridError(error: unknown, code: ErrorCode, context: string): GridError {
  if (error instanceof GridError) return error
  return new GridError(code, `${context}: ${errorText(error)}`, { cause: error })
}

/** What was thrown, in one line; of an error of the system what it means, without the call that met it. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [line] = error.message.split('\n', 1)
  return /^E[A-Z0-9]+: (.+?), [a-z]+( '.*)?$/.exec(line)?.[1] ?? line
}
