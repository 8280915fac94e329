/**
 * What keeps shares alive at a server: holds of accounts, leases of those without one, and signed
 * releases (docs/specs/holds.md). `StoragePeer` extends it.
 *
 * A share stays while anyone holds it. Holds only grow, but for what a release takes away and what a
 * lease's end does; a share that nobody holds any more stays readable in quarantine for days, and
 * any touch takes it back.
 */
import type { SignedHeader } from '../log/entry.ts'
import type { RequestOptions, StorageIndex } from './request.ts'

/** Bytes of a token that `enter` gives, and of a nonce for it. */
export const accountTokenBytes = 16
export const enterNonceBytes = 32
/** Storage indexes in one `touch` or `renew`. */
export const maxTouchIndexes = 1024
/** Holds in one page of `listHolds`. */
export const maxListedHolds = 1024

/** Who enters: a log's admin, or a device that the admin has certified. */
export interface Credentials {
  /** The log's genesis: its hash is the account. */
  genesis: Uint8Array
  /** As `signCertificate` made it, of the key that signs; undefined for the admin's own key. */
  certificate: Uint8Array | undefined
  /** Ed25519 key that signs, 32 bytes. */
  key: Uint8Array
  /** Of `challenge`; each serves once. */
  nonce: Uint8Array
  /** Over `grid/v1/auth` ‖ server's peer id ‖ client's peer id ‖ nonce ‖ log id, by that key. */
  signature: Uint8Array
}

export interface Account {
  /** Names the account in later requests of the same client; lasts until the server restarts, an hour at least. */
  token: Uint8Array
  /** Bytes held, and bytes that may be held; undefined where there is no bound. */
  usedBytes: number
  quotaBytes: number | undefined
  /** Shares that the account holds which were found damaged there and taken out of service. */
  damagedCount: number
}

/**
 * What became of a storage index: `absent` no share of it is here; `held` it is held now, and was not
 * in danger; `readopted` it had been released, and is back.
 */
export type TouchOutcome = 'absent' | 'held' | 'readopted'

export interface ListHoldsRequest {
  /** Only storage indexes after this one; undefined from the first on. */
  after: StorageIndex | undefined
  /** 1 … 1,024. */
  limit: number
  /** `held`: what the account holds. `damaged`: of that, what scrubbing took out of service. */
  which: 'held' | 'damaged'
}

export interface ListedHold {
  storageIndex: StorageIndex
  /** By the server's clock. */
  touchedMs: number
  /** Bytes charged, all shares of this object here together. */
  chargedBytes: number
}

export interface ListHoldsReply {
  /** Ascending by storage index. */
  holds: ListedHold[]
  /** Whether nothing comes after them. */
  complete: boolean
}

/** A release (kind 5) as it stands in its author's chain, and what shows that the author may. */
export interface SignedRelease extends SignedHeader {
  genesis: Uint8Array
  /** Of the author; undefined for the admin. */
  certificate: Uint8Array | undefined
  /** `formatRelease`; a cutoff of 0 takes back what was released. */
  body: Uint8Array
}

export interface ReleaseReply {
  /** Holds that ended now, or came back for a cutoff of 0. */
  changed: number
  /** Holds that stay since they were touched at or after the cutoff. */
  kept: number
}

export interface HoldPeer {
  /** A fresh nonce for `enter`, good for a minute. @throws E_FORBIDDEN if no accounts are kept here */
  challenge(options?: RequestOptions): Promise<Uint8Array>

  /**
   * Opens an account. @throws E_FORBIDDEN for one that is not admitted or has ended, E_GENESIS,
   * E_CERTIFICATE, E_REVOKED, E_SIGNATURE, E_RATE
   */
  enter(credentials: Credentials, options?: RequestOptions): Promise<Account>

  /**
   * Holds, for `options.account`, each object of which shares are here, from now on by the server's
   * clock; without an account a lease of the asker's. Takes back what is in quarantine. Durable before
   * it answers. Idempotent. Needs PUT, RENEW or RELEASE. @throws E_FORBIDDEN (also for a token that is
   * not known any more: enter again), E_REVOKED, E_FULL beyond the quota, where too many hold it, or
   * where there is no space for holds, E_READ_ONLY, E_RATE, E_IO
   */
  touch(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]>

  /**
   * Prolongs every lease of each object, whoever's it is, to a full term from now; never shortens one, and
   * makes none. Anyone may. `held` if anyone holds it afterwards. @throws E_FULL, E_READ_ONLY, E_RATE, E_IO
   */
  renew(indexes: readonly StorageIndex[], options?: RequestOptions): Promise<TouchOutcome[]>

  /** What `options.account` holds, and nobody else's. @throws E_FORBIDDEN, E_REVOKED, E_RATE, E_IO */
  listHolds(request: ListHoldsRequest, options?: RequestOptions): Promise<ListHoldsReply>

  /**
   * Carries out a signed release, durably. Idempotent, by author and release seq: one that is not above
   * the last one carried out changes nothing. @throws E_ENTRY, E_GENESIS, E_CERTIFICATE, E_REVOKED,
   * E_SIGNATURE, E_READ_ONLY, E_RATE, E_IO
   */
  release(release: SignedRelease, options?: RequestOptions): Promise<ReleaseReply>
}
