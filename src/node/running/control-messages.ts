/** What is said over a node's socket about invitations and members, both ways. */
import type { CborValue } from '../../base/cbor.ts'
import { type Invite, inviteStates, type Joiner } from '../../members/invite-book.ts'
import type { Member } from '../../members/member-book.ts'
import { arrayOf, bytesOf, integerOf, labelOf, shapedAs, textOf } from '../../log/shape.ts'
import type { InviteRequest } from './invites.ts'

/** An invitation as its owner sees it. */
export interface InviteReport extends Omit<Invite, 'ticketHash' | 'certificate'> {
  /** To compare with those that the joiner sees; undefined before one came. */
  words: string | undefined
}

const maxInvites = 1000
const maxMembers = 10_000

export function formatRequest(request: InviteRequest): CborValue {
  const { name, kindBits, quotaBytes, memberMs, lifetimeMs, approvesItself, addresses } = request
  return [
    ...[name, kindBits, quotaBytes, memberMs, lifetimeMs],
    ...[approvesItself ? 1 : 0, [...addresses]],
  ]
}

/** Throws E_BAD_REQUEST. */
export function parseRequest(args: CborValue): InviteRequest {
  return shapedAs('E_BAD_REQUEST', 'request', () => {
    const [name, kinds, quota, memberMs, lifetimeMs, itself, addresses] = arrayOf(args, 7, 7)
    return {
      name: labelOf(name),
      kindBits: integerOf(kinds, 1, 3),
      quotaBytes: integerOf(quota, 0),
      memberMs: integerOf(memberMs, 1),
      lifetimeMs: integerOf(lifetimeMs, 1),
      approvesItself: integerOf(itself, 0, 1) === 1,
      addresses: arrayOf(addresses, 0, 16).map((address) => textOf(address, 400)),
    }
  })
}

export function formatInvite(report: InviteReport): CborValue {
  const { name, kindBits, quotaBytes, memberMs, approvesItself, joiner, words } = report
  return [
    ...[name, kindBits, quotaBytes, memberMs, approvesItself ? 1 : 0, report.expiresAtMs],
    ...[inviteStates.indexOf(report.state), words ?? ''],
    joiner === undefined ? [] : [joiner.id, joiner.nickname, joiner.address],
  ]
}

export function formatInvites(reports: readonly InviteReport[]): CborValue {
  return reports.map(formatInvite)
}

/** Throws E_PROTOCOL. */
export function parseInvites(facts: CborValue): InviteReport[] {
  return shapedAs('E_PROTOCOL', 'answer of the node', () =>
    arrayOf(facts, 0, maxInvites).map(readInvite),
  )
}

/** Throws E_PROTOCOL. */
export function parseInvite(facts: CborValue): InviteReport {
  return shapedAs('E_PROTOCOL', 'answer of the node', () => readInvite(facts))
}

function readInvite(row: CborValue): InviteReport {
  const [name, kinds, quota, memberMs, itself, expiresAtMs, state, words, joiner] = arrayOf(
    row,
    9,
    9,
  )
  return {
    name: labelOf(name),
    kindBits: integerOf(kinds, 1, 3),
    quotaBytes: integerOf(quota, 0),
    memberMs: integerOf(memberMs, 1),
    approvesItself: integerOf(itself, 0, 1) === 1,
    expiresAtMs: integerOf(expiresAtMs, 0),
    state: inviteStates[integerOf(state, 0, inviteStates.length - 1)],
    words: words === '' ? undefined : labelOf(words),
    joiner: readJoiner(arrayOf(joiner, 0, 3)),
  }
}

function readJoiner(fields: readonly CborValue[]): Joiner | undefined {
  if (fields.length === 0) return undefined
  const [id, nickname, address] = fields
  return { id: textOf(id, 64), nickname: labelOf(nickname), address: textOf(address, 400) }
}

export function formatMembers(members: readonly Member[]): CborValue {
  return members.map(({ serial, name, kindBits, publicKey, quotaBytes, notAfterMs, isRevoked }) => [
    ...[serial, name, kindBits, publicKey],
    ...[quotaBytes, notAfterMs, isRevoked ? 1 : 0],
  ])
}

/** Throws E_PROTOCOL. */
export function parseMembers(facts: CborValue): Member[] {
  return shapedAs('E_PROTOCOL', 'answer of the node', () =>
    arrayOf(facts, 0, maxMembers).map((row) => {
      const [serial, name, kinds, publicKey, quota, notAfterMs, revoked] = arrayOf(row, 7, 7)
      return {
        serial: integerOf(serial, 1),
        name: labelOf(name),
        kindBits: integerOf(kinds, 1, 3),
        publicKey: bytesOf(publicKey, 32),
        quotaBytes: integerOf(quota, 0),
        notAfterMs: integerOf(notAfterMs, 1),
        isRevoked: integerOf(revoked, 0, 1) === 1,
      }
    }),
  )
}
