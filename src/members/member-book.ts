/**
 * Whom the holder of a grid key has made a member, and whom it has put out again: kept beside the
 * key, durable before a certificate leaves the house (docs/specs/membership.md).
 */
import { equalBytes } from '../base/bytes.ts'
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { type KeptAt, readKept, replaceKept } from '../base/kept-file.ts'
import { arrayOf, bytesOf, decodeAs, integerOf, labelOf } from '../log/shape.ts'
import { type MemberCertificate, signMemberCertificate } from './member-certificate.ts'
import { graceMs } from './membership.ts'
import { maxRevokedSerials, signRevocationList } from './revocation-list.ts'
import type { Revocations } from './revocations.ts'

export interface Member extends Omit<MemberCertificate, 'gridId'> {
  /** What its owner calls it; not unique. */
  name: string
  isRevoked: boolean
}

export interface MemberBookOptions {
  keptAt: KeptAt
  /** Secret half of the grid key, 32 bytes. */
  gridSeed: Uint8Array
  clock: Clock
  /** Takes the list that a revocation makes, and spreads it. */
  revocations: Revocations
}

const maxMembers = 10_000
const limits = { depth: 3, items: 8 * maxMembers, bytes: 4 * 1024 * 1024 }

/** Every certificate that a book of members names, the newest last; none where there is no book. Throws E_CONFIG. */
export async function readMembers(keptAt: KeptAt): Promise<Member[]> {
  const bytes = await readKept(keptAt, limits.bytes)
  if (bytes === undefined) return []
  return decodeAs('E_CONFIG', `list of members ${keptAt.path}`, bytes, limits, read)
}

/** Serials of members that were put out and that a list does not name: a revocation that was cut short. */
export function unspreadOf(
  members: readonly Member[],
  revocations: Pick<Revocations, 'isRevoked'>,
): number[] {
  return members.flatMap(({ serial, isRevoked }) =>
    isRevoked && !revocations.isRevoked(serial) ? serial : [],
  )
}

export class MemberBook {
  readonly #options: MemberBookOptions
  #members: Member[] = []
  #saving: Promise<void> = Promise.resolve()

  private constructor(options: MemberBookOptions) {
    this.#options = options
  }

  /**
   * Reads what is kept; a revocation that was cut short behind the book is carried out. Throws E_CONFIG
   * for a file that is damaged.
   */
  static async open(options: MemberBookOptions): Promise<MemberBook> {
    const book = new MemberBook(options)
    book.#members = await readMembers(options.keptAt)
    if (book.#members.length > 0) await book.#spread(book.#serialsOf(book.#members))
    return book
  }

  /** Every certificate that was given, the newest last. */
  list(): readonly Member[] {
    const { revocations } = this.#options
    return this.#members.map((member) => {
      // a book brought back from a copy may not know of all
      return { ...member, isRevoked: member.isRevoked || revocations.isRevoked(member.serial) }
    })
  }

  /** Makes a member: its certificate. Throws E_FULL, E_IO, a RangeError for a field out of bounds. */
  async issue(given: Omit<Member, 'serial' | 'isRevoked'>): Promise<Uint8Array> {
    if (this.#members.length >= maxMembers) throw new GridError('E_FULL', 'too many members')
    const last = this.#members.at(-1)?.serial ?? 0
    // by the clock, so that a book brought back from a copy gives no serial twice
    const serial = Math.max(last + 1, Math.floor(this.#options.clock.nowMs()))
    const member = { ...given, serial, isRevoked: false }
    const certificate = signMemberCertificate(member, this.#options.gridSeed)
    await this.#replace([...this.#members, member])
    return certificate
  }

  /**
   * Puts a member out: all certificates of the key that has this serial or, where none has, this name.
   * Who is out already is put out again, as an attempt may have been cut short. Throws E_ABSENT, E_USAGE
   * for a name that several have, E_FULL where the list has no room, E_IO.
   */
  async revoke(which: string): Promise<Member> {
    const withSerial = this.#members.filter(({ serial }) => String(serial) === which)
    // a member chooses its name: it may be the serial of another
    const withName = this.#members.filter(({ name }) => name === which)
    const named = withSerial.length > 0 ? withSerial : withName
    const standing = named.filter(({ isRevoked }) => !isRevoked)
    const member = standing.at(-1) ?? named.at(-1)
    if (member === undefined) throw new GridError('E_ABSENT', `there is no member ${which}`)
    const isSame = ({ publicKey }: Member): boolean => equalBytes(publicKey, member.publicKey)
    if (!standing.every(isSame)) {
      throw new GridError('E_USAGE', `several members are called ${which}`, {
        hint: 'give the serial, which grid members shows',
      })
    }
    const members = this.#members.map((each) =>
      isSame(each) ? { ...each, isRevoked: true } : each,
    )
    const serials = this.#serialsOf(members)
    await this.#replace(members)
    await this.#spread(serials)
    return { ...member, isRevoked: true }
  }

  /**
   * Serials that the list must have: those of `members` that are out, and all that it has now, which
   * another holder of the key may have put there. Those that ended longest before give way where there
   * are too many. Throws E_FULL.
   */
  #serialsOf(members: readonly Member[]): number[] {
    const out = members.filter(({ isRevoked }) => isRevoked)
    const serials = new Set([
      ...this.#options.revocations.serials,
      ...out.map(({ serial }) => serial),
    ])
    const nowMs = this.#options.clock.nowMs()
    const over = out.filter(({ notAfterMs }) => notAfterMs + graceMs <= nowMs)
    for (const { serial } of over.sort((a, b) => a.notAfterMs - b.notAfterMs)) {
      if (serials.size > maxRevokedSerials) serials.delete(serial)
    }
    if (serials.size <= maxRevokedSerials) return [...serials].sort((a, b) => a - b)
    throw new GridError('E_FULL', 'too many members are revoked')
  }

  /** Makes a list of `serials` and gives it to all, where the one there is lacks any. */
  async #spread(serials: readonly number[]): Promise<void> {
    const { revocations, clock, gridSeed } = this.#options
    if (serials.every((serial) => revocations.isRevoked(serial))) return
    const seq = Math.max(revocations.seq + 1, Math.floor(clock.nowMs()))
    await revocations.take(signRevocationList({ seq, serials }, gridSeed))
  }

  async #replace(members: Member[]): Promise<void> {
    this.#members = members
    const saved = this.#saving.then(() =>
      replaceKept(this.#options.keptAt, encodeCbor([1, this.#members.map(toRow)])),
    )
    this.#saving = saved.catch(() => undefined)
    await saved
  }
}

function toRow(member: Member): CborValue {
  const { serial, name, kindBits, publicKey, quotaBytes, notAfterMs, isRevoked } = member
  return [serial, name, kindBits, publicKey, quotaBytes, notAfterMs, isRevoked ? 1 : 0]
}

function read(value: CborValue): Member[] {
  const [version, rows] = arrayOf(value, 2, 2)
  integerOf(version, 1, 1)
  return arrayOf(rows, 0, maxMembers).map((row) => {
    const [serial, name, kindBits, publicKey, quotaBytes, notAfterMs, revoked] = arrayOf(row, 7, 7)
    return {
      serial: integerOf(serial, 1),
      name: labelOf(name),
      kindBits: integerOf(kindBits, 1, 3),
      publicKey: bytesOf(publicKey, publicKeyBytes),
      quotaBytes: integerOf(quotaBytes, 0),
      notAfterMs: integerOf(notAfterMs, 1),
      isRevoked: integerOf(revoked, 0, 1) === 1,
    }
  })
}
