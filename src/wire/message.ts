/**
 * Messages: what the head of a frame says once both sides have said hello (docs/specs/wire.md,
 * "Messages"). Each is an array that begins with its kind and the id of the request it belongs to.
 */
import { type CborValue, decodeCbor, encodeCbor, wireLimits } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'

/** Longest name of a verb. */
export const maxVerbChars = 32

/** A request; `bodyBytes` of body follow it in body messages. */
export interface RequestMessage {
  kind: 'request'
  id: number
  verb: string
  args: CborValue
  bodyBytes: number
}

/**
 * The answer to a request. Status 0 is success, anything else an error (status.ts). An error
 * may also follow a reply whose body could not be completed. Id 0 refuses the whole channel.
 */
export interface ReplyMessage {
  kind: 'reply'
  id: number
  status: number
  facts: CborValue
  bodyBytes: number
}

/** The next bytes of a body: the only message whose frame has one. */
export interface BodyMessage {
  kind: 'body'
  id: number
}

/** Allows `bytes` more of the body of `id`. */
export interface CreditMessage {
  kind: 'credit'
  id: number
  bytes: number
}

/** The caller gives up; the answerer still replies, once. */
export interface CancelMessage {
  kind: 'cancel'
  id: number
}

export type Message = RequestMessage | ReplyMessage | BodyMessage | CreditMessage | CancelMessage

const kinds = { request: 1, reply: 2, body: 3, credit: 4, cancel: 5 } as const

/** The head that carries `message`. */
export function formatMessage(message: Message): Uint8Array {
  const kind = kinds[message.kind]
  const { id } = message
  switch (message.kind) {
    case 'request':
      return encodeCbor([kind, id, message.verb, message.args, message.bodyBytes])
    case 'reply':
      return encodeCbor([kind, id, message.status, message.facts, message.bodyBytes])
    case 'credit':
      return encodeCbor([kind, id, message.bytes])
    case 'body':
    case 'cancel':
      return encodeCbor([kind, id])
  }
}

/** The message in `head`. Throws E_CBOR or E_PROTOCOL for anything else. */
export function parseMessage(head: Uint8Array): Message {
  const value = decodeCbor(head, wireLimits)
  if (!Array.isArray(value)) throw malformed()
  const [kind, id, a, b, c] = value as CborValue[]
  if (!isCount(id)) throw malformed()
  switch (kind) {
    case kinds.request:
      if (value.length !== 5 || !isVerb(a) || !isCount(c)) break
      return { kind: 'request', id, verb: a, args: b, bodyBytes: c }
    case kinds.reply:
      if (value.length !== 5 || !isCount(a) || !isCount(c)) break
      return { kind: 'reply', id, status: a, facts: b, bodyBytes: c }
    case kinds.body:
      if (value.length !== 2) break
      return { kind: 'body', id }
    case kinds.credit:
      if (value.length !== 3 || !isCount(a)) break
      return { kind: 'credit', id, bytes: a }
    case kinds.cancel:
      if (value.length !== 2) break
      return { kind: 'cancel', id }
  }
  throw malformed()
}

function isCount(value: CborValue | undefined): value is number {
  return typeof value === 'number' && value >= 0
}

function isVerb(value: CborValue | undefined): value is string {
  return typeof value === 'string' && value.length <= maxVerbChars
}

function malformed(): GridError {
  return new GridError('E_PROTOCOL', 'the head of a frame is no message of this version')
}
