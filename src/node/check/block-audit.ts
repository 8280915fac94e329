/**
 * Looks into a share without fetching it: one random block of it and its header, against the root.
 * To the server it is a read like any other.
 */
import { equalBytes } from '../../base/bytes.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { orAbort, withDeadline } from '../../base/deadline.ts'
import { isGridError } from '../../base/errors.ts'
import { type Random, randomBelow } from '../../base/random.ts'
import { storageIndexOf } from '../../encoding/descriptor.ts'
import { isNewerShare } from '../../encoding/newer-share.ts'
import { badBlock } from '../../encoding/object.ts'
import { parseShareHeader, shareLayout } from '../../encoding/share.ts'
import type { BlocksReply, BlocksRequest } from '../../storage/peer.ts'
import { blocksRequest } from '../objects/blocks-request.ts'
import { verdictOf } from '../peers/candidate.ts'
import type { PeerHealth } from '../peers/peer-health.ts'
import type { CheckableObject, Claim } from './object-check.ts'
import { isLoss, isSilence } from './presence.ts'

export interface AuditContext {
  clock: Clock
  random: Random
  health: PeerHealth
}

/** A server that has not answered by then is silent. */
const answerMs = 5_000
/** A server that has too much to do is asked once more after this time. */
const busyMs = 1_000

/** Looks at one block of the share that is claimed, and writes into the claim what came of it. */
export async function auditBlock(
  context: AuditContext,
  object: CheckableObject,
  claim: Claim,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const { health } = context
  const { candidate, shareNumber } = claim
  const { request, segment } = requestOf(object, claim, context.random)
  try {
    const reply = await patiently(context, options, (signal) =>
      candidate.peer.getBlocks(request, { signal }),
    )
    settle(claim, judge(reply, object, shareNumber, segment), 'block')
  } catch (error) {
    options.signal?.throwIfAborted()
    settleFailure(claim, error)
    if (claim.answer === 'silent') health.suspect(candidate.id)
  }
}

/** Asks within a deadline; once more where the server has too much to do. */
export async function patiently<T>(
  { clock }: { clock: Clock },
  options: { signal?: AbortSignal },
  ask: (signal: AbortSignal) => Promise<T>,
  deadlineMs: number = answerMs,
): Promise<T> {
  const once = (): Promise<T> =>
    withDeadline(clock, deadlineMs, (signal) => orAbort(ask(signal), signal), options)
  try {
    return await once()
  } catch (error) {
    if (!isGridError(error, 'E_BUSY', 'E_RATE')) throw error
    await sleep(clock, busyMs, options)
    return once()
  }
}

/** What a failed question says of the share. */
export function settleFailure(claim: Claim, error: unknown): void {
  const { code } = verdictOf(claim.candidate.id, error)
  if (isGridError(error, 'E_ABSENT')) settle(claim, 'absent', claim.evidence, code)
  else if (isLoss(error)) settle(claim, 'damaged', claim.evidence, code)
  else settle(claim, isSilence(code) ? 'silent' : 'refuses', claim.evidence, code)
}

/** Writes into a claim what is known of it now. */
export function settle(
  claim: Claim,
  answer: Claim['answer'],
  evidence: Claim['evidence'],
  code?: Claim['code'],
): void {
  claim.answer = answer
  claim.evidence = evidence
  if (answer === 'has') delete claim.code
  else claim.code = code ?? (answer === 'refuses' ? 'E_VERSION' : 'E_BLOCK')
}

/** Who reads asks for any share first, and for one by its number where there are others. */
function requestOf(
  object: CheckableObject,
  { shareNumber, isOnly }: Claim,
  random: Random,
): { request: BlocksRequest; segment: number } {
  const { k, n, ciphertextBytes } = object
  const segmentCount =
    ciphertextBytes === undefined ? 1 : shareLayout({ k, n, ciphertextBytes }).segmentCount
  const segment = randomBelow(random, segmentCount)
  const range = { object, firstSegment: segment, segmentCount: 1 }
  return { request: blocksRequest(range, isOnly ? undefined : shareNumber), segment }
}

function judge(
  { header: headerBytes, blocks }: BlocksReply,
  { root, k, n, ciphertextBytes }: CheckableObject,
  shareNumber: number,
  segment: number,
): 'has' | 'damaged' | 'refuses' {
  if (isNewerShare(storageIndexOf(root), headerBytes)) return 'refuses'
  try {
    const header = parseShareHeader(headerBytes)
    const { descriptor } = header
    const isGood =
      equalBytes(header.root, root) &&
      descriptor.k === k &&
      descriptor.n === n &&
      (ciphertextBytes ?? descriptor.ciphertextBytes) === descriptor.ciphertextBytes &&
      header.shareNumber === shareNumber &&
      badBlock({ header, blocks }, segment, 1) === undefined
    return isGood ? 'has' : 'damaged'
  } catch (error) {
    if (isGridError(error)) return 'damaged'
    throw error
  }
}
