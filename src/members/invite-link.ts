/**
 * An invitation in one line (docs/specs/invite.md, "Link"): where the inviter is reached, who it is,
 * and a ticket that is good once.
 *
 *     grid-invite:1:192.0.2.1/7780,dns4/a.example/7780:12D3KooW…:ticket:check
 */
import { base32Length, fromBase32, toBase32 } from '../base/base32.ts'
import { utf8 } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'
import { taggedHash } from '../base/hash.ts'
import { parseTcpAddress } from '../base/multiaddr.ts'
import type { PeerTarget } from '../base/net.ts'
import { publicKeyOf } from '../base/peer-id.ts'
import { tags } from '../caps/keys.ts'

export interface InviteLink {
  /** The node that invites: the joiner talks to nobody else. */
  inviter: PeerTarget
  /** 16 bytes, uniformly random. */
  ticket: Uint8Array
}

export const ticketBytes = 16
export const maxLinkAddresses = 3
/** Longest text that is looked at: white space may stand in it. */
export const maxLinkChars = 1200
const checkChars = 6
const prefix = 'grid-invite:1'

/** What is kept of a ticket: it does not lead back to it. */
export function ticketHashOf(ticket: Uint8Array): Uint8Array {
  return taggedHash(tags.inviteTicket, ticket)
}

/** Throws a RangeError for a ticket or addresses that no link may have. */
export function formatInviteLink({ inviter, ticket }: InviteLink): string {
  const places = inviter.addresses.map(placeOf)
  if (ticket.length !== ticketBytes) throw new RangeError('invite link: the ticket needs 16 bytes')
  if (places.length === 0 || places.length > maxLinkAddresses || places.includes(undefined)) {
    throw new RangeError('invite link: 1 to 3 TCP addresses are needed')
  }
  const body = [prefix, places.join(','), inviter.id, toBase32(ticket)].join(':')
  return `${body}:${checkOf(body)}`
}

/** Reads a link; white space in it does not matter, since terminals and mails break lines. Throws E_USAGE. */
export function parseInviteLink(text: string): InviteLink {
  if (text.length > maxLinkChars) throw wrong('it is too long')
  const link = text.replace(/\s+/g, '')
  const fields = link.split(':')
  const [scheme, version, places = '', id = '', ticketText = '', check = ''] = fields
  if (scheme !== 'grid-invite') throw wrong('it does not begin with grid-invite:')
  if (version !== '1') throw wrong('it is of a newer version of grid')
  if (fields.length !== 6) throw wrong('a part of it is missing')
  if (check !== checkOf(fields.slice(0, 5).join(':'))) throw wrong('a character of it is wrong')
  const addresses = places.split(',').map(addressOf)
  const ticket =
    ticketText.length === base32Length(ticketBytes) ? fromBase32(ticketText) : undefined
  if (ticket === undefined || ticketText !== ticketText.toLowerCase()) throw wrong('no ticket')
  if (addresses.length > maxLinkAddresses || !addresses.every((each) => each !== undefined)) {
    throw wrong('an address in it is none')
  }
  if (publicKeyOf(id) === undefined) throw wrong('it names no node')
  return { inviter: { id, addresses }, ticket }
}

/** `/ip4/192.0.2.1/tcp/7780` as `192.0.2.1/7780`; other kinds keep their name, `ip6/2001-db8--1/7780`. */
function placeOf(address: string): string | undefined {
  const parsed = parseTcpAddress(address)
  if (parsed === undefined || parsed.peerId !== undefined || parsed.port === 0) return undefined
  const { kind, host, port } = parsed
  return kind === 'ip4' ? `${host}/${port}` : `${kind}/${host.replaceAll(':', '-')}/${port}`
}

/** The inverse; undefined for what `placeOf` does not give. */
function addressOf(place: string): string | undefined {
  const [port = '', host = '', kind = 'ip4', ...more] = place.split('/').reverse()
  const plain = kind === 'ip6' ? host.replaceAll('-', ':') : host
  const address = `/${kind}/${plain}/tcp/${port}`
  return more.length === 0 && placeOf(address) === place ? address : undefined
}

function checkOf(body: string): string {
  return toBase32(taggedHash(tags.inviteLink, utf8(body))).slice(0, checkChars)
}

function wrong(why: string): GridError {
  return new GridError('E_USAGE', `that is not an invitation: ${why}`, {
    hint: 'copy the whole line that grid invite printed, from grid-invite: on',
  })
}
