/**
 * Who may take part in a grid, by its mode (docs/specs/membership.md): anybody, the peers of a list,
 * or whoever shows a certificate of the grid key. One object decides for both sides: whom a server
 * admits, and where a client uploads to.
 */
import { equalBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { publicKeyOf } from '../base/peer-id.ts'
import { toHex } from '../base/bytes.ts'
import {
  type Admission,
  freeTerms,
  type Terms,
  type Verdict,
  type Wish,
} from '../storage/admission.ts'
import {
  isOfKind,
  type MemberCertificate,
  type MemberKind,
  readMemberCertificate,
} from './member-certificate.ts'
import { MembersMet } from './members-met.ts'
import type { Revocations } from './revocations.ts'

export type MembershipMode = 'open' | 'list' | 'signed'

/** How long a member whose time is over may read, and its holds stay. */
export const graceMs: number = 90 * 24 * 3600 * 1000

export interface MembershipOptions {
  mode: MembershipMode
  clock: Clock
  /** Peer ids of the members; of mode `list`. */
  listed?: ReadonlySet<string>
  /** The grid key's public half, 32 bytes; of mode `signed`. */
  gridId?: Uint8Array
  /** What is known to be revoked; of mode `signed`. */
  revocations?: Pick<Revocations, 'isRevoked'>
  /** What is remembered of members; as long as the process unless told. */
  met?: MembersMet
}

export class Membership implements Admission {
  readonly mode: MembershipMode
  readonly #clock: Clock
  readonly #listed: Set<string>
  readonly #gridId: Uint8Array
  readonly #revocations: Pick<Revocations, 'isRevoked'>
  readonly #met: MembersMet
  /** Of each member the newest certificate that was shown, by its key in hex: as many as the grid key signed. */
  readonly #shown = new Map<string, MemberCertificate>()
  /** What came of certificates that were looked into, good or not: servers are asked about for every object. */
  readonly #read = new WeakMap<Uint8Array, MemberCertificate | GridError>()

  /** Throws a TypeError for mode `signed` without a grid key. */
  constructor(options: MembershipOptions) {
    const { mode, gridId } = options
    if (mode === 'signed' && gridId === undefined) throw new TypeError('membership: no grid key')
    this.mode = mode
    this.#clock = options.clock
    this.#listed = new Set(options.listed)
    this.#gridId = gridId ?? new Uint8Array(0)
    const revocations = options.revocations ?? { isRevoked: () => false }
    this.#revocations = revocations
    const isRevoked = (serial: number): boolean => revocations.isRevoked(serial)
    this.#met = options.met ?? new MembersMet({ clock: options.clock, isRevoked })
  }

  /** Adds a peer to the list, of mode `list`. */
  list(id: string): void {
    this.#listed.add(id)
  }

  /** Peer ids of the list. */
  listed(): string[] {
    return [...this.#listed]
  }

  admit(client: string | undefined, wish: Wish): Verdict {
    if (client === undefined || this.mode === 'open') return { admitted: true, ...freeTerms }
    if (this.mode === 'list') {
      return this.#listed.has(client)
        ? { admitted: true, ...freeTerms }
        : { admitted: false, why: stranger() }
    }
    const key = publicKeyOf(client)
    const certificate = key && this.#shown.get(toHex(key))
    if (certificate === undefined) return { admitted: false, why: stranger() }
    const why = this.#refusal(certificate, wish === 'write' ? 'client' : undefined)
    if (why !== undefined) return { admitted: false, why }
    return { admitted: true, ...termsOf(certificate) }
  }

  show(client: string | undefined, bytes: Uint8Array): void {
    if (client === undefined || this.mode !== 'signed') return
    const certificate = this.#certificateOf(client, bytes)
    // also one that has ended: when it did is what its holds depend on
    this.#met.meet(certificate)
    const why = this.#refusal(certificate, undefined)
    if (why !== undefined) throw why
    const key = toHex(certificate.publicKey)
    const known = this.#shown.get(key)
    if (known === undefined || known.serial < certificate.serial) this.#shown.set(key, certificate)
  }

  termsOf(payer: Uint8Array): Terms | undefined {
    this.#met.noteRevoked()
    const member = this.#met.get(payer)
    if (member === undefined) return undefined
    const { notAfterMs, revokedMs } = member
    const endMs = revokedMs === 0 ? notAfterMs : Math.min(notAfterMs, revokedMs)
    return termsOf({ ...member, notAfterMs: endMs })
  }

  /**
   * Why nothing may be uploaded to a server; undefined if it may. Any server may be read from, since
   * what it says is verified.
   *
   * @param certificate - what it announced; undefined for none
   */
  serverRefusal(id: string, certificate: Uint8Array | undefined): GridError | undefined {
    if (this.mode === 'open') return undefined
    if (this.mode === 'list') {
      if (this.#listed.has(id)) return undefined
      return new GridError('E_FORBIDDEN', 'the server is not in the list of members')
    }
    if (certificate === undefined) {
      return new GridError('E_CERTIFICATE', 'the server shows no certificate of this grid')
    }
    try {
      return this.#refusal(this.#certificateOf(id, certificate), 'server')
    } catch (error) {
      if (error instanceof GridError) return error
      throw error
    }
  }

  #certificateOf(id: string, bytes: Uint8Array): MemberCertificate {
    const read = this.#read.get(bytes) ?? this.#readAnew(bytes)
    if (read instanceof GridError) throw read
    const key = publicKeyOf(id)
    if (key !== undefined && equalBytes(key, read.publicKey)) return read
    throw new GridError('E_CERTIFICATE', 'the certificate is that of another node')
  }

  #readAnew(bytes: Uint8Array): MemberCertificate | GridError {
    let read: MemberCertificate | GridError
    try {
      read = readMemberCertificate(bytes, this.#gridId)
    } catch (error) {
      if (!(error instanceof GridError)) throw error
      read = error
    }
    this.#read.set(bytes, read)
    return read
  }

  /** Why a certificate does not give the right to act as `kind`; for undefined, to read. */
  #refusal(certificate: MemberCertificate, kind: MemberKind | undefined): GridError | undefined {
    const { serial, notAfterMs } = certificate
    if (this.#revocations.isRevoked(serial)) {
      return new GridError('E_REVOKED', `membership ${serial} was revoked by the grid's owner`, {
        facts: { serial },
      })
    }
    const endMs = kind === undefined ? notAfterMs + graceMs : notAfterMs
    if (this.#clock.nowMs() >= endMs) return expired(serial, notAfterMs)
    if (kind === undefined || isOfKind(certificate, kind)) return undefined
    const other = kind === 'client' ? 'stores nothing' : 'keeps no shares for others'
    return new GridError('E_FORBIDDEN', `membership ${serial} is that of a node that ${other}`)
  }
}

function termsOf({
  publicKey,
  quotaBytes,
  notAfterMs,
}: Pick<MemberCertificate, 'publicKey' | 'quotaBytes' | 'notAfterMs'>): Terms {
  return {
    payer: publicKey,
    quotaBytes: quotaBytes === 0 ? undefined : quotaBytes,
    readOnlyAfterMs: notAfterMs,
    purgeAfterMs: notAfterMs + graceMs,
  }
}

function stranger(): GridError {
  return new GridError(
    'E_FORBIDDEN',
    'this grid is for its members only: ask one for an invitation, then run: grid join',
  )
}

/** The text crosses the wire, so what to do about it is in it. */
function expired(serial: number, notAfterMs: number): GridError {
  const day = new Date(Math.min(notAfterMs, 8.64e15)).toISOString().slice(0, 10)
  return new GridError(
    'E_CERTIFICATE',
    `membership ${serial} ended on ${day}: ask for a new invitation, then run: grid join`,
    { facts: { serial, notAfterMs } },
  )
}
