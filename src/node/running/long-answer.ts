/**
 * Lists that a node tells its owner: others fill them, so they may be longer than the head of a frame. Such
 * an answer is one value of canonical CBOR in the body (docs/specs/storage-protocol.md, "Borrowing connections").
 */
import { type CborLimits, type CborValue, decodeCbor, encodeCbor } from '../../base/cbor.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import type { Answer, Verb } from '../../wire/answerer.ts'
import type { CallAnswer } from '../../wire/call.ts'

/** No list is longer: 10,000 members, or the 1,000 nodes that a directory holds. */
export const maxLongBytes: number = 4 * 2 ** 20
const limits: CborLimits = { depth: 4, items: 100_000, bytes: maxLongBytes }

/** A verb whose answer is what `list` gives. */
export function listVerb(
  list: (signal: AbortSignal) => Promise<CborValue>,
  options: { deadlineMs: number },
): Verb<unknown> {
  return {
    ...options,
    parse: () => undefined,
    answerBytes: () => maxLongBytes,
    handle: async (_args, _body, { signal }) => longAnswer(await list(signal)),
  }
}

/** What was answered, in the body or in the head. Throws E_PROTOCOL. */
export function valueOf({ facts, body }: CallAnswer): CborValue {
  // a node of before there were long answers says all in the head
  if (body.length === 0) return facts
  try {
    return decodeCbor(body, limits)
  } catch (error) {
    if (!isGridError(error, 'E_CBOR')) throw error
    throw new GridError('E_PROTOCOL', 'malformed answer of the node', { cause: error })
  }
}

function longAnswer(value: CborValue): Answer {
  const bytes = encodeCbor(value)
  return { facts: [], body: { bytes: bytes.length, pieces: [bytes] } }
}
