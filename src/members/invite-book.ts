/**
 * The invitations of one node, kept on disk: of each ticket only a hash, and what became of it
 * (docs/specs/invite.md, "States"). Whatever changes one is durable before it is answered.
 */
import { equalBytes } from '../base/bytes.ts'
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { type KeptAt, readKept, replaceKept } from '../base/kept-file.ts'
import type { Random } from '../base/random.ts'
import { arrayOf, bytesOf, decodeAs, integerOf, labelOf, textOf } from '../log/shape.ts'
import { ticketBytes, ticketHashOf } from './invite-link.ts'

/** What whoever joins by an invitation becomes. */
export interface InviteTerms {
  /** Sum of bits of `memberKinds`. */
  kindBits: number
  /** Bytes that it may keep at each server; 0 for no bound. */
  quotaBytes: number
  /** How long it is a member, from its approval on. */
  memberMs: number
  /** Whether nobody is asked. */
  approvesItself: boolean
}

export interface Joiner {
  /** Peer id, as the carrier has authenticated it. */
  id: string
  nickname: string
  /** Where it came from, for people. */
  address: string
}

/** `open` nobody came; `asked` one waits; `approved` it may fetch its grant; the others are ends. */
export const inviteStates = ['open', 'asked', 'approved', 'joined', 'refused', 'revoked'] as const
export type InviteState = (typeof inviteStates)[number]

export interface Invite extends InviteTerms {
  /** Unique among those that are kept. */
  name: string
  ticketHash: Uint8Array
  expiresAtMs: number
  state: InviteState
  /** Who came first with the ticket: nobody else may use it from then on. */
  joiner: Joiner | undefined
  /** What it was given; empty for none. */
  certificate: Uint8Array
}

const maxInvites = 256
/** How long it is remembered what became of one, to tell who comes too late. */
const rememberMs = 7 * 24 * 3600 * 1000
/** How much longer one that was let in may fetch its grant. */
const fetchMs = 24 * 3600 * 1000
const limits = { depth: 5, items: 20 * maxInvites, bytes: 512 * 1024 }

export class InviteBook {
  readonly #keptAt: KeptAt
  readonly #clock: Clock
  readonly #invites = new Map<string, Invite>()
  #saving: Promise<void> = Promise.resolve()

  private constructor(keptAt: KeptAt, clock: Clock) {
    this.#keptAt = keptAt
    this.#clock = clock
  }

  /** Throws E_CONFIG for a file that is damaged: what was used might be used again. */
  static async open(options: { keptAt: KeptAt; clock: Clock }): Promise<InviteBook> {
    const { keptAt, clock } = options
    const book = new InviteBook(keptAt, clock)
    const bytes = await readKept(keptAt, limits.bytes)
    if (bytes === undefined) return book
    const invites = decodeAs('E_CONFIG', `list of invitations ${keptAt.path}`, bytes, limits, read)
    for (const invite of invites) book.#invites.set(invite.name, invite)
    return book
  }

  /** In the order in which they were made. */
  list(): Invite[] {
    this.#forget()
    return [...this.#invites.values()]
  }

  get(name: string): Invite | undefined {
    return this.#invites.get(name)
  }

  /** The invitation of `ticket`, whatever became of it; takes as long for a wrong one as for a right one. */
  find(ticket: Uint8Array): Invite | undefined {
    const hash = ticketHashOf(ticket)
    let found: Invite | undefined
    for (const invite of this.#invites.values()) {
      if (equalBytes(invite.ticketHash, hash)) found = invite
    }
    return found
  }

  /** Makes one and gives its ticket, which is nowhere else. Throws E_EXISTS, E_FULL, E_IO. */
  async create(
    name: string,
    terms: InviteTerms,
    options: { lifetimeMs: number; random: Random },
  ): Promise<Uint8Array> {
    this.#forget()
    const known = this.#invites.get(name)
    if (known !== undefined && isLive(known, this.#clock.nowMs())) {
      throw new GridError('E_EXISTS', `there is an invitation called ${name} already`, {
        hint: 'give another --name, or run: grid invite revoke',
      })
    }
    this.#invites.delete(name)
    if (this.#invites.size >= maxInvites) throw new GridError('E_FULL', 'too many invitations')
    const ticket = options.random.bytes(ticketBytes)
    await this.put({
      ...terms,
      name,
      ticketHash: ticketHashOf(ticket),
      expiresAtMs: this.#clock.nowMs() + options.lifetimeMs,
      state: 'open',
      joiner: undefined,
      certificate: new Uint8Array(0),
    })
    return ticket
  }

  /** Replaces the invitation of that name: at once in memory, and durably when it resolves. */
  async put(invite: Invite): Promise<void> {
    this.#invites.set(invite.name, invite)
    const saved = this.#saving.then(() =>
      replaceKept(this.#keptAt, encodeCbor([1, [...this.#invites.values()].map(toRow)])),
    )
    this.#saving = saved.catch(() => undefined)
    await saved
  }

  #forget(): void {
    const nowMs = this.#clock.nowMs()
    for (const [name, { expiresAtMs }] of this.#invites) {
      if (expiresAtMs + rememberMs <= nowMs) this.#invites.delete(name)
    }
  }
}

/** Whether somebody may still become a member by it. */
export function isLive({ state, expiresAtMs }: Invite, nowMs: number): boolean {
  if (state === 'approved') return nowMs < expiresAtMs + fetchMs
  return (state === 'open' || state === 'asked') && nowMs < expiresAtMs
}

function toRow(invite: Invite): CborValue {
  const { name, ticketHash, kindBits, quotaBytes, memberMs, approvesItself, joiner } = invite
  return [
    ...[name, ticketHash, kindBits, quotaBytes, memberMs, approvesItself ? 1 : 0],
    ...[invite.expiresAtMs, inviteStates.indexOf(invite.state)],
    joiner === undefined ? [] : [joiner.id, joiner.nickname, joiner.address],
    invite.certificate,
  ]
}

function read(value: CborValue): Invite[] {
  const [version, rows] = arrayOf(value, 2, 2)
  integerOf(version, 1, 1)
  return arrayOf(rows, 0, maxInvites).map(fromRow)
}

function fromRow(row: CborValue): Invite {
  const [name, ticketHash, kindBits, quotaBytes, memberMs, itself, expires, state, joiner, cert] =
    arrayOf(row, 10, 10)
  const who = arrayOf(joiner, 0, 3)
  return {
    name: labelOf(name),
    ticketHash: bytesOf(ticketHash, 32),
    kindBits: integerOf(kindBits, 1, 3),
    quotaBytes: integerOf(quotaBytes, 0),
    memberMs: integerOf(memberMs, 1),
    approvesItself: integerOf(itself, 0, 1) === 1,
    expiresAtMs: integerOf(expires, 0),
    state: inviteStates[integerOf(state, 0, inviteStates.length - 1)],
    joiner:
      who.length === 0
        ? undefined
        : { id: textOf(who[0], 64), nickname: labelOf(who[1]), address: textOf(who[2], 400) },
    certificate: bytesOf(cert, 0, 256),
  }
}
