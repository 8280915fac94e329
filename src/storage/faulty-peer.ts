/**
 * A server that misbehaves: wraps a peer and carries out a fault of `faults.ts`. Deterministic, as
 * its time and its randomness come through ports; for tests and for the simulation.
 */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { StoragePeer } from './peer.ts'
import { type Asked, askPeer, type Call, type Reply, type StorageVerb } from './verbs.ts'
import { WrappingPeer } from './wrapping-peer.ts'

/** One call that a fault may spoil. */
export interface FaultyCall<V extends StorageVerb> {
  asked: Asked<V>
  /** Makes the call as it came, and gives the true answer. */
  honest: () => Promise<Reply<V>>
  signal: AbortSignal | undefined
  /** The peer that is wrapped, for other calls than the one that came. */
  peer: StoragePeer
  clock: Clock
  random: Random
}

/** What comes of a call instead of the truth. */
export type Handler<V extends StorageVerb> = (call: FaultyCall<V>) => Promise<Reply<V>>

/** One way to misbehave: verbs that are left out are answered honestly. */
export type Fault = { readonly [V in StorageVerb]?: Handler<V> }

export interface FaultyPeerOptions {
  peer: StoragePeer
  clock: Clock
  random: Random
  fault?: Fault
}

export class FaultyPeer extends WrappingPeer {
  /** What is wrong with it; may be changed at any time, and undefined heals it. */
  fault: Fault | undefined
  readonly #options: FaultyPeerOptions

  constructor(options: FaultyPeerOptions) {
    super()
    this.#options = options
    this.fault = options.fault
  }

  override get id(): string {
    return this.#options.peer.id
  }

  protected async ask<V extends StorageVerb>(call: Call<V>): Promise<Reply<V>> {
    const { peer, clock, random } = this.#options
    const honest = (): Promise<Reply<V>> => askPeer(peer, call)
    const spoil = this.fault?.[call.verb]
    if (spoil === undefined) return honest()
    const { signal } = call.options
    return spoil({ asked: call.asked, honest, signal, peer, clock, random })
  }
}
