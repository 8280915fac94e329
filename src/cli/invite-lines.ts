/** How invitations and members look on a terminal, and in JSON. */
import { formatByteSize } from '../base/byte-size.ts'
import { peerIdOf } from '../base/peer-id.ts'
import type { InviteReport } from '../node/running/control-messages.ts'
import type { Member } from '../members/member-book.ts'
import { memberKinds } from '../members/member-certificate.ts'
import type { Facts } from './output.ts'

/** `server`, `client`, or `server and client`. */
export function kindsOf(kindBits: number): string {
  const kinds = Object.entries(memberKinds).filter(([, bit]) => (kindBits & bit) !== 0)
  return kinds.map(([kind]) => kind).join(' and ')
}

export function inviteFacts(invite: InviteReport, nowMs: number): Facts {
  const { name, kindBits, quotaBytes, expiresAtMs, joiner, words } = invite
  return {
    name,
    state: stateOf(invite, nowMs),
    kinds: kindsOf(kindBits),
    quotaBytes,
    expires: timeOf(expiresAtMs),
    joiner: joiner ?? null,
    words: words ?? null,
  }
}

export function inviteLine(invite: InviteReport, nowMs: number): string {
  const { name, kindBits, expiresAtMs, joiner, words } = invite
  const called = joiner?.nickname === '' ? 'a machine without a name' : joiner?.nickname
  const who = joiner === undefined ? '' : `  ${called} from ${joiner.address}: ${words}`
  const until = timeOf(expiresAtMs).slice(0, 16).replace('T', ' ')
  return `${name}  ${stateOf(invite, nowMs)}  ${kindsOf(kindBits)}  until ${until}${who}`
}

export function memberFacts(member: Member): Facts {
  const { serial, name, kindBits, publicKey, quotaBytes, notAfterMs, isRevoked } = member
  return {
    ...{ serial, name, kinds: kindsOf(kindBits), peerId: peerIdOf(publicKey), quotaBytes },
    ...{ until: timeOf(notAfterMs), revoked: isRevoked },
  }
}

export function memberLine(member: Member, nowMs: number): string {
  const { serial, name, kindBits, publicKey, quotaBytes, notAfterMs, isRevoked } = member
  const quota = quotaBytes === 0 ? 'no bound' : formatByteSize(quotaBytes)
  const until = timeOf(notAfterMs).slice(0, 10)
  const end = notAfterMs <= nowMs ? `ended ${until}` : `until ${until}`
  const what = isRevoked ? 'revoked' : end
  return `${name}  ${kindsOf(kindBits)}  ${quota}  ${what}  ${serial}  ${peerIdOf(publicKey)}`
}

function stateOf({ state, expiresAtMs }: InviteReport, nowMs: number): string {
  const isOpen = state === 'open' || state === 'asked'
  return isOpen && expiresAtMs <= nowMs ? 'expired' : state
}

function timeOf(ms: number): string {
  return new Date(Math.min(ms, 8.64e15)).toISOString()
}
