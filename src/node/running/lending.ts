/**
 * A running node lends its warm connections to the command line, over a Unix socket: each
 * connection begins with the id of the peer that it is to reach (`u8 length ‖ id`), and then
 * carries the storage protocol; without an id it answers who the peers are. The command line does
 * its own reading, coding and deriving, so that caps and keys never reach the node.
 */
import type { CborValue } from '../../base/cbor.ts'
import type { Channel } from '../../base/channel.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import type { Budget } from '../../base/limit.ts'
import { utf8 } from '../../base/bytes.ts'
import { serveStorage } from '../../storage/serve.ts'
import { answer, type Verbs } from '../../wire/answerer.ts'
import { openCaller } from '../../wire/caller.ts'
import type { Candidate } from '../peers/candidate.ts'
import { connectStorage } from '../peers/connect-storage.ts'
import { DialledPeer } from '../peers/dialled-peer.ts'
import type { IntroducerReport, PeerPool } from '../peers/peer-pool.ts'
import { listVerb, maxLongBytes, valueOf } from './long-answer.ts'

const peersVerb = 'peers'
const introducersVerb = 'introducers'
const peersDeadlineMs = 10_000
/** Of why an introducer does not answer. */
const maxErrorChars = 200
const askDeadlineMs = 60_000

/**
 * Serves one connection of a borrower; `channel` is a new one from the socket.
 *
 * @param options.more - what the node answers itself, beside who its peers are
 */
export async function lend(
  pool: PeerPool,
  channel: Channel,
  options: { clock: Clock; budget: Budget; more?: Verbs },
): Promise<void> {
  const [id, rest] = await readId(channel)
  if (id === '')
    return answer(rest, new Map([...lenderVerbs(pool), ...(options.more ?? [])]), options)
  const candidate = pool.candidates().find((known) => known.id === id)
  if (candidate === undefined) {
    channel.abort(new GridError('E_UNREACHABLE', 'no such peer'))
    return undefined
  }
  return serveStorage(candidate.peer, rest, options)
}

/**
 * Asks a running node something itself. `connect` opens a connection to its socket.
 *
 * @throws E_UNREACHABLE, what the node answers with, the signal's reason
 */
export async function askNode(
  connect: () => Promise<Channel>,
  request: { verb: string; args: CborValue },
  options: { clock: Clock; signal?: AbortSignal },
): Promise<CborValue> {
  const channel = await connect()
  await channel.send([Uint8Array.of(0)])
  const caller = await openCaller(channel, options)
  try {
    const { signal } = options
    const { verb, args } = request
    const asking = { deadlineMs: askDeadlineMs, maxAnswerBytes: maxLongBytes, signal }
    return valueOf(await caller.call(verb, args, asking))
  } finally {
    caller.close()
  }
}

/** Borrows a node's peers. `connect` opens a connection to its socket. Throws E_UNREACHABLE. */
export async function borrowPeers(
  connect: () => Promise<Channel>,
  options: { clock: Clock },
): Promise<PeerPool> {
  const { clock } = options
  const open = async (id: string): Promise<Channel> => {
    const channel = await connect()
    await channel.send([Uint8Array.of(id.length), utf8(id)])
    return channel
  }
  const caller = await openCaller(await open(''), { clock })
  const asking = { deadlineMs: peersDeadlineMs, maxAnswerBytes: maxLongBytes }
  const rows = valueOf(await caller.call(peersVerb, [], asking))
  caller.close()
  const peers: DialledPeer[] = []
  const nicknames = new Map<string, string>()
  const candidates = parsePeers(rows).map(({ id, nickname, domain, accepts }): Candidate => {
    const connectPeer = async () => connectStorage(id, await open(id), { clock })
    const peer = new DialledPeer({ id, clock, connect: connectPeer })
    peers.push(peer)
    nicknames.set(id, nickname)
    return { id, domain, accepts, peer }
  })
  return {
    ready: async () => {},
    candidates: () => candidates,
    note: () => undefined,
    nickname: (id) => nicknames.get(id) ?? id,
    introducers: ({ signal } = {}) => askIntroducers(connect, { clock, signal }),
    close: async () => {
      for (const peer of peers) peer.close()
    },
  }
}

function lenderVerbs(pool: PeerPool): Verbs {
  const peers = async (signal: AbortSignal): Promise<CborValue> => {
    await pool.ready({ signal })
    return pool
      .candidates()
      .map(({ id, domain, accepts }) => [id, pool.nickname(id), domain ?? '', accepts ? 1 : 0])
  }
  const introducers = async (signal: AbortSignal): Promise<CborValue> => {
    const reports = (await pool.introducers?.({ signal })) ?? []
    return reports.map(({ id, error }) => [id, error?.slice(0, maxErrorChars) ?? ''])
  }
  return new Map([
    [peersVerb, listVerb(peers, { deadlineMs: peersDeadlineMs })],
    [introducersVerb, listVerb(introducers, { deadlineMs: peersDeadlineMs })],
  ])
}

/** None from a node of before it could be asked. Throws as `askNode` does. */
async function askIntroducers(
  connect: () => Promise<Channel>,
  options: { clock: Clock; signal?: AbortSignal },
): Promise<IntroducerReport[]> {
  try {
    const request = { verb: introducersVerb, args: [] }
    return parseIntroducers(await askNode(connect, request, options))
  } catch (error) {
    if (isGridError(error, 'E_UNKNOWN_VERB')) return []
    throw error
  }
}

function parseIntroducers(facts: CborValue): IntroducerReport[] {
  if (!Array.isArray(facts)) throw malformed()
  return (facts as CborValue[]).map((row) => {
    if (!Array.isArray(row) || row.length !== 2) throw malformed()
    const [id, error] = row as CborValue[]
    if (typeof id !== 'string' || typeof error !== 'string') throw malformed()
    return { id, answers: error === '', error: error === '' ? undefined : error }
  })
}

interface LentPeer {
  id: string
  nickname: string
  domain: string | undefined
  accepts: boolean
}

function parsePeers(rows: CborValue): LentPeer[] {
  if (!Array.isArray(rows)) throw malformed()
  return (rows as CborValue[]).map((row) => {
    if (!Array.isArray(row) || row.length !== 4) throw malformed()
    const [id, nickname, domain, accepts] = row as CborValue[]
    if (typeof id !== 'string' || typeof nickname !== 'string' || typeof domain !== 'string')
      throw malformed()
    return { id, nickname, domain: domain === '' ? undefined : domain, accepts: accepts === 1 }
  })
}

function malformed(): GridError {
  return new GridError('E_PROTOCOL', 'the running node answered with something else than peers')
}

/** Reads the id at the start of a channel; returns it and the channel behind it. */
async function readId(channel: Channel): Promise<[id: string, rest: Channel]> {
  const source = channel.source[Symbol.asyncIterator]()
  let bytes: Uint8Array = new Uint8Array(0)
  while (bytes.length === 0 || bytes.length < 1 + bytes[0]) {
    const next = await source.next()
    if (next.done) throw new GridError('E_PROTOCOL', 'the connection ended before it said for whom')
    bytes = bytes.length === 0 ? next.value : Uint8Array.from([...bytes, ...next.value])
  }
  const length = bytes[0]
  const id = new TextDecoder().decode(bytes.subarray(1, 1 + length))
  const left = bytes.subarray(1 + length)
  const rest = (async function* () {
    if (left.length > 0) yield left
    yield* { [Symbol.asyncIterator]: () => source }
  })()
  return [id, new ChannelBehind(channel, rest)]
}

/** A channel of which the start has been read. */
class ChannelBehind implements Channel {
  readonly source: AsyncIterable<Uint8Array>
  readonly #channel: Channel

  constructor(channel: Channel, source: AsyncIterable<Uint8Array>) {
    this.#channel = channel
    this.source = source
  }

  get remoteId(): string | undefined {
    return this.#channel.remoteId
  }

  get remoteAddress(): string | undefined {
    return this.#channel.remoteAddress
  }

  send(pieces: readonly Uint8Array[]): Promise<void> {
    return this.#channel.send(pieces)
  }

  close(): Promise<void> {
    return this.#channel.close()
  }

  abort(reason: Error): void {
    this.#channel.abort(reason)
  }
}
