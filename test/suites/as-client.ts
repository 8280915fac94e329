/** A server in this process as one client sees it, which a carrier has authenticated. */
import type { RequestOptions } from '../../src/storage/request.ts'
import type { LocalPeer } from '../../src/storage/local-peer.ts'
import type { StoragePeer } from '../../src/storage/peer.ts'

export function asClient(server: LocalPeer, client: string): StoragePeer {
  const by = (options?: RequestOptions): RequestOptions => ({ ...options, client })
  return {
    id: server.id,
    have: (indexes) => server.have(indexes),
    putShare: (index, number, share, options) => server.putShare(index, number, share, by(options)),
    getBlocks: (request) => server.getBlocks(request),
    prove: (index, number, nonce, options) => server.prove(index, number, nonce, by(options)),
    status: () => server.status(),
    appendEntries: (request, options) => server.appendEntries(request, options),
    readLog: (request, options) => server.readLog(request, options),
    challenge: (options) => server.challenge(by(options)),
    enter: (credentials, options) => server.enter(credentials, by(options)),
    touch: (indexes, options) => server.touch(indexes, by(options)),
    renew: (indexes) => server.renew(indexes),
    listHolds: (request, options) => server.listHolds(request, by(options)),
    release: (release) => server.release(release),
  }
}
