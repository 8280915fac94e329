/**
 * What is said between a joiner and the node that invites it, `/grid/invite/1` (docs/specs/invite.md):
 * one verb, asked again and again until the inviter has decided.
 */
import type { CborValue } from '../base/cbor.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { parsePeerAddress } from '../base/multiaddr.ts'
import { publicKeyOf } from '../base/peer-id.ts'
import { arrayOf, bytesOf, demand, integerOf, labelOf, shapedAs, textOf } from '../log/shape.ts'
import { ticketBytes } from './invite-link.ts'
import { maxMemberCertificateBytes } from './member-certificate.ts'
import type { MembershipMode } from './membership.ts'

export const inviteProtocol = '/grid/invite/1'
export const joinVerb = 'join'
/** The longest that a `join` waits for the inviter. */
export const maxJoinWaitMs = 20_000
export const pskBytes = 32
const maxIntroducers = 16
const maxListed = 500
const maxTextChars = 400
const modes = ['open', 'list', 'signed'] as const satisfies readonly MembershipMode[]

export interface JoinRequest {
  ticket: Uint8Array
  /** What the joiner calls itself. */
  nickname: string
  /** 0 … 20,000: how long to wait while nothing is decided. */
  waitMs: number
}

/** What a joiner is given: all that it needs to take part. */
export interface Grant {
  gridName: string
  /** Addresses with /p2p. */
  introducers: readonly string[]
  mode: MembershipMode
  /** Of mode `signed`: 32 bytes, and the joiner's own certificate. */
  gridKey: Uint8Array | undefined
  certificate: Uint8Array | undefined
  /** Of mode `list`: peer ids, the joiner's among them. */
  listed: readonly string[]
  /** 32 bytes, where strangers cannot even connect. */
  psk: Uint8Array | undefined
  /** Whether announced addresses of private networks are to be believed. */
  allowPrivate: boolean
  /** Sum of bits of `memberKinds`: whether the joiner keeps shares, and whether it stores some. */
  kindBits: number
}

export function formatJoin({ ticket, nickname, waitMs }: JoinRequest): CborValue {
  return [ticket, nickname, waitMs]
}

/** Throws E_BAD_REQUEST. */
export function parseJoin(args: CborValue): JoinRequest {
  return shapedAs('E_BAD_REQUEST', 'request', () => {
    const [ticket, nickname, waitMs] = arrayOf(args, 3, 3)
    return {
      ticket: bytesOf(ticket, ticketBytes),
      nickname: labelOf(nickname),
      waitMs: integerOf(waitMs, 0, maxJoinWaitMs),
    }
  })
}

/** `[]` while nothing is decided. */
export function formatJoinReply(grant: Grant | undefined): CborValue {
  if (grant === undefined) return []
  const { gridName, introducers, mode, gridKey, certificate, listed, psk } = grant
  return [
    ...[1, gridName, [...introducers], modes.indexOf(mode)],
    ...[gridKey ?? none, certificate ?? none, [...listed], psk ?? none],
    ...[grant.allowPrivate ? 1 : 0, grant.kindBits],
  ]
}

/** Undefined while nothing is decided. Throws E_PROTOCOL. */
export function parseJoinReply(facts: CborValue): Grant | undefined {
  return shapedAs('E_PROTOCOL', 'answer of the inviter', () => {
    if (Array.isArray(facts) && facts.length === 0) return undefined
    const grant = toGrant(facts)
    const isSigned = grant.mode === 'signed'
    demand((grant.gridKey !== undefined) === isSigned, 'a grid key for the wrong mode')
    demand((grant.certificate !== undefined) === isSigned, 'a certificate for the wrong mode')
    return grant
  })
}

function toGrant(facts: CborValue): Grant {
  const [version, gridName, introducers, mode, gridKey, certificate, ...more] = arrayOf(
    facts,
    10,
    10,
  )
  const [listed, psk, allowPrivate, kindBits] = more
  integerOf(version, 1, 1)
  return {
    gridName: labelOf(gridName),
    introducers: textsOf(introducers, maxIntroducers, (text) => parsePeerAddress(text)),
    mode: modes[integerOf(mode, 0, modes.length - 1)],
    gridKey: orNone(gridKey, publicKeyBytes, publicKeyBytes),
    certificate: orNone(certificate, 1, maxMemberCertificateBytes),
    listed: textsOf(listed, maxListed, publicKeyOf),
    psk: orNone(psk, pskBytes, pskBytes),
    allowPrivate: integerOf(allowPrivate, 0, 1) === 1,
    kindBits: integerOf(kindBits, 1, 3),
  }
}

const none = new Uint8Array(0)

/** Bytes of a length from `min` to `max`, or none at all. */
function orNone(value: CborValue, min: number, max: number): Uint8Array | undefined {
  const bytes = bytesOf(value, 0, max)
  return bytes.length === 0 ? undefined : bytesOf(bytes, min, max)
}

/** Texts of which each means something. */
function textsOf(
  value: CborValue,
  most: number,
  meaning: (text: string) => unknown,
): readonly string[] {
  return arrayOf(value, 0, most).map((item) => {
    const text = textOf(item, maxTextChars)
    demand(meaning(text) !== undefined, 'a text of another form')
    return text
  })
}
