/**
 * Four words that both sides of an invitation show (docs/specs/invite.md, "Words"): equal words mean
 * that these two talk to each other, by this invitation, and nobody between them.
 */
import { utf8 } from '../base/bytes.ts'
import { taggedHash } from '../base/hash.ts'
import { tags } from '../caps/keys.ts'
import { words } from './word-list.ts'

const wordCount = 4

/**
 * @param ticketHash - `ticketHashOf` of the invitation's ticket
 * @param inviterId - peer id of the node that invites, and `joinerId` of the one that joins
 */
export function comparisonWords(
  ticketHash: Uint8Array,
  inviterId: string,
  joinerId: string,
): string {
  const hash = taggedHash(tags.inviteWords, ticketHash, utf8(inviterId), utf8(joinerId))
  return Array.from(hash.subarray(0, wordCount), (byte) => words[byte]).join(' ')
}
