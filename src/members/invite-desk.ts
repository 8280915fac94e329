/**
 * Where joiners come with their tickets (docs/specs/invite.md): each ticket is good for the first node
 * that brings it, once its owner has said yes.
 */
import { Bell } from '../base/bell.ts'
import type { Channel } from '../base/channel.ts'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { GridError, isGridError } from '../base/errors.ts'
import type { Budget } from '../base/limit.ts'
import { originOf, parseTcpAddress } from '../base/multiaddr.ts'
import { TokenBucket } from '../base/token-bucket.ts'
import { noTrace, type Trace } from '../base/trace.ts'
import { answer, type Verb } from '../wire/answerer.ts'
import { comparisonWords } from './comparison-words.ts'
import { type Invite, type InviteBook, isLive, type Joiner } from './invite-book.ts'
import {
  formatJoinReply,
  type Grant,
  type JoinRequest,
  joinVerb,
  parseJoin,
} from './invite-protocol.ts'
import { Strikes } from './strikes.ts'

export interface InviteDeskOptions {
  /** Peer id of this node. */
  id: string
  book: InviteBook
  clock: Clock
  budget: Budget
  trace?: Trace
  /** Makes the joiner a member, durably: its certificate, empty where the grid has none. */
  issue: (invite: Invite, joiner: Joiner) => Promise<Uint8Array>
  /** What the joiner of an approved invitation is given. */
  grantOf: (invite: Invite) => Grant
}

const requestDeadlineMs = 60_000
/** Of all joiners together: an honest one asks every 20 s. */
const joinRate = { tokensPerSecond: 5, burst: 50 }

export class InviteDesk {
  readonly #options: InviteDeskOptions
  readonly #strikes: Strikes
  readonly #joins: TokenBucket
  readonly #changed = new Bell()
  /** By name: two who say yes at once make one member. */
  readonly #approving = new Map<string, Promise<void>>()

  constructor(options: InviteDeskOptions) {
    this.#options = options
    this.#strikes = new Strikes(options.clock)
    this.#joins = new TokenBucket({ clock: options.clock, ...joinRate })
  }

  /** Answers one joiner until its channel ends. */
  async serve(channel: Channel): Promise<void> {
    const { clock, budget, trace = noTrace } = this.#options
    const join: Verb<JoinRequest> = {
      deadlineMs: requestDeadlineMs,
      parse: parseJoin,
      handle: async (request, _body, { signal }) => ({
        facts: formatJoinReply(await this.#join(request, channel, signal)),
      }),
    }
    const verbs = new Map<string, Verb<unknown>>([[joinVerb, join]])
    await answer(channel, verbs, { clock, budget, trace })
  }

  /** Resolves when an invitation has changed. */
  changed(options: { signal: AbortSignal }): Promise<void> {
    return this.#changed.next(options)
  }

  /** The four words of an invitation that somebody has come with; undefined before. */
  wordsOf({ ticketHash, joiner }: Invite): string | undefined {
    return joiner && comparisonWords(ticketHash, this.#options.id, joiner.id)
  }

  /** Lets the node in that waits. Throws E_INVITE where none waits. */
  async approve(name: string): Promise<void> {
    const under = this.#approving.get(name)
    if (under !== undefined) return under
    const approving = this.#letIn(this.#waiting(name)).finally(() => this.#approving.delete(name))
    this.#approving.set(name, approving)
    return approving
  }

  /** Sends the node away that waits. Throws E_INVITE where none waits. */
  async refuse(name: string): Promise<void> {
    while (this.#approving.has(name)) await this.#approved(name)
    await this.#put({ ...this.#waiting(name), state: 'refused' })
  }

  /** Ends an invitation that nobody has joined by. Throws E_INVITE. */
  async revoke(name: string): Promise<void> {
    while (this.#approving.has(name)) await this.#approved(name)
    const invite = this.#options.book.get(name)
    if (invite === undefined) throw new GridError('E_INVITE', `there is no invitation ${name}`)
    if (invite.state === 'approved' || invite.state === 'joined') {
      throw new GridError('E_INVITE', `whoever came by ${name} has joined already`, {
        hint: 'run: grid member revoke',
      })
    }
    await this.#put({ ...invite, state: 'revoked' })
  }

  /** A yes that is under way was said first, whatever comes of it. */
  async #approved(name: string): Promise<void> {
    await this.#approving.get(name)?.catch(() => undefined)
  }

  async #letIn(invite: Invite): Promise<void> {
    const certificate = await this.#options.issue(invite, invite.joiner!)
    await this.#put({ ...invite, state: 'approved', certificate })
  }

  async #join(
    { ticket, nickname, waitMs }: JoinRequest,
    { remoteId, remoteAddress = '' }: Channel,
    signal: AbortSignal,
  ): Promise<Grant | undefined> {
    const { book } = this.#options
    if (remoteId === undefined) throw new GridError('E_FORBIDDEN', 'nobody knows who asks')
    const origin = originOf(remoteAddress)
    const invite = book.find(ticket)
    const isItsJoiner = invite?.joiner?.id === remoteId
    // what others did from there does not keep out who is awaited: its key shows who it is
    if (!isItsJoiner && this.#strikes.isOut(origin)) {
      throw new GridError('E_RATE', 'too many attempts to join: try again in an hour')
    }
    if (!this.#joins.tryTake(1)) {
      throw new GridError('E_BUSY', 'too many machines are joining: try again in a minute')
    }
    if (invite === undefined || (invite.joiner !== undefined && !isItsJoiner)) {
      this.#strikes.add(origin)
    }
    if (invite === undefined) {
      throw new GridError('E_INVITE', 'there is no such invitation: ask for a new one')
    }
    const address = parseTcpAddress(remoteAddress)?.host ?? remoteAddress
    await this.#claim(invite, { id: remoteId, nickname, address })
    const decided = (await this.#decision(invite.name, waitMs, signal)) ?? invite
    return this.#outcome(decided)
  }

  /** The first to come has it, before anything else is waited for; the same one may come again. */
  async #claim(invite: Invite, joiner: Joiner): Promise<void> {
    this.#check(invite, joiner)
    const { trace = noTrace } = this.#options
    if (invite.state === 'open') {
      trace.event('invite.asked', { invite: invite.name, joiner: joiner.id })
      await this.#put({ ...invite, state: 'asked', joiner })
    }
    const isAsked = this.#options.book.get(invite.name)?.state === 'asked'
    if (!invite.approvesItself || !isAsked) return
    await this.approve(invite.name).catch((error: unknown) => {
      if (isGridError(error, 'E_INVITE', 'E_FORBIDDEN', 'E_FULL', 'E_IO')) throw error
      // what is wrong at this side is for its owner to know, paths above all
      trace.event('invite.failed', { invite: invite.name, error: String(error) })
      throw new GridError('E_INTERNAL', 'the inviter could not let it in', { cause: error })
    })
  }

  #check(invite: Invite, joiner: Joiner): void {
    if (invite.joiner !== undefined && invite.joiner.id !== joiner.id) {
      throw new GridError(
        'E_INVITE',
        'the invitation was used already, by another node: if it was not yours, tell who invited you',
      )
    }
    if (invite.state === 'refused') throw new GridError('E_INVITE', 'the inviter said no')
    if (invite.state === 'revoked') {
      throw new GridError('E_INVITE', 'the invitation was taken back: ask for a new one')
    }
    if (invite.state === 'joined' || isLive(invite, this.#options.clock.nowMs())) return
    throw new GridError('E_INVITE', 'the invitation has expired: ask for a new one')
  }

  /** The invitation once it is decided, or as it is after `waitMs`; undefined if it is gone. */
  async #decision(name: string, waitMs: number, signal: AbortSignal): Promise<Invite | undefined> {
    const { book, clock } = this.#options
    const wait = async (until: AbortSignal): Promise<void> => {
      while (book.get(name)?.state === 'asked') await this.#changed.next({ signal: until })
    }
    try {
      if (waitMs > 0) await withDeadline(clock, waitMs, wait, { signal })
    } catch (error) {
      if (signal.aborted || !isGridError(error, 'E_TIMEOUT')) throw error
    }
    return book.get(name)
  }

  async #outcome(invite: Invite): Promise<Grant | undefined> {
    this.#check(invite, invite.joiner!)
    if (invite.state === 'asked') return undefined
    if (invite.state === 'approved') await this.#put({ ...invite, state: 'joined' })
    return this.#options.grantOf(invite)
  }

  #waiting(name: string): Invite {
    const invite = this.#options.book.get(name)
    if (invite?.state === 'asked' && isLive(invite, this.#options.clock.nowMs())) return invite
    throw new GridError('E_INVITE', `nobody waits with the invitation ${name}`, {
      hint: 'run: grid invite ls',
    })
  }

  async #put(invite: Invite): Promise<void> {
    await this.#options.book.put(invite)
    this.#changed.ring()
  }
}
