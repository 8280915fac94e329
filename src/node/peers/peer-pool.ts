/** The peers that a client may use, however they are reached: on this machine, over the network, through a running node. */
import type { PeerStatus } from '../../storage/peer.ts'
import type { LocalPeer } from '../../storage/local-peer.ts'
import type { Candidate } from './candidate.ts'

/** What is known of one peer, for people. */
export interface PeerReport {
  id: string
  nickname: string
  domain: string | undefined
  accepts: boolean
  /** What it answered; undefined when it did not. */
  status: PeerStatus | undefined
  /** Why it did not answer, one line. */
  error: string | undefined
}

/** What is known of one introducer, for people. */
export interface IntroducerReport {
  /** Peer id. */
  id: string
  /** Whether it has told all it knows, over a connection that stands. */
  answers: boolean
  /** Why it does not, one line. */
  error: string | undefined
}

export interface PeerPool {
  /**
   * Resolves as soon as the peers known are worth asking; a pool that never finds one resolves
   * after a few seconds, and the operation then says what is missing.
   */
  ready(options?: { signal?: AbortSignal }): Promise<void>
  /** Every peer known now. */
  candidates(): Candidate[]
  /** Where it keeps its shares, in words: shown once where the answer limits what may fail. */
  note(): string | undefined
  /** Display names by peer id. */
  nickname(id: string): string
  /** Those that are folders of this machine, which no node runs: who uses them sweeps them. */
  readonly folders?: readonly LocalPeer[]
  /** How the introducers are, which get a few seconds to answer; absent where there can be none. */
  introducers?(options?: { signal?: AbortSignal }): Promise<IntroducerReport[]>
  close(): Promise<void>
}
