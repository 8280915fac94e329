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
import { signRevocationList } from './revocation-list.ts'
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

  /** Throws E_CONFIG for a file that is damaged. */
  static async open(options: MemberBookOptions): Promise<MemberBook> {
    const book = new MemberBook(options)
    book.#members = await readMembers(options.keptAt)
    return book
  }

  /** Every certificate that was given, the newest last. */
  list(): readonly Member[] {
    return this.#members
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
   * Puts a member out: all certificates of the key that has this serial, or this name. Throws
   * E_ABSENT, and E_USAGE for a name that several have.
   */
  async revoke(which: string): Promise<Member> {
    const found = this.#members.filter(
      ({ serial, name, isRevoked }) => !isRevoked && (String(serial) === which || name === which),
    )
    const [member, ...more] = found
    if (member === undefined) throw new GridError('E_ABSENT', `there is no member ${which}`)
    if (!more.every(({ publicKey }) => equalBytes(publicKey, member.publicKey))) {
      throw new GridError('E_USAGE', `several members are called ${which}`, {
        hint: 'give the serial, which grid members shows',
      })
    }
    await this.#replace(
      this.#members.map((each) =>
        equalBytes(each.publicKey, member.publicKey) ? { ...each, isRevoked: true } : each,
      ),
    )
    await this.spread()
    return member
  }

  /**
   * Signs the list of all who were put out and hands it on. A revocation does so by itself; one that
   * was cut short, or whose list was lost, is brought to its end by it.
   */
  async spread(): Promise<void> {
    const { revocations, clock, gridSeed } = this.#options
    const serials = this.#members.filter(({ isRevoked }) => isRevoked).map(({ serial }) => serial)
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
