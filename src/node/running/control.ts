/**
 * What the owner of a running node asks of it over its socket, beside its peers: invitations and
 * members (docs/specs/invite.md, "Over the socket"). The socket is for the node's user alone.
 */
import type { CborValue } from '../../base/cbor.ts'
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import type { Invite } from '../../members/invite-book.ts'
import type { Member, MemberBook } from '../../members/member-book.ts'
import { arrayOf, integerOf, labelOf, shapedAs } from '../../log/shape.ts'
import type { Verb, Verbs } from '../../wire/answerer.ts'
import {
  formatInvite,
  formatInvites,
  formatMembers,
  type InviteReport,
  parseRequest,
} from './control-messages.ts'
import type { Invites } from './invites.ts'
import { listVerb } from './long-answer.ts'
import type { NetworkPeers } from '../peers/network-peers.ts'

const deadlineMs = 60_000
/** The longest that a `watchInvite` waits. */
export const maxWatchMs = 20_000

export interface Controlled {
  invites: Invites
  members: MemberBook | undefined
  clock: Clock
  peers: Pick<NetworkPeers, 'acceptServers'>
}

/** The verbs by which a node's owner rules it. */
export function controlVerbs({ invites, members, clock, peers }: Controlled): Verbs {
  const { desk } = invites
  const report = (invite: Invite): InviteReport => ({ ...invite, words: desk.wordsOf(invite) })
  const named = (handle: (name: string) => Promise<void>): Verb<unknown> =>
    verb(nameOf, async (name) => {
      await handle(name)
      return 0
    })
  const book = (): MemberBook => {
    if (members !== undefined) return members
    throw new GridError('E_CONFIG', 'this home does not hold the key of a grid', {
      hint: 'ask at the home that was made with --membership signed',
    })
  }
  const verbs: [string, Verb<unknown>][] = [
    ['createInvite', verb(parseRequest, (request) => invites.create(request))],
    ['invites', listVerb(async () => formatInvites(invites.list().map(report)), { deadlineMs })],
    [
      'watchInvite',
      verb(parseWatch, async ({ name, waitMs }, signal) => {
        const before = invites.get(name)?.state
        const wait = async (until: AbortSignal): Promise<void> => {
          while (invites.get(name)?.state === before) await desk.changed({ signal: until })
        }
        await withDeadline(clock, waitMs, wait, { signal }).catch((error: unknown) => {
          if (signal.aborted || !isGridError(error, 'E_TIMEOUT')) throw error
        })
        const invite = invites.get(name)
        if (invite !== undefined) return formatInvite(report(invite))
        throw new GridError('E_INVITE', `there is no invitation ${name}`)
      }),
    ],
    ['approveInvite', named((name) => desk.approve(name))],
    ['refuseInvite', named((name) => desk.refuse(name))],
    ['revokeInvite', named((name) => desk.revoke(name))],
    [
      'acceptServers',
      verb(nothing, async () => {
        peers.acceptServers()
        return 0
      }),
    ],
    ['members', listVerb(async () => formatMembers(book().list()), { deadlineMs })],
    [
      'revokeMember',
      verb(nameOf, async (which) => {
        const member: Member = await book().revoke(which)
        return formatMembers([member])
      }),
    ],
  ]
  return new Map(verbs.map(([name, each]) => [name, withNextStep(each)]))
}

/** Only the text of an error crosses the socket: what to do about it goes with it. */
function withNextStep(verb: Verb<unknown>): Verb<unknown> {
  return {
    ...verb,
    handle: async (args, body, options) => {
      try {
        return await verb.handle(args, body, options)
      } catch (error) {
        if (!(error instanceof GridError) || error.hint === undefined) throw error
        throw new GridError(error.code, `${error.message}; try: ${error.hint}`, { cause: error })
      }
    },
  }
}

function verb<T>(
  parse: (args: CborValue) => T,
  handle: (args: T, signal: AbortSignal) => Promise<CborValue>,
): Verb<unknown> {
  const typed: Verb<T> = {
    deadlineMs,
    parse,
    handle: async (args, _body, { signal }) => ({ facts: await handle(args, signal) }),
  }
  return typed
}

function nothing(args: CborValue): void {
  shapedAs('E_BAD_REQUEST', 'request', () => arrayOf(args, 0, 0))
}

function nameOf(args: CborValue): string {
  return shapedAs('E_BAD_REQUEST', 'request', () => labelOf(arrayOf(args, 1, 1)[0]))
}

function parseWatch(args: CborValue): { name: string; waitMs: number } {
  return shapedAs('E_BAD_REQUEST', 'request', () => {
    const [name, waitMs] = arrayOf(args, 2, 2)
    return { name: labelOf(name), waitMs: integerOf(waitMs, 0, maxWatchMs) }
  })
}
