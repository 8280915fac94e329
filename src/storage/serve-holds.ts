/** The verbs about holds, at the serving end: of any `HoldPeer`, for one client that the carrier has authenticated. */
import { concat } from '../base/bytes.ts'
import { bodyWindowBytes } from '../wire/body.ts'
import type { Verb } from '../wire/answerer.ts'
import { checkCredentialBounds, checkListHolds, checkToken, checkTouch } from './hold-bounds.ts'
import {
  type AccountArguments,
  formatAccount,
  formatListed,
  formatReleased,
  formatTouched,
  listedBytes,
  maxReleaseBytes,
  parseCredentials,
  parseListHolds,
  parseReleaseBody,
  parseRenew,
  parseTouch,
} from './hold-messages.ts'
import type { Credentials, HoldPeer, ListHoldsRequest } from './hold-peer.ts'
import type { StorageIndex } from './request.ts'
import { parseNoArguments, verbDeadlineMs } from './storage-protocol.ts'

type Client = string | undefined

export function holdVerbs(peer: HoldPeer, client: Client): Record<keyof HoldPeer, Verb<unknown>> {
  return {
    challenge: challengeVerb(peer, client),
    enter: enterVerb(peer, client),
    touch: touchVerb(peer, client),
    renew: renewVerb(peer, client),
    listHolds: listVerb(peer, client),
    release: releaseVerb(peer, client),
  }
}

function challengeVerb(peer: HoldPeer, client: Client): Verb<void> {
  return {
    deadlineMs: verbDeadlineMs.challenge,
    parse: parseNoArguments,
    async handle(_args, _body, { signal }) {
      return { facts: await peer.challenge({ signal, client }) }
    },
  }
}

function enterVerb(peer: HoldPeer, client: Client): Verb<Credentials> {
  return {
    deadlineMs: verbDeadlineMs.enter,
    parse(args) {
      const credentials = parseCredentials(args)
      checkCredentialBounds(credentials)
      return credentials
    },
    async handle(credentials, _body, { signal }) {
      return { facts: formatAccount(await peer.enter(credentials, { signal, client })) }
    },
  }
}

function touchVerb(
  peer: HoldPeer,
  client: Client,
): Verb<AccountArguments & { indexes: StorageIndex[] }> {
  return {
    deadlineMs: verbDeadlineMs.touch,
    parse(args) {
      const touch = parseTouch(args)
      if (touch.account !== undefined) checkToken(touch.account)
      checkTouch(touch.indexes)
      return touch
    },
    async handle({ account, indexes }, _body, { signal }) {
      return { facts: formatTouched(await peer.touch(indexes, { signal, account, client })) }
    },
  }
}

function renewVerb(peer: HoldPeer, client: Client): Verb<StorageIndex[]> {
  return {
    deadlineMs: verbDeadlineMs.renew,
    parse(args) {
      const indexes = parseRenew(args)
      checkTouch(indexes)
      return indexes
    },
    async handle(indexes, _body, { signal }) {
      return { facts: formatTouched(await peer.renew(indexes, { signal, client })) }
    },
  }
}

function listVerb(
  peer: HoldPeer,
  client: Client,
): Verb<AccountArguments & { request: ListHoldsRequest }> {
  return {
    deadlineMs: verbDeadlineMs.listHolds,
    parse(args) {
      const list = parseListHolds(args)
      if (list.account !== undefined) checkToken(list.account)
      checkListHolds(list.request)
      return list
    },
    answerBytes: ({ request }) => listedBytes(request.limit),
    async handle({ account, request }, _body, { signal }) {
      const { holds, complete } = await peer.listHolds(request, { signal, account, client })
      const bytes = formatListed(holds)
      return { facts: complete ? 1 : 0, body: { bytes: bytes.length, pieces: [bytes] } }
    },
  }
}

function releaseVerb(peer: HoldPeer, client: Client): Verb<number> {
  return {
    deadlineMs: verbDeadlineMs.release,
    maxBodyBytes: maxReleaseBytes,
    parse(args, bodyBytes) {
      parseNoArguments(args)
      return bodyBytes
    },
    // the body is held whole, and more than what is under way of it counts as much as an answer
    answerBytes: (bodyBytes) => Math.max(0, bodyBytes - bodyWindowBytes),
    async handle(_bodyBytes, pieces, { signal }) {
      const taken: Uint8Array[] = []
      for await (const piece of pieces) taken.push(piece)
      const release = parseReleaseBody(concat(...taken))
      return { facts: formatReleased(await peer.release(release, { signal, client })) }
    },
  }
}
