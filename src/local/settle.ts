/**
 * Gives what was made its owner, extended attributes, mode and time, in the order in which none
 * takes back another: a change of owner clears set-id bits and capabilities.
 *
 * What is made is held open, so that nothing that takes its name meanwhile is touched.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  openSync,
} from 'node:fs'
import { nanosecondsOf, type Timestamp } from '../tree/entry.ts'
import { escapedName } from './escaped-name.ts'
import type { EntryFacts } from './facts.ts'
import type { NativeCalls } from './native.ts'
import { detailOf, type NoticeCode } from './notice.ts'
import type { Owners } from './owner-names.ts'

/** An open file or directory; or a link, fifo or device by its path. */
export type Place = { fd: number } | { path: Uint8Array }

export interface Settling {
  /** Whether owners, set-id bits, and attributes beyond `user.` may be given. */
  trusted: boolean
  /** Owners by number, whatever their names say. */
  numericIds: boolean
  owners: Owners
  native: NativeCalls | undefined
  /** Takes what could not be kept. */
  lost: (code: NoticeCode, detail?: string) => void
}

const permissionBits = 0o777
const setIdBits = 0o6000
/** O_PATH, which Node does not name. */
const openAsPlace = 0o10000000
const userNamespace = 'user.'

export function settle(place: Place, facts: EntryFacts, settling: Settling): void {
  const owned = giveOwner(place, facts, settling)
  giveXattrs(place, facts, settling)
  if (facts.kind !== 'symlink') giveMode(place, facts, owned, settling)
  giveMtime(place, facts.mtime, settling)
}

/** Whether it has the owner that the entry says. */
function giveOwner(place: Place, { meta }: EntryFacts, settling: Settling): boolean {
  const { trusted, numericIds, owners, lost } = settling
  const byName = (names: Owners['users'], name?: string): number | undefined =>
    numericIds || name === undefined ? undefined : names.idOf(name)
  const now = statsOf(place)
  const uid = byName(owners.users, meta.owner) ?? meta.uid ?? now.uid
  const gid = byName(owners.groups, meta.group) ?? meta.gid ?? now.gid
  if (uid === now.uid && gid === now.gid) return true
  try {
    if (!trusted) lost('owner-not-kept')
    else {
      if ('fd' in place) fchownSync(place.fd, uid, gid)
      else lchownSync(buffer(place.path), uid, gid)
      // the highest number of all means to leave the owner as it is
      const given = statsOf(place)
      if (given.uid === uid && given.gid === gid) return true
      lost('owner-not-kept')
    }
  } catch (error) {
    lost('owner-not-kept', detailOf(error))
  }
  return false
}

function giveXattrs(place: Place, { meta }: EntryFacts, settling: Settling): void {
  const { trusted, native, lost } = settling
  for (const { name, value } of meta.xattrs ?? []) {
    const shown = escapedName(name)
    const allowed = trusted || shown.startsWith(userNamespace)
    if (!allowed || native === undefined || name.includes(0)) {
      lost('xattr-not-kept', shown)
      continue
    }
    try {
      native.writeXattr('fd' in place ? place.fd : place.path, name, value)
    } catch (error) {
      lost('xattr-not-kept', `${shown}: ${detailOf(error)}`)
    }
  }
}

/** Set-id bits go to the owner that they were meant for, or nowhere. */
function giveMode(place: Place, { mode }: EntryFacts, owned: boolean, settling: Settling): void {
  const { trusted, lost } = settling
  const kept = !trusted ? mode & permissionBits : owned ? mode : mode & ~setIdBits
  if (kept !== mode) lost('mode-not-kept', mode.toString(8))
  try {
    if ('fd' in place) fchmodSync(place.fd, kept)
    else chmodUnfollowed(place.path, kept)
  } catch (error) {
    lost('mode-not-kept', detailOf(error))
  }
}

/** There is no lchmod: the path is opened as a place only, which opens no device and waits for no fifo. */
function chmodUnfollowed(path: Uint8Array, mode: number): void {
  const fd = openSync(buffer(path), openAsPlace | constants.O_NOFOLLOW)
  try {
    chmodSync(`/proc/self/fd/${fd}`, mode)
  } finally {
    closeSync(fd)
  }
}

function giveMtime(place: Place, mtime: Timestamp, { native, lost }: Settling): void {
  const wanted = nanosecondsOf(mtime)
  try {
    if (native !== undefined) native.setMtime('fd' in place ? place.fd : place.path, mtime)
    else setRoughly(place, mtime)
    const now = statsOf(place).mtimeNs
    if (now !== wanted) lost('time-not-kept', `off by ${now - wanted} ns`)
  } catch (error) {
    lost('time-not-kept', detailOf(error))
  }
}

/** Node's own call: to the microsecond; before 1970 as a Date, since it takes numbers below 0 for now. */
function setRoughly(place: Place, mtime: Timestamp): void {
  const { atimeMs } = statsOf(place)
  const seconds = mtime.seconds + mtime.nanoseconds / 1e9
  const time = seconds < 0 ? new Date(Math.round(seconds * 1000)) : seconds
  if ('fd' in place) futimesSync(place.fd, atimeMs / 1000, time)
  else lutimesSync(buffer(place.path), atimeMs / 1000, time)
}

interface PlaceStats {
  uid: number
  gid: number
  mtimeNs: bigint
  atimeMs: number
}

function statsOf(place: Place): PlaceStats {
  const stats =
    'fd' in place
      ? fstatSync(place.fd, { bigint: true })
      : lstatSync(buffer(place.path), { bigint: true })
  const { uid, gid, mtimeNs, atimeMs } = stats
  return { uid: Number(uid), gid: Number(gid), mtimeNs, atimeMs: Number(atimeMs) }
}

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
