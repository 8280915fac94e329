/**
 * Whom a storage server lets in, and on what terms (docs/specs/membership.md, "Admission").
 *
 * A server asks it for each request of a peer: `src/members/membership.ts` decides it for grids with
 * members, `openAdmission` for all others. Quota and dates are kept to by whoever keeps the holds:
 *
 * - bytes of all holds and leases with one `payer` count together against its `quotaBytes`; without
 *   a payer each account, and each peer without an account, pays for itself, without a bound of ours;
 * - from `readOnlyAfterMs` on the member may put, touch and append nothing (the gate in
 *   `member-gate.ts` sees to it); its holds stay;
 * - from `purgeAfterMs` on, 90 days later, its holds may end, if the operator wants it. Nothing does
 *   so by itself.
 */
import type { GridError } from '../base/errors.ts'

/** What a member may. */
export interface Terms {
  /** Public key of the member whose quota it is, 32 bytes; undefined where nobody's is. */
  payer: Uint8Array | undefined
  /** Bytes that all holds of this payer may take here; undefined for no bound. */
  quotaBytes: number | undefined
  /** Wall time of the end of its contract; undefined for none. */
  readOnlyAfterMs: number | undefined
  /** Wall time from which an operator may end its holds; undefined for never. */
  purgeAfterMs: number | undefined
}

export type Verdict = ({ admitted: true } & Terms) | { admitted: false; why: GridError }

/** What is asked: to read what is there, or to add to it. */
export type Wish = 'read' | 'write'

export interface Admission {
  /**
   * Whether `client` may do it now, and on what terms.
   *
   * @param client - peer id that the carrier has authenticated; undefined for this machine's own
   *   commands, which are always admitted
   * @param account - log id of the account that it has entered, if it has: who pays is the client
   *   that entered, not the account
   */
  admit(client: string | undefined, wish: Wish, account?: Uint8Array): Verdict

  /**
   * Takes the certificate that `client` shows; later calls of `admit` know it.
   *
   * @throws E_CERTIFICATE for one that is malformed, expired, of another grid or of another peer;
   *   E_REVOKED
   */
  show(client: string | undefined, certificate: Uint8Array): void

  /** The newest terms that are known of a payer, also while it is away; undefined for a stranger. */
  termsOf(payer: Uint8Array): Terms | undefined
}

/** Nobody in particular: without a bound, without an end. */
export const freeTerms: Terms = {
  payer: undefined,
  quotaBytes: undefined,
  readOnlyAfterMs: undefined,
  purgeAfterMs: undefined,
}

/** Admits everyone. */
export const openAdmission: Admission = {
  admit: () => ({ admitted: true, ...freeTerms }),
  show: () => {},
  termsOf: () => undefined,
}
