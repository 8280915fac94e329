/**
 * What is said between a node and an introducer, both ways (docs/specs/introducer.md, "Protocol"):
 * verbs, bounds, and the shape of arguments and answers.
 */
import type { CborValue } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'
import { maxAnnouncementBytes } from './announcement.ts'
import { maxShelvedBytes } from './revocation-shelf.ts'

export const introducerProtocol = '/grid/introducer/1'
export const publishVerb = 'publish'
export const listVerb = 'list'
export const revokedVerb = 'revoked'

/** The longest that a `list` waits for news: shorter than what ends an idle request. */
export const maxWaitMs = 20_000
/** Bytes of announcements in one answer, which must fit the head of a frame. */
export const maxPageBytes: number = 48 * 1024
/** Nodes of one introducer, and so announcements that a first listing can hold. */
export const maxNodes = 1000

export interface ListRequest {
  /** What came after this; 0 for everything. */
  cursor: number
  /** 0 … 20,000: how long to wait while there is nothing. */
  waitMs: number
}

export interface ListReply {
  /** What to ask for next. */
  cursor: number
  /** Whether that is all there is now. */
  complete: boolean
  /** As signed; not verified. */
  announcements: readonly Uint8Array[]
}

/** What one side has of the list of revoked members, as a question and as its answer. */
export interface RevokedNews {
  /** Of the list that is held; 0 for none. */
  seq: number
  /** The list, where the other side's is older; empty otherwise. */
  list: Uint8Array
}

export function formatPublish(announcement: Uint8Array): CborValue {
  return [announcement]
}

/** Throws E_BAD_REQUEST. */
export function parsePublish(args: CborValue): Uint8Array {
  const [bytes] = fields(args, 1) ?? []
  if (!(bytes instanceof Uint8Array) || bytes.length > maxAnnouncementBytes) throw badRequest()
  return bytes
}

export function formatListRequest({ cursor, waitMs }: ListRequest): CborValue {
  return [cursor, waitMs]
}

/** Throws E_BAD_REQUEST. */
export function parseListRequest(args: CborValue): ListRequest {
  const [cursor, waitMs] = fields(args, 2) ?? []
  if (!isCount(cursor) || !isCount(waitMs) || waitMs > maxWaitMs) throw badRequest()
  return { cursor, waitMs }
}

export function formatListReply({ cursor, complete, announcements }: ListReply): CborValue {
  return [cursor, complete ? 1 : 0, announcements]
}

/** Throws E_PROTOCOL, also for an answer that leads nowhere: no news, yet more to come. */
export function parseListReply(facts: CborValue, asked: ListRequest): ListReply {
  const [cursor, complete, list] = fields(facts, 3) ?? []
  if (!isCount(cursor) || (complete !== 0 && complete !== 1) || !Array.isArray(list)) {
    throw badReply()
  }
  const announcements: readonly CborValue[] = list
  if (!announcements.every((bytes) => bytes instanceof Uint8Array)) throw badReply()
  if (cursor < asked.cursor || (complete === 0 && cursor === asked.cursor)) throw badReply()
  return { cursor, complete: complete === 1, announcements }
}

export function formatRevoked({ seq, list }: RevokedNews): CborValue {
  return [seq, list]
}

/** Throws E_BAD_REQUEST. */
export function parseRevokedRequest(args: CborValue): RevokedNews {
  const news = toRevoked(args)
  if (news === undefined) throw badRequest()
  return news
}

/** Throws E_PROTOCOL. */
export function parseRevokedReply(facts: CborValue): RevokedNews {
  const news = toRevoked(facts)
  if (news === undefined) throw badReply()
  return news
}

function toRevoked(value: CborValue): RevokedNews | undefined {
  const [seq, list] = fields(value, 2) ?? []
  if (!isCount(seq) || !(list instanceof Uint8Array) || list.length > maxShelvedBytes) {
    return undefined
  }
  return { seq, list }
}

function fields(value: CborValue, count: number): readonly CborValue[] | undefined {
  return Array.isArray(value) && value.length === count ? value : undefined
}

function isCount(value: CborValue | undefined): value is number {
  return typeof value === 'number' && value >= 0
}

function badRequest(): GridError {
  return new GridError('E_BAD_REQUEST', 'arguments of the wrong shape or out of bounds')
}

function badReply(): GridError {
  return new GridError('E_PROTOCOL', 'the introducer answered in the wrong shape')
}
