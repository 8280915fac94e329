/** When memberships end: this home's own, and those that it gave to others if it founded the grid. */
import { equalBytes, toHex } from '../base/bytes.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { type Member, readMembers, unspreadOf } from '../members/member-book.ts'
import { readMemberCertificate } from '../members/member-certificate.ts'
import { graceMs } from '../members/membership.ts'
import type { Config } from '../node/home/config.ts'
import { type GridMembership, openMembership } from '../node/home/grid-membership.ts'
import { openHome } from '../node/home/home.ts'
import { memberBookAt } from '../node/running/founding.ts'
import type { Context } from './command.ts'
import { type End, soonMs, termOf, termText } from './end-item.ts'

/** Names that a line has, and members that are listed for a program. */
const maxNames = 5
const maxListed = 20

/** None where nobody needs a certificate. @throws E_CONFIG for a file that is damaged, E_IO */
export async function memberEnds(context: Context, config: Config): Promise<End[]> {
  const { key, membership } = config.grid
  if (membership !== 'signed' || key === undefined) return []
  const { home, world, trace } = context
  const { clock, disk } = world
  const { gridSeed, identitySeed } = await openHome(home)
  const own = await openMembership({ home, config, clock, disk, trace })
  const nowMs = clock.nowMs()
  const ends = [ownEnd(own, key, nowMs, gridSeed !== undefined)]
  if (gridSeed === undefined) return ends
  const members = await readMembers(memberBookAt(home, disk))
  ends.push(...givenEnds(members, publicKeyOfSeed(identitySeed), nowMs))
  const unspread = own.revocations && unspreadOf(members, own.revocations).length
  if (unspread) ends.push(halfRevoked(unspread))
  return ends
}

function ownEnd(
  { certificate, revocations }: GridMembership,
  key: Uint8Array,
  nowMs: number,
  isFounder: boolean,
): End {
  const next = isFounder
    ? 'start the node of this home again: it makes a new one'
    : 'ask for an invitation, then: grid join --replace LINK'
  if (certificate === undefined) {
    const text = 'member: this home has no certificate of the grid'
    return { what: 'member', state: 'never worked', endsAtMs: null, days: null, text, next }
  }
  const { notAfterMs, serial } = readMemberCertificate(certificate, key)
  if (revocations?.isRevoked(serial) === true) {
    const text = "member: the membership of this home was revoked by the grid's owner"
    return { what: 'member', state: 'degraded', endsAtMs: null, days: null, text, next }
  }
  const term = termOf(notAfterMs, nowMs)
  const text = `member: the certificate of this home ${termText(term)}`
  return { what: 'member', ...term, text, next }
}

/** Of each member's newest certificate. Those that may not even read any more are no loss any more. */
function givenEnds(all: readonly Member[], ownKey: Uint8Array, nowMs: number): End[] {
  const newest = new Map<string, Member>()
  for (const member of all) {
    if (member.isRevoked || equalBytes(member.publicKey, ownKey)) continue
    const known = newest.get(toHex(member.publicKey))
    if (known === undefined || known.serial < member.serial)
      newest.set(toHex(member.publicKey), member)
  }
  const members = [...newest.values()]
    .filter(({ notAfterMs }) => notAfterMs + graceMs > nowMs)
    .sort((a, b) => a.notAfterMs - b.notAfterMs)
  const [first] = members
  if (first === undefined) return []
  const soon = members.filter(({ notAfterMs }) => notAfterMs <= nowMs + soonMs)
  const term = termOf(first.notAfterMs, nowMs)
  const named = soon.slice(0, maxNames).map(({ name }) => name)
  const others = soon.length > maxNames ? ` and ${soon.length - maxNames} more` : ''
  const who = soon.length === 0 ? '' : `; within 60 days: ${named.join(', ')}${others}`
  return [
    {
      ...{ what: 'members', ...term },
      text: `members: of ${members.length} certificates that were given the first ${termText(term)}${who}`,
      next: `grid invite --name NAME, for each, who then runs: grid join --replace LINK`,
      facts: {
        given: members.length,
        soon: soon.length,
        members: soon.slice(0, maxListed).map(({ name, serial, notAfterMs }) => {
          const { endsAtMs, days } = termOf(notAfterMs, nowMs)
          return { name, serial, endsAtMs, days }
        }),
      },
    },
  ]
}

function halfRevoked(count: number): End {
  return {
    ...{ what: 'revocation', state: 'degraded', endsAtMs: null, days: null },
    text: `revocation: ${count} certificates were revoked here, and no list says so yet`,
    next: 'start the node of this home again: it spreads the list',
  }
}
