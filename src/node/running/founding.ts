/** What the home that holds the grid key does beyond others: it makes members, itself first. */
import path from 'node:path'
import { equalBytes } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { publicKeyOfSeed } from '../../base/ed25519.ts'
import { GridError } from '../../base/errors.ts'
import type { KeptAt } from '../../base/kept-file.ts'
import { MemberBook } from '../../members/member-book.ts'
import { memberKinds, readMemberCertificate } from '../../members/member-certificate.ts'
import type { Config } from '../home/config.ts'
import { type GridMembership, writeOwnCertificate } from '../home/grid-membership.ts'
import type { Home, Secrets } from '../home/home.ts'

const dayMs = 24 * 3600 * 1000
/** How long a member is one, unless its invitation says otherwise. */
export const defaultMemberMs: number = 3650 * dayMs
/** Its own certificate is made anew this long before it ends. */
const renewMs = 30 * dayMs

/**
 * Opens the book of members where the home holds the grid key, and sees to it that this node is one.
 *
 * @returns undefined where it does not hold the key
 * @throws E_CONFIG for the key of another grid, or a damaged book; E_IO
 */
export async function openFounding(
  parts: { home: Home; config: Config; secrets: Secrets; clock: Clock; disk: Disk },
  member: GridMembership,
): Promise<MemberBook | undefined> {
  const { home, config, secrets, clock, disk } = parts
  const { gridSeed } = secrets
  const { revocations } = member
  if (gridSeed === undefined || revocations === undefined) return undefined
  if (!equalBytes(publicKeyOfSeed(gridSeed), config.grid.key!)) {
    throw new GridError('E_CONFIG', 'private/grid-key is not the key of grid.key', {
      hint: 'put the public key back that grid introducer init wrote, or move the file away',
    })
  }
  const keptAt = memberBookAt(home, disk)
  const book = await MemberBook.open({ keptAt, gridSeed, clock, revocations })
  for (const each of book.list()) member.met?.meet(each)
  if (isGood(member, config.grid.key!, clock.nowMs() + renewMs)) return book
  member.certificate = await book.issue({
    name: config.node.nickname === '' ? 'founder' : config.node.nickname,
    kindBits: memberKinds.server + memberKinds.client,
    publicKey: publicKeyOfSeed(secrets.identitySeed),
    quotaBytes: 0,
    notAfterMs: clock.nowMs() + defaultMemberMs,
  })
  await writeOwnCertificate(home, disk, member.certificate)
  return book
}

/** Where the book of members of a home lies. */
export function memberBookAt(home: Home, disk: Disk): KeptAt {
  return { disk, path: path.join(home.private, 'members') }
}

/** Whether the own certificate lasts until then. Whoever has put itself out may come in again: it has the key. */
function isGood(
  { certificate, revocations }: GridMembership,
  gridId: Uint8Array,
  untilMs: number,
): boolean {
  if (certificate === undefined) return false
  try {
    const { notAfterMs, serial } = readMemberCertificate(certificate, gridId)
    return notAfterMs > untilMs && revocations?.isRevoked(serial) !== true
  } catch {
    return false
  }
}
