/** A storage server at the other end of a channel. Nothing it says is believed but by its form. */
import type { CborValue } from '../base/cbor.ts'
import { plainText } from '../base/plain-text.ts'
import { GridError } from '../base/errors.ts'
import type {
  AppendReply,
  AppendRequest,
  LogRequestOptions,
  ReadLogReply,
  ReadLogRequest,
} from '../log/log-peer.ts'
import type { CallAnswer, CallOptions } from '../wire/call.ts'
import type { Caller } from '../wire/caller.ts'
import { checkReadRequest } from '../log/log-request.ts'
import { checkCredentialBounds, checkListHolds, checkRelease, checkTouch } from './hold-bounds.ts'
import {
  formatCredentials,
  formatListHolds,
  formatReleaseBody,
  formatRenew,
  formatTouch,
  listedBytes,
  parseAccount,
  parseChallenge,
  parseListed,
  parseReleased,
  parseTouched,
} from './hold-messages.ts'
import type {
  Account,
  Credentials,
  ListHoldsReply,
  ListHoldsRequest,
  ReleaseReply,
  SignedRelease,
  TouchOutcome,
} from './hold-peer.ts'
import { checkAppend } from './log-bounds.ts'
import {
  formatAppend,
  formatReadLog,
  parseLog,
  parseAppended,
  readAnswerBytes,
} from './log-messages.ts'
import {
  type BlocksReply,
  type BlocksRequest,
  maxShareBytes,
  type PeerStatus,
  type PutOutcome,
  type RequestOptions,
  type ShareBody,
  type StorageIndex,
  type StoragePeer,
} from './peer.ts'
import { checkBlocks, checkHave, checkProve, checkPut } from './request-bounds.ts'
import {
  formatBlocksRequest,
  formatPutArguments,
  haveAnswerBytes,
  parseBlocksFacts,
  parseHave,
  parseOutcome,
  parseStatus,
  verbDeadlineMs,
} from './storage-protocol.ts'

/** Bytes of an answer to `prove`. */
const proofBytes = 32

/**
 * `StoragePeer` over `/grid/storage/1`. Requests that no server would take are refused here, with
 * the server's code. Besides the server's errors it throws those of `Caller.call`.
 */
export class RemotePeer implements StoragePeer {
  readonly id: string
  readonly #caller: Pick<Caller, 'call'>

  /** `id` is the peer id that the carrier has authenticated; the caller stays the maker's to close. */
  constructor(id: string, caller: Pick<Caller, 'call'>) {
    this.id = id
    this.#caller = caller
  }

  async have(indexes: readonly StorageIndex[], options: RequestOptions = {}): Promise<number[][]> {
    checkHave(indexes)
    const { body } = await this.#call('have', indexes, options, {
      maxAnswerBytes: haveAnswerBytes(indexes.length),
    })
    return parseHave(body, indexes.length)
  }

  async putShare(
    storageIndex: StorageIndex,
    shareNumber: number,
    share: ShareBody,
    options: RequestOptions = {},
  ): Promise<PutOutcome> {
    const { shareBytes, pieces } = share
    checkPut(storageIndex, shareNumber, shareBytes)
    try {
      const args = formatPutArguments({ storageIndex, shareNumber, account: options.account })
      const { facts } = await this.#call('putShare', args, options, {
        body: { bytes: shareBytes, pieces },
      })
      return parseOutcome(facts)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new GridError('E_SHARE', 'the share is not as long as declared', { cause: error })
    }
  }

  async getBlocks(request: BlocksRequest, options: RequestOptions = {}): Promise<BlocksReply> {
    checkBlocks(request)
    const maxBytes = Math.min(request.maxBytes, maxShareBytes)
    const { facts, body } = await this.#call(
      'getBlocks',
      formatBlocksRequest({ ...request, maxBytes }),
      options,
      {
        maxAnswerBytes: maxBytes,
      },
    )
    const { shareNumber, headerBytes } = parseBlocksFacts(facts)
    const unasked = request.shareNumber !== undefined && shareNumber !== request.shareNumber
    if (unasked || headerBytes > (request.header ? body.length : 0)) {
      throw new GridError('E_PROTOCOL', 'the answer to getBlocks is not what was asked for')
    }
    return {
      shareNumber,
      header: body.subarray(0, headerBytes),
      blocks: body.subarray(headerBytes),
    }
  }

  async prove(
    storageIndex: StorageIndex,
    shareNumber: number,
    nonce: Uint8Array,
    options: RequestOptions = {},
  ): Promise<Uint8Array> {
    checkProve(storageIndex, shareNumber, nonce)
    const { facts } = await this.#call('prove', [storageIndex, shareNumber, nonce], options)
    if (facts instanceof Uint8Array && facts.length === proofBytes) return facts
    throw new GridError('E_PROTOCOL', 'the answer to prove is malformed')
  }

  async status(options: RequestOptions = {}): Promise<PeerStatus> {
    const { facts } = await this.#call('status', [], options)
    const status = parseStatus(facts)
    return { ...status, software: plainText(status.software) }
  }

  async appendEntries(
    request: AppendRequest,
    options: LogRequestOptions = {},
  ): Promise<AppendReply> {
    checkAppend(request)
    const body = formatAppend(request)
    const { facts } = await this.#call('appendEntries', [request.logId], options, {
      body: { bytes: body.length, pieces: [body] },
    })
    return parseAppended(facts, request.entries.length)
  }

  async readLog(request: ReadLogRequest, options: LogRequestOptions = {}): Promise<ReadLogReply> {
    checkReadRequest(request)
    const { facts, body } = await this.#call('readLog', formatReadLog(request), options, {
      maxAnswerBytes: readAnswerBytes(request.maxBytes),
    })
    return parseLog(facts, body)
  }

  /** Shows who asks over this connection. @throws E_CERTIFICATE, E_REVOKED */
  async showMembership(certificate: Uint8Array, options: RequestOptions = {}): Promise<void> {
    await this.#call('member', [certificate], options)
  }

  async challenge(options: RequestOptions = {}): Promise<Uint8Array> {
    const { facts } = await this.#call('challenge', [], options)
    return parseChallenge(facts)
  }

  async enter(credentials: Credentials, options: RequestOptions = {}): Promise<Account> {
    checkCredentialBounds(credentials)
    const { facts } = await this.#call('enter', formatCredentials(credentials), options)
    return parseAccount(facts)
  }

  async touch(
    indexes: readonly StorageIndex[],
    options: RequestOptions = {},
  ): Promise<TouchOutcome[]> {
    checkTouch(indexes)
    const { facts } = await this.#call('touch', formatTouch(indexes, options.account), options)
    return parseTouched(facts, indexes.length)
  }

  async renew(
    indexes: readonly StorageIndex[],
    options: RequestOptions = {},
  ): Promise<TouchOutcome[]> {
    checkTouch(indexes)
    const { facts } = await this.#call('renew', formatRenew(indexes), options)
    return parseTouched(facts, indexes.length)
  }

  async listHolds(
    request: ListHoldsRequest,
    options: RequestOptions = {},
  ): Promise<ListHoldsReply> {
    checkListHolds(request)
    const args = formatListHolds(request, options.account)
    const maxAnswerBytes = listedBytes(request.limit)
    const { facts, body } = await this.#call('listHolds', args, options, { maxAnswerBytes })
    return parseListed(facts, body, request)
  }

  async release(release: SignedRelease, options: RequestOptions = {}): Promise<ReleaseReply> {
    checkRelease(release)
    const bytes = formatReleaseBody(release)
    const body = { bytes: bytes.length, pieces: [bytes] }
    const { facts } = await this.#call('release', [], options, { body })
    return parseReleased(facts)
  }

  #call(
    verb: keyof typeof verbDeadlineMs,
    args: CborValue,
    { signal, onProgress }: RequestOptions,
    bodies: Pick<CallOptions, 'body' | 'maxAnswerBytes'> = {},
  ): Promise<CallAnswer> {
    const deadlineMs = verbDeadlineMs[verb]
    return this.#caller.call(verb, args, { signal, onProgress, deadlineMs, ...bodies })
  }
}
