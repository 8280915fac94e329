/**
 * Which members this node has met, until when they are members, and since when it knows that they are none
 * any more (docs/specs/membership.md, "The end"): kept on disk, since a member whose time is over shows
 * nothing any more, and its holds stay.
 */
import { toHex } from '../base/bytes.ts'
import { encodeCbor } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { publicKeyBytes } from '../base/ed25519.ts'
import { isGridError } from '../base/errors.ts'
import { type KeptAt, readKept, replaceKept } from '../base/kept-file.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { arrayOf, bytesOf, decodeAs, integerOf } from '../log/shape.ts'
import type { MemberCertificate } from './member-certificate.ts'

export interface MetMember extends Pick<
  MemberCertificate,
  'publicKey' | 'quotaBytes' | 'notAfterMs' | 'serial'
> {
  /** When this node first knew it revoked; 0 where it does not. */
  revokedMs: number
}

export interface MembersMetOptions {
  clock: Clock
  isRevoked: (serial: number) => boolean
  /** Absent for a memory that ends with the process. */
  keptAt?: KeptAt | undefined
  trace?: Trace
}

/** Of more, new ones are not remembered: the grid key has signed for each. */
const maxMembers = 20_000
const limits = { depth: 3, items: 7 * maxMembers, bytes: 4 * 1024 * 1024 }

export class MembersMet {
  readonly #options: MembersMetOptions
  /** By the key in hex. */
  readonly #members = new Map<string, MetMember>()
  #saving: Promise<void> = Promise.resolve()
  /** Whether what is noted now will be saved by what waits for its turn. */
  #willSave = false

  constructor(options: MembersMetOptions) {
    this.#options = options
  }

  /** With what was kept; a damaged file is as good as none. Throws E_IO as the disk does. */
  static async open(options: MembersMetOptions): Promise<MembersMet> {
    const met = new MembersMet(options)
    const { keptAt, trace = noTrace } = options
    const bytes = keptAt && (await readKept(keptAt, limits.bytes))
    try {
      if (bytes !== undefined) met.#read(bytes)
    } catch (error) {
      if (!isGridError(error, 'E_CONFIG')) throw error
      trace.event('members.met-unreadable', { error: String(error) })
    }
    met.noteRevoked()
    return met
  }

  get(publicKey: Uint8Array): MetMember | undefined {
    return this.#members.get(toHex(publicKey))
  }

  /** Notes a certificate that was verified; one of a smaller serial than the known changes nothing. */
  meet({ publicKey, quotaBytes, notAfterMs, serial }: Omit<MetMember, 'revokedMs'>): void {
    const key = toHex(publicKey)
    const known = this.#members.get(key)
    if (known === undefined && this.#members.size >= maxMembers) return
    if (known !== undefined && known.serial >= serial) return
    const member = { publicKey, quotaBytes, notAfterMs, serial, revokedMs: this.#dateOf(serial) }
    this.#members.set(key, member)
    this.#save()
  }

  /** Dates what is known to be revoked since the last call. To be called when a new list has come. */
  noteRevoked(): void {
    let changed = false
    for (const [key, member] of this.#members) {
      const revokedMs = member.revokedMs === 0 ? this.#dateOf(member.serial) : member.revokedMs
      if (revokedMs === member.revokedMs) continue
      this.#members.set(key, { ...member, revokedMs })
      changed = true
    }
    if (changed) this.#save()
  }

  /** Resolves once all that was noted is on disk, or failed to be. */
  saved(): Promise<void> {
    return this.#saving
  }

  #dateOf(serial: number): number {
    return this.#options.isRevoked(serial)
      ? Math.max(1, Math.floor(this.#options.clock.nowMs()))
      : 0
  }

  /** What counts is in memory: a disk that fails costs the memory of it only, and ends of holds come later. */
  #save(): void {
    const { keptAt, trace = noTrace } = this.#options
    // a founder meets all of its book at once
    if (keptAt === undefined || this.#willSave) return
    this.#willSave = true
    this.#saving = this.#saving.then(async () => {
      this.#willSave = false
      const rows = [...this.#members.values()].map(
        ({ publicKey, quotaBytes, notAfterMs, serial, revokedMs }) => [
          ...[publicKey, quotaBytes, notAfterMs],
          ...[serial, revokedMs],
        ],
      )
      await replaceKept(keptAt, encodeCbor([1, rows])).catch((error: unknown) => {
        trace.event('members.met-unwritable', { error: String(error) })
      })
    })
  }

  #read(bytes: Uint8Array): void {
    const rows = decodeAs('E_CONFIG', 'members that were met', bytes, limits, (value) => {
      const [version, rows] = arrayOf(value, 2, 2)
      integerOf(version, 1, 1)
      return arrayOf(rows, 0, maxMembers).map((row): MetMember => {
        const [publicKey, quotaBytes, notAfterMs, serial, revokedMs] = arrayOf(row, 5, 5)
        return {
          publicKey: bytesOf(publicKey, publicKeyBytes),
          quotaBytes: integerOf(quotaBytes, 0),
          notAfterMs: integerOf(notAfterMs, 1),
          serial: integerOf(serial, 1),
          revokedMs: integerOf(revokedMs, 0),
        }
      })
    })
    for (const row of rows) this.#members.set(toHex(row.publicKey), row)
  }
}
