/**
 * A server spoken to without a network, as the folders of an embedded grid are: calls go straight
 * to the peer that runs there now, fail when it dies, and are given up after a while.
 */
import type { Clock } from '../../src/base/clock.ts'
import { GridError } from '../../src/base/errors.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'
import { askPeer, type Call, type Reply, type StorageVerb } from '../../src/storage/verbs.ts'
import { WrappingPeer } from '../../src/storage/wrapping-peer.ts'

/** A server, as those see it who share a process with it. */
export interface DirectServer {
  readonly id: string
  /** The peer that runs there, if one does. */
  readonly peer: StoragePeer | undefined
  /** Calls `action` when the process that runs now ends, unless the function returned is called before. */
  onceDead(action: () => void): () => void
}

const deadlineMs = 120_000

export class DirectPeer extends WrappingPeer {
  readonly #server: DirectServer
  readonly #clock: Clock
  readonly #client: string | undefined

  /** @param client - peer id of who asks, for servers that want to know */
  constructor(server: DirectServer, clock: Clock, client?: string) {
    super()
    this.#server = server
    this.#clock = clock
    this.#client = client
  }

  override get id(): string {
    return this.#server.id
  }

  protected ask<V extends StorageVerb>({ verb, asked, options }: Call<V>): Promise<Reply<V>> {
    const { peer } = this.#server
    const { signal } = options
    const client = this.#client
    const call = { verb, asked, options: client === undefined ? options : { ...options, client } }
    return new Promise<Reply<V>>((resolve, reject) => {
      if (peer === undefined) return reject(new GridError('E_UNREACHABLE', 'it does not run'))
      const onAbort = (): void => reject(signal?.reason as Error)
      if (signal?.aborted === true) return onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      const forget = this.#server.onceDead(() => reject(new GridError('E_CLOSED', 'it died')))
      const cancel = this.#clock.after(deadlineMs, () =>
        reject(new GridError('E_TIMEOUT', 'no answer')),
      )
      askPeer(peer, call)
        .then(resolve, reject)
        .finally(() => {
          cancel()
          forget()
          signal?.removeEventListener('abort', onAbort)
        })
    })
  }
}
