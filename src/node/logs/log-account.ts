/**
 * The account of a log at the servers of a grid (docs/specs/holds.md): what is put through its
 * candidates is held for it, and what it holds can be listed, touched and, with a signed release,
 * given up.
 */
import { toHex } from '../../base/bytes.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import { heardByMany } from '../../base/deadline.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { Budget, within } from '../../base/limit.ts'
import type { LogEntry } from '../../log/entry.ts'
import { maxListedHolds, maxTouchIndexes, type ReleaseReply } from '../../storage/hold-peer.ts'
import type { PeerStatus, StorageIndex, StoragePeer } from '../../storage/peer.ts'
import { type AccountCredentials, AccountPeer } from '../peers/account-peer.ts'
import type { Candidate, PeerVerdict } from '../peers/candidate.ts'
import { verdictOf } from '../peers/candidate.ts'
import type { PeerPool } from '../peers/peer-pool.ts'

export interface LogAccountParts {
  peers: PeerPool
  credentials: AccountCredentials
  /** Peer id that servers know this client by. */
  clientId: string
  clock: Clock
}

/** What a server holds for the account of one object. */
export interface HeldObject {
  storageIndex: StorageIndex
  /** By the server's clock. */
  touchedMs: number
  chargedBytes: number
}

export interface TouchReport {
  /** By the hex of the storage index: servers that hold it now. None for one that no server has. */
  holders: ReadonlyMap<string, number>
  /** Of those, how many objects had been released and are back at some server. */
  readopted: number
  /** Servers that did not answer all of it, and why. */
  verdicts: readonly PeerVerdict[]
}

interface Options {
  signal?: AbortSignal
}

/** Batches of touches on their way at once to one server. */
const flyingBatches = 2
/** How long a list waits where a server gives no more of it for now, and how often. */
const ratePauseMs = 2000
const maxRatePauses = 60
/** Of 15 TB and more. A server that names more makes them up. */
const maxHeldObjects = 2 ** 23

export class LogAccount {
  readonly #parts: LogAccountParts
  /** By peer id. */
  readonly #onAccount = new Map<string, { peer: StoragePeer; account: AccountPeer }>()

  constructor(parts: LogAccountParts) {
    this.#parts = parts
  }

  /** Every peer known now, each on the account. */
  candidates(): Candidate[] {
    return this.#parts.peers.candidates().map((candidate) => {
      return { ...candidate, peer: this.#peerOn(candidate.peer) }
    })
  }

  /** Touches objects at every server that has any of them. What does not answer holds nothing. */
  async touch(indexes: readonly StorageIndex[], options: Options = {}): Promise<TouchReport> {
    await this.#parts.peers.ready(options)
    const holders = new Map<string, number>()
    const readopted = new Set<string>()
    const verdicts: PeerVerdict[] = []
    const atPeer = async ({ peer }: Candidate): Promise<void> => {
      const flying = new Budget(flyingBatches)
      const stop = new AbortController()
      const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
      const batches = batchesOf(indexes, maxTouchIndexes).map((batch) =>
        within(flying, 1, async () => {
          signal.throwIfAborted()
          const outcomes = await this.#touchAt(peer, batch, { signal })
          for (const [i, outcome] of outcomes.entries()) {
            if (outcome === 'absent') continue
            const key = toHex(batch[i])
            holders.set(key, (holders.get(key) ?? 0) + 1)
            if (outcome === 'readopted') readopted.add(key)
          }
        }).catch((error: unknown) => {
          stop.abort(error)
          throw error
        }),
      )
      const failed = (await Promise.allSettled(batches)).find(({ status }) => status === 'rejected')
      options.signal?.throwIfAborted()
      if (failed?.status === 'rejected') verdicts.push(verdictOf(peer.id, failed.reason))
    }
    await Promise.all(this.candidates().map(atPeer))
    return { holders, readopted: readopted.size, verdicts }
  }

  /** How servers are; those that answered. */
  async statuses(options: Options = {}): Promise<{ server: string; status: PeerStatus }[]> {
    await this.#parts.peers.ready(options)
    const heard = heardByMany(options)
    const asked = this.candidates().map(async ({ peer }) => {
      return { server: peer.id, status: await peer.status(heard) }
    })
    const answers = await Promise.allSettled(asked)
    options.signal?.throwIfAborted()
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
  }

  /**
   * Yields what a server holds for the account, ascending by storage index. Throws E_UNREACHABLE
   * and what it answers; E_FORBIDDEN where no accounts are kept; E_TOO_LARGE for a list without an end.
   */
  async *held(server: string, options: Options = {}): AsyncGenerator<HeldObject[]> {
    const { peer } = this.#candidate(server)
    let after: StorageIndex | undefined
    let count = 0
    for (;;) {
      const request = { after, limit: maxListedHolds, which: 'held' } as const
      const { holds, complete } = await this.#patiently(
        () => peer.listHolds(request, options),
        options,
      )
      count += holds.length
      if (count > maxHeldObjects)
        throw new GridError(
          'E_TOO_LARGE',
          `it says that it holds more than ${maxHeldObjects} objects`,
        )
      yield holds
      after = holds.at(-1)?.storageIndex
      if (complete || after === undefined) return
    }
  }

  /** Hands a release that is in the log to a server. Throws as `HoldPeer.release` does. */
  release(server: string, entry: LogEntry, options: Options = {}): Promise<ReleaseReply> {
    const { genesis, certificate } = this.#parts.credentials
    const { header, signature, body = new Uint8Array(0) } = entry
    const signed = { header, signature, body, genesis, certificate }
    return this.#candidate(server).peer.release(signed, options)
  }

  /** Asks again, for two minutes, while the server has too much to do. */
  async #patiently<T>(ask: () => Promise<T>, options: Options): Promise<T> {
    for (let pauses = 0; ; pauses++) {
      try {
        return await ask()
      } catch (error) {
        if (!isGridError(error, 'E_RATE') || pauses >= maxRatePauses) throw error
        await sleep(this.#parts.clock, ratePauseMs, options)
      }
    }
  }

  #candidate(server: string): Candidate & { peer: AccountPeer } {
    const found = this.#parts.peers.candidates().find(({ id }) => id === server)
    if (found === undefined)
      throw new GridError('E_UNREACHABLE', 'the server is not among those known any more')
    return { ...found, peer: this.#peerOn(found.peer) }
  }

  #peerOn(peer: StoragePeer): AccountPeer {
    const known = this.#onAccount.get(peer.id)
    if (known?.peer === peer) return known.account
    const { credentials, clientId } = this.#parts
    const account = new AccountPeer({ peer, credentials, clientId })
    this.#onAccount.set(peer.id, { peer, account })
    return account
  }

  /** A server that keeps no accounts keeps all that was put: there it is enough that it has it. */
  async #touchAt(
    peer: StoragePeer,
    batch: readonly StorageIndex[],
    options: Options,
  ): Promise<readonly ('absent' | 'held' | 'readopted')[]> {
    try {
      return await peer.touch(batch, options)
    } catch (error) {
      const mayKeepNone = isGridError(error, 'E_FORBIDDEN', 'E_UNKNOWN_VERB')
      const account = this.#onAccount.get(peer.id)?.account
      if (!mayKeepNone || (await account?.account(options)) !== undefined) throw error
      const numbers = await peer.have(batch, options)
      return numbers.map(({ length }) => (length > 0 ? 'held' : 'absent'))
    }
  }
}

function batchesOf<T>(items: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, i) =>
    items.slice(i * length, (i + 1) * length),
  )
}
