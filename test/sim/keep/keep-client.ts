/** One life of a machine that asks servers: its clock, and how it is known to them. */
import { signMessage } from '../../../src/base/ed25519.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { AccountPeer } from '../../../src/node/peers/account-peer.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { DirectPeer } from '../direct-peer.ts'
import { HostClock } from '../host-clock.ts'
import type { KeepParts } from './keep-parts.ts'
import { dayMs } from './keep-plan.ts'

export class KeepClient {
  readonly id: string
  readonly clock: HostClock
  /** In the order of the servers. */
  readonly peers: readonly StoragePeer[]
  readonly #parts: KeepParts

  /** @param device - whose key of the log it has, and on whose account it asks; undefined for none */
  constructor(id: string, parts: KeepParts, device?: number) {
    this.id = id
    this.#parts = parts
    this.clock = new HostClock(parts.clock)
    const peers = parts.servers.map(({ server }) => new DirectPeer(server, this.clock, id))
    this.peers = device === undefined ? peers : peers.map((peer) => this.#onAccount(peer, device))
  }

  pause(meanMs: number): Promise<void> {
    const delayMs = Math.min(this.#parts.random.exponential(meanMs), 20 * dayMs)
    return new Promise((resolve) => void this.clock.after(delayMs, resolve))
  }

  #onAccount(peer: StoragePeer, device: number): StoragePeer {
    const { log, genesis } = { log: this.#parts.log, genesis: this.#parts.log.log.genesis }
    const seed = log.log.deviceSeed(device)
    const credentials = {
      ...{ genesis, certificate: log.certificateOf(device), key: log.log.deviceKey(device) },
      sign: (message: Uint8Array) => signMessage(seed, message),
    }
    return new AccountPeer({ peer, credentials, clientId: this.id })
  }
}

/** What came of `work`, or undefined where it was refused. */
export async function orRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isGridError(error)) return undefined
    throw error
  }
}
