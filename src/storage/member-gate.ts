/**
 * The gate of a server: every request of a channel is admitted first, before its arguments are read
 * and before a body is taken (docs/specs/membership.md, "At the server").
 */
import type { CborValue } from '../base/cbor.ts'
import type { Channel } from '../base/channel.ts'
import { GridError } from '../base/errors.ts'
import type { Verb, Verbs } from '../wire/answerer.ts'
import type { Admission, Wish } from './admission.ts'
import { verbDeadlineMs } from './storage-protocol.ts'

/** Longest certificate that is looked at. */
export const maxShownBytes = 256

/** What only looks, or ends what one holds oneself: a member whose time is over may still do it. */
const readVerbs: ReadonlySet<string> = new Set([
  ...['have', 'getBlocks', 'prove', 'status', 'readLog'],
  ...['challenge', 'enter', 'listHolds', 'release'],
])

/** `verbs` as `admission` lets the other side of `channel` use them, and the verb by which it shows a certificate. */
export function guardVerbs(verbs: Verbs, channel: Channel, admission: Admission): Verbs {
  const client = channel.remoteId
  const guarded = new Map<string, Verb<unknown>>([['member', memberVerb(client, admission)]])
  for (const [name, verb] of verbs) {
    const wish: Wish = readVerbs.has(name) ? 'read' : 'write'
    guarded.set(name, {
      ...verb,
      parse(args, bodyBytes) {
        const verdict = admission.admit(client, wish)
        if (!verdict.admitted) throw verdict.why
        return verb.parse(args, bodyBytes)
      },
    })
  }
  return guarded
}

function memberVerb(client: string | undefined, admission: Admission): Verb<Uint8Array> {
  return {
    deadlineMs: verbDeadlineMs.member,
    parse: parseMember,
    async handle(certificate) {
      admission.show(client, certificate)
      return { facts: 0 }
    },
  }
}

function parseMember(args: CborValue): Uint8Array {
  const [certificate] = Array.isArray(args) && args.length === 1 ? (args as CborValue[]) : []
  if (certificate instanceof Uint8Array && certificate.length <= maxShownBytes) return certificate
  throw new GridError('E_BAD_REQUEST', 'arguments that are not of the form the verb takes')
}
