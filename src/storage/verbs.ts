/**
 * The verbs of a `StoragePeer`, as one thing: what any of them is asked and answers, so that what wraps
 * a peer need not tell them apart.
 */
import type { LogRequestOptions } from '../log/log-peer.ts'
import type { StoragePeer } from './peer.ts'
import type { RequestOptions } from './request.ts'

export type StorageVerb = Exclude<keyof StoragePeer, 'id'>

/** What a verb is asked, in order, but for its options. */
export type Asked<V extends StorageVerb> =
  Required<Parameters<StoragePeer[V]>> extends [...infer A, LogRequestOptions] ? A : never

/** What it answers. */
export type Reply<V extends StorageVerb> = Awaited<ReturnType<StoragePeer[V]>>

/** One request to a peer, whichever. */
export interface Call<V extends StorageVerb> {
  verb: V
  asked: Asked<V>
  options: RequestOptions
}

/** A peer as it looks to whoever does not tell its verbs apart. */
type Verbs = {
  readonly [V in StorageVerb]: (
    ...args: [...asked: Asked<V>, options: RequestOptions]
  ) => Promise<Reply<V>>
}

/** Makes `call` at `peer`, which answers as it likes. */
export function askPeer<V extends StorageVerb>(
  peer: StoragePeer,
  { verb, asked, options }: Call<V>,
): Promise<Reply<V>> {
  const verbs: Verbs = peer
  return verbs[verb](...asked, options)
}
