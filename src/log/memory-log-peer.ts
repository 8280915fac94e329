/** A server that keeps logs in memory: what any server must do, without a disk. */
import { compareBytes, toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { GridError } from '../base/errors.ts'
import { peerIdOf } from '../base/peer-id.ts'
import {
  isBodyOf,
  type EntryKind,
  type ReadHeader,
  readHeader,
  type SignedHeader,
} from './entry.ts'
import {
  type AppendReply,
  type AppendRequest,
  type AppendVerdict,
  entryWireBytes,
  type ForkEvidence,
  type HandedEntry,
  type KeptEntry,
  type LogPeer,
  maxForkEvidence,
  type ReadLogReply,
  type ReadLogRequest,
} from './log-peer.ts'
import {
  checkAppendRequest,
  checkReadRequest,
  entriesAskedFor,
  isBodyWanted,
} from './log-request.ts'
import { LogState } from './log-state.ts'
import { type Receipt, signReceipt } from './receipt.ts'

interface Held extends KeptEntry {
  readonly id: Uint8Array
  readonly kind: EntryKind
  readonly receipt: Receipt
}

interface KeptLog {
  genesis: Uint8Array
  state: LogState
  /** By the hex of the author's key, each by seq from 1. */
  chains: Map<string, Held[]>
  forks: ForkEvidence[]
}

const maxForksInAll = 64

export class MemoryLogPeer implements LogPeer {
  readonly id: string
  readonly #nodeKey: { seed: Uint8Array; publicKey: Uint8Array }
  readonly #clock: Clock
  readonly #logs = new Map<string, KeptLog>()

  /** @param seed - of the Ed25519 key that signs receipts, 32 bytes */
  constructor({ seed, clock }: { seed: Uint8Array; clock: Clock }) {
    this.#nodeKey = { seed, publicKey: publicKeyOfSeed(seed) }
    this.#clock = clock
    this.id = peerIdOf(this.#nodeKey.publicKey)
  }

  get publicKey(): Uint8Array {
    return this.#nodeKey.publicKey
  }

  async appendEntries(request: AppendRequest): Promise<AppendReply> {
    checkAppendRequest(request)
    const log = this.#open(request)
    const verdicts: AppendVerdict[] = []
    for (const entry of request.entries) {
      const verdict = this.#append(log, entry)
      verdicts.push(verdict)
      if (verdict.outcome !== 'stored' && verdict.outcome !== 'had') break
    }
    const { state } = log
    return { verdicts, adminSeq: state.chainOf(state.genesis.adminKey)?.seq ?? 0 }
  }

  async readLog(request: ReadLogRequest): Promise<ReadLogReply> {
    checkReadRequest(request)
    const log = this.#logs.get(toHex(request.logId))
    if (log === undefined) throw new GridError('E_ABSENT', 'no such log here')
    const entries: KeptEntry[] = []
    let bytes = 0
    let complete = true
    for (const { author, seq } of entriesAskedFor(log.state, request)) {
      const entry = shown(log.chains.get(toHex(author))![seq - 1], request)
      bytes += entryWireBytes(entry)
      complete = bytes <= request.maxBytes
      if (!complete) break
      entries.push(entry)
    }
    return {
      genesis: request.genesis ? log.genesis.slice() : undefined,
      heads: log.state.heads,
      entries,
      forks: [...log.forks],
      complete,
    }
  }

  #open({ logId, genesis }: AppendRequest): KeptLog {
    const key = toHex(logId)
    const held = this.#logs.get(key)
    if (held !== undefined) return held
    if (genesis === undefined) throw new GridError('E_ABSENT', 'no such log here')
    const state = new LogState(logId.slice(), genesis, this.publicKey)
    const log = { genesis: genesis.slice(), state, chains: new Map<string, Held[]>(), forks: [] }
    this.#logs.set(key, log)
    return log
  }

  #append(log: KeptLog, handed: HandedEntry): AppendVerdict {
    const nowMs = this.#clock.nowMs()
    const acceptance = log.state.check(handed, nowMs)
    switch (acceptance.outcome) {
      case 'take':
        return { outcome: 'stored', receipt: this.#take(log, acceptance, handed.body, nowMs) }
      case 'had':
        return { outcome: 'had', receipt: keepBody(log, acceptance.entry, handed.body).receipt }
      case 'conflict':
        return { outcome: 'conflict', held: keepEvidence(log, acceptance.entry) }
      default:
        return acceptance
    }
  }

  #take(
    log: KeptLog,
    { entry, late }: { entry: ReadHeader; late: boolean },
    body: Uint8Array | undefined,
    receivedMs: number,
  ): Receipt {
    const { logId } = log.state
    const receipt = signReceipt({ logId, id: entry.id }, { receivedMs, late }, this.#nodeKey)
    log.state.take(entry, body, { receivedMs, late })
    const key = toHex(entry.fields.author)
    const chain = log.chains.get(key) ?? []
    log.chains.set(key, chain)
    chain.push({
      header: entry.header.slice(),
      signature: entry.signature.slice(),
      body: body?.slice(),
      id: entry.id,
      kind: entry.fields.kind,
      receipt,
    })
    return receipt
  }
}

/** Keeps a body that was missing, if it is the right one; gives what is held. */
function keepBody(log: KeptLog, entry: ReadHeader, body: Uint8Array | undefined): Held {
  const held = heldAt(log, entry)
  if (held.body !== undefined || body === undefined) return held
  if (!isBodyOf(entry.fields, body)) return held
  const whole = { ...held, body: body.slice() }
  log.chains.get(toHex(entry.fields.author))![entry.fields.seq - 1] = whole
  return whole
}

function heldAt(log: KeptLog, { fields }: ReadHeader): Held {
  return log.chains.get(toHex(fields.author))![fields.seq - 1]
}

/** Keeps what conflicts, unless it is kept already or there is too much; gives what is held. */
function keepEvidence(log: KeptLog, entry: ReadHeader): SignedHeader {
  const { header, signature } = heldAt(log, entry)
  const held = { header, signature }
  const ofChain = log.forks.filter((fork) => {
    const { author } = readHeader(fork.held).fields
    return compareBytes(author, entry.fields.author) === 0
  })
  const isKnown = ofChain.some(({ other }) => compareBytes(other.header, entry.header) === 0)
  if (!isKnown && ofChain.length < maxForkEvidence && log.forks.length < maxForksInAll) {
    const other = { header: entry.header.slice(), signature: entry.signature.slice() }
    log.forks.push({ held, other })
  }
  return held
}

function shown(held: Held, request: ReadLogRequest): KeptEntry {
  const { header, signature, body, receipt } = held
  return {
    header,
    signature,
    body: isBodyWanted(request.bodies, held.kind) ? body : undefined,
    receipt: request.receipts ? receipt : undefined,
  }
}
