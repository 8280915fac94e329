/** The serving end of `/grid/storage/1`: any `StoragePeer`, asked over a channel. */
import { concat } from '../base/bytes.ts'
import type { CborValue } from '../base/cbor.ts'
import type { Channel } from '../base/channel.ts'
import { GridError } from '../base/errors.ts'
import type { ReadLogRequest } from '../log/log-peer.ts'
import { type AnswerOptions, type Verb, type Verbs, answer } from '../wire/answerer.ts'
import { bodyWindowBytes } from '../wire/body.ts'
import { checkReadRequest } from '../log/log-request.ts'
import { type Admission, openAdmission } from './admission.ts'
import {
  formatLog,
  formatAppended,
  maxAppendBodyBytes,
  parseAppend,
  parseReadLog,
  readAnswerBytes,
} from './log-messages.ts'
import { logIdBytes } from './log-store.ts'
import { guardVerbs } from './member-gate.ts'
import { type BlocksRequest, maxShareBytes, type StorageIndex, type StoragePeer } from './peer.ts'
import { checkBlocks, checkHave, checkProve, checkPut } from './request-bounds.ts'
import { holdVerbs } from './serve-holds.ts'
import { gatherBytes } from './share-intake.ts'
import {
  type ProveArguments,
  type PutArguments,
  formatHave,
  formatOutcome,
  formatStatus,
  haveAnswerBytes,
  parseBlocksRequest,
  parseHaveArguments,
  parseNoArguments,
  parseProveArguments,
  parsePutArguments,
  verbDeadlineMs,
} from './storage-protocol.ts'
import type { StorageVerb } from './verbs.ts'

export interface ServeOptions extends AnswerOptions {
  /** Whom it serves; everyone if absent. */
  admission?: Admission
}

/**
 * Serves `peer` on `channel`, which it owns, until the channel ends; never rejects.
 *
 * @param options.budget - bytes of bodies in flight, one for all channels of a server
 */
export async function serveStorage(
  peer: StoragePeer,
  channel: Channel,
  options: ServeOptions,
): Promise<void> {
  const { admission = openAdmission } = options
  const verbs = storageVerbs(peer, channel.remoteId)
  await answer(channel, guardVerbs(verbs, channel, admission), options)
}

/** The verbs of `peer`: see `docs/specs/storage-protocol.md`, "Verbs", for each in one line. */
function storageVerbs(peer: StoragePeer, client: string | undefined): Verbs {
  const verbs: Record<StorageVerb, Verb<unknown>> = {
    have: haveVerb(peer),
    putShare: putVerb(peer, client),
    getBlocks: blocksVerb(peer),
    prove: proveVerb(peer),
    status: statusVerb(peer),
    appendEntries: appendVerb(peer),
    readLog: readLogVerb(peer),
    ...holdVerbs(peer, client),
  }
  return new Map(Object.entries(verbs))
}

function haveVerb(peer: StoragePeer): Verb<StorageIndex[]> {
  return {
    deadlineMs: verbDeadlineMs.have,
    parse(args) {
      const indexes = parseHaveArguments(args)
      checkHave(indexes)
      return indexes
    },
    answerBytes: (indexes) => haveAnswerBytes(indexes.length),
    async handle(indexes, _body, options) {
      const bytes = formatHave(await peer.have(indexes, options))
      return { facts: [], body: { bytes: bytes.length, pieces: [bytes] } }
    },
  }
}

function putVerb(peer: StoragePeer, client: string | undefined): Verb<PutArguments> {
  return {
    deadlineMs: verbDeadlineMs.putShare,
    maxBodyBytes: maxShareBytes,
    heldBytes: gatherBytes,
    parse(args, bodyBytes) {
      const share = parsePutArguments(args)
      checkPut(share.storageIndex, share.shareNumber, bodyBytes)
      return share
    },
    async handle({ storageIndex, shareNumber, account }, pieces, { signal }) {
      const share = { shareBytes: pieces.bytes, pieces }
      const options = { signal, account, client }
      return {
        facts: formatOutcome(await peer.putShare(storageIndex, shareNumber, share, options)),
      }
    },
  }
}

function blocksVerb(peer: StoragePeer): Verb<BlocksRequest> {
  return {
    deadlineMs: verbDeadlineMs.getBlocks,
    parse(args) {
      const request = parseBlocksRequest(args)
      checkBlocks(request)
      return { ...request, maxBytes: Math.min(request.maxBytes, maxShareBytes) }
    },
    answerBytes: ({ maxBytes }) => maxBytes,
    async handle(request, _body, options) {
      const { shareNumber, header, blocks } = await peer.getBlocks(request, options)
      return {
        facts: [shareNumber, header.length],
        body: { bytes: header.length + blocks.length, pieces: [header, blocks] },
      }
    },
  }
}

function proveVerb(peer: StoragePeer): Verb<ProveArguments> {
  return {
    deadlineMs: verbDeadlineMs.prove,
    parse(args) {
      const wanted = parseProveArguments(args)
      checkProve(wanted.storageIndex, wanted.shareNumber, wanted.nonce)
      return wanted
    },
    async handle({ storageIndex, shareNumber, nonce }, _body, options) {
      return { facts: await peer.prove(storageIndex, shareNumber, nonce, options) }
    },
  }
}

function statusVerb(peer: StoragePeer): Verb<void> {
  return {
    deadlineMs: verbDeadlineMs.status,
    parse: parseNoArguments,
    async handle(_args, _body, options) {
      return { facts: formatStatus(await peer.status(options)) }
    },
  }
}

interface AppendArguments {
  logId: Uint8Array
  bodyBytes: number
}

function appendVerb(peer: StoragePeer): Verb<AppendArguments> {
  return {
    deadlineMs: verbDeadlineMs.appendEntries,
    maxBodyBytes: maxAppendBodyBytes,
    parse: (args, bodyBytes) => ({ logId: parseLogId(args), bodyBytes }),
    // the body is held whole, and more than what is under way of it counts as much as an answer
    answerBytes: ({ bodyBytes }) => Math.max(0, bodyBytes - bodyWindowBytes),
    async handle({ logId }, pieces, options) {
      const taken: Uint8Array[] = []
      for await (const piece of pieces) taken.push(piece)
      const request = parseAppend(logId, concat(...taken))
      return { facts: formatAppended(await peer.appendEntries(request, options)) }
    },
  }
}

function readLogVerb(peer: StoragePeer): Verb<ReadLogRequest> {
  return {
    deadlineMs: verbDeadlineMs.readLog,
    parse(args) {
      const request = parseReadLog(args)
      checkReadRequest(request)
      return request
    },
    answerBytes: ({ maxBytes }) => readAnswerBytes(maxBytes),
    async handle(request, _body, options) {
      const reply = await peer.readLog(request, options)
      const bytes = formatLog(reply)
      return { facts: reply.complete ? 1 : 0, body: { bytes: bytes.length, pieces: [bytes] } }
    },
  }
}

function parseLogId(args: CborValue): Uint8Array {
  const [logId] = Array.isArray(args) && args.length === 1 ? (args as CborValue[]) : []
  if (logId instanceof Uint8Array && logId.length === logIdBytes) return logId
  throw new GridError('E_BAD_REQUEST', 'arguments that are not of the form the verb takes')
}
