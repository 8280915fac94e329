/** The joining side of an invitation: asks until the inviter has decided (docs/specs/invite.md). */
import { type Clock, sleep } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { isGridError } from '../base/errors.ts'
import type { Net } from '../base/net.ts'
import { openCaller } from '../wire/caller.ts'
import type { InviteLink } from './invite-link.ts'
import {
  formatJoin,
  type Grant,
  inviteProtocol,
  joinVerb,
  maxJoinWaitMs,
  parseJoinReply,
} from './invite-protocol.ts'

const dialMs = 15_000
const requestMs = 60_000
const retryMs = 2_000

/**
 * Asks the inviter until it says yes. A connection that breaks meanwhile is made again; the first one
 * must come about.
 *
 * @param onWaiting - called once, when the inviter has got the ticket and is to decide
 * @throws E_UNREACHABLE, E_INVITE, E_RATE, E_PROTOCOL; the signal's reason
 */
export async function joinGrid(
  { inviter, ticket }: InviteLink,
  parts: { net: Net; clock: Clock; nickname: string; signal: AbortSignal; onWaiting: () => void },
): Promise<Grant> {
  const { signal } = parts
  let isWaiting = false
  const onWaiting = (): void => {
    if (!isWaiting) parts.onWaiting()
    isWaiting = true
  }
  for (;;) {
    try {
      return await ask(inviter, ticket, { ...parts, onWaiting })
    } catch (error) {
      signal.throwIfAborted()
      const mayPass = isGridError(error, 'E_CLOSED', 'E_TIMEOUT', 'E_UNREACHABLE', 'E_BUSY')
      if (!isWaiting || !mayPass) throw error
    }
    await sleep(parts.clock, retryMs, { signal })
  }
}

async function ask(
  inviter: InviteLink['inviter'],
  ticket: Uint8Array,
  parts: Parameters<typeof joinGrid>[1],
): Promise<Grant> {
  const { net, clock, nickname, signal, onWaiting } = parts
  const dial = async (until: AbortSignal) =>
    openCaller(await net.dial(inviter, inviteProtocol, { signal: until }), { clock, signal: until })
  const caller = await withDeadline(clock, dialMs, dial, { signal })
  try {
    for (let waitMs = 0; ; waitMs = maxJoinWaitMs) {
      const args = formatJoin({ ticket, nickname, waitMs })
      const { facts } = await caller.call(joinVerb, args, { deadlineMs: requestMs, signal })
      const grant = parseJoinReply(facts)
      if (grant !== undefined) return grant
      onWaiting()
    }
  } finally {
    caller.close()
  }
}
