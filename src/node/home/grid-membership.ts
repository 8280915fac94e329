/** How a home takes part in its grid: whom it admits, what it shows of itself, who is revoked. */
import path from 'node:path'
import { fromBase32, toBase32 } from '../../base/base32.ts'
import { utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { GridError } from '../../base/errors.ts'
import { readKept, replaceKept } from '../../base/kept-file.ts'
import type { Trace } from '../../base/trace.ts'
import { maxMemberCertificateBytes } from '../../members/member-certificate.ts'
import { MembersMet } from '../../members/members-met.ts'
import { Membership } from '../../members/membership.ts'
import { Revocations } from '../../members/revocations.ts'
import type { Config } from './config.ts'
import type { Home } from './home.ts'

export interface GridMembership {
  membership: Membership
  /** This node's own, as it is shown; undefined where there is none. */
  certificate: Uint8Array | undefined
  /** Of a grid with certificates. */
  revocations: Revocations | undefined
  /** Members that it has met, of such a grid. */
  met: MembersMet | undefined
}

/** Longest file: the certificate in base32, and white space. */
const maxFileBytes = 2 * maxMemberCertificateBytes + 16

/**
 * Reads what the home knows of its membership.
 *
 * @throws E_CONFIG for a `member` file that holds no certificate; E_IO
 */
export async function openMembership(parts: {
  home: Home
  config: Config
  clock: Clock
  disk: Disk
  trace: Trace
  /** Whether it writes down which members it meets: for the one process that has the home's lock. */
  notesMembers?: boolean
}): Promise<GridMembership> {
  const { home, config, clock, disk, trace } = parts
  const { membership: mode, members, key: gridId } = config.grid
  const listed = new Set(members)
  if (mode !== 'signed') {
    const membership = new Membership({ mode, clock, listed })
    return { membership, certificate: undefined, revocations: undefined, met: undefined }
  }
  await disk.makeDirectory(home.cache)
  const keptAt = { disk, path: path.join(home.cache, 'revoked') }
  const onNewer = (): void => met.noteRevoked()
  const revocations = await Revocations.open({ gridId: gridId!, keptAt, trace, onNewer })
  const isRevoked = (serial: number): boolean => revocations.isRevoked(serial)
  const notes =
    parts.notesMembers === true ? { disk, path: path.join(home.cache, 'met') } : undefined
  const met = await MembersMet.open({ clock, trace, isRevoked, keptAt: notes })
  const membership = new Membership({ mode, clock, gridId, revocations, met })
  return { membership, certificate: await readOwnCertificate(home, disk), revocations, met }
}

/** The certificate in the file `member`; undefined where there is none. @throws E_CONFIG */
export async function readOwnCertificate(home: Home, disk: Disk): Promise<Uint8Array | undefined> {
  const at = memberFileOf(home)
  const bytes = await readKept({ disk, path: at }, maxFileBytes)
  if (bytes === undefined) return undefined
  const certificate = fromBase32(new TextDecoder().decode(bytes).trim())
  if (certificate !== undefined && certificate.length > 0) return certificate
  throw new GridError('E_CONFIG', `${at} does not hold a certificate`, {
    hint: 'ask for a new invitation, then run: grid join',
  })
}

/** Puts `certificate` in the place of the one that was there, durably. */
export async function writeOwnCertificate(
  home: Home,
  disk: Disk,
  certificate: Uint8Array,
): Promise<void> {
  await replaceKept({ disk, path: memberFileOf(home) }, utf8(`${toBase32(certificate)}\n`))
}

function memberFileOf(home: Home): string {
  return path.join(home.path, 'member')
}
