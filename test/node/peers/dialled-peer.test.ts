import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { GridError } from '../../../src/base/errors.ts'
import { DialledPeer } from '../../../src/node/peers/dialled-peer.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { SimClock } from '../../sim/sim-clock.ts'
import { SimRandom } from '../../sim/sim-random.ts'

const index = new Uint8Array(20)
const share = { shareBytes: 1, pieces: [new Uint8Array(1)] }

/** A server whose process can be replaced: connections to the one before have ended, and say so when used. */
class Server {
  readonly clock = new SimClock(new SimRandom('dialled'))
  process = 0
  reachable = true
  dials = 0
  puts = 0
  readonly peer = new DialledPeer({
    id: 's',
    clock: this.clock,
    connect: async () => {
      this.dials++
      if (!this.reachable) throw new GridError('E_UNREACHABLE', 'nobody there')
      return { peer: this.#connectionTo(this.process), close: () => {} }
    },
  })

  #connectionTo(process: number): StoragePeer {
    const answer = async <T>(value: T): Promise<T> => {
      if (process !== this.process) throw new GridError('E_CLOSED', 'it has ended')
      return value
    }
    return {
      id: 's',
      have: () => answer([[process]]),
      putShare: async () => {
        this.puts++
        return answer('stored' as const)
      },
      getBlocks: () => Promise.reject(new GridError('E_ABSENT', 'no such share')),
      prove: () => Promise.reject(new GridError('E_CLOSED', 'it ends every time')),
      status: () => Promise.reject(new GridError('E_IO', 'not now')),
      appendEntries: () => answer({ adminSeq: 0, verdicts: [] }),
      readLog: () => Promise.reject(new GridError('E_ABSENT', 'no such log')),
      challenge: () => answer(new Uint8Array(32)),
      enter: () => Promise.reject(new GridError('E_FORBIDDEN', 'not you')),
      touch: () => answer([]),
      renew: () => answer([]),
      listHolds: () => answer({ holds: [], complete: true }),
      release: () => answer({ changed: 0, kept: 0 }),
    }
  }

  /** Lets `ms` go by. */
  async wait(ms: number): Promise<void> {
    await this.clock.run({ untilMs: this.clock.monotonicMs() + ms })
  }
}

describe('DialledPeer', () => {
  it('connects when it is first asked, and keeps the connection', async () => {
    const server = new Server()
    assert.equal(server.dials, 0)
    await server.peer.have([index])
    await server.peer.have([index])
    assert.equal(server.dials, 1)
  })

  it('asks again over a new connection when the one it kept has ended', async () => {
    const server = new Server()
    await server.peer.have([index])
    server.process++
    assert.deepEqual(await server.peer.have([index]), [[1]])
    assert.equal(server.dials, 2)
  })

  it('asks no third time, and no second time over a connection made for the purpose', async () => {
    const server = new Server()
    await assert.rejects(server.peer.prove(index, 0, index), { code: 'E_CLOSED' })
    assert.equal(server.dials, 1)
    await server.peer.have([index])
    await assert.rejects(server.peer.prove(index, 0, index), { code: 'E_CLOSED' })
    assert.equal(server.dials, 3)
  })

  it('sends no share twice by itself whose pieces may be gone', async () => {
    const server = new Server()
    await server.peer.have([index])
    server.process++
    const passing = { ...share, pieces: share.pieces[Symbol.iterator]() }
    await assert.rejects(server.peer.putShare(index, 0, passing), { code: 'E_CLOSED' })
    assert.equal(server.puts, 1)
    assert.equal(await server.peer.putShare(index, 0, passing), 'stored')
  })

  it('sends a share that is in memory again over a new connection', async () => {
    const server = new Server()
    await server.peer.have([index])
    server.process++
    assert.equal(await server.peer.putShare(index, 0, share), 'stored')
    assert.equal(server.puts, 2)
  })

  it('asks again to append to a log, since an entry that is held is had', async () => {
    const server = new Server()
    await server.peer.have([index])
    server.process++
    const request = { logId: index, genesis: undefined, entries: [] }
    assert.deepEqual(await server.peer.appendEntries(request), { adminSeq: 0, verdicts: [] })
    assert.equal(server.dials, 2)
  })

  it('keeps the connection over which a request was refused', async () => {
    const server = new Server()
    await assert.rejects(server.peer.status(), { code: 'E_IO' })
    await assert.rejects(server.peer.status(), { code: 'E_IO' })
    assert.equal(server.dials, 1)
  })

  it('does not dial again at once after a failure, and finds the server when it is back', async () => {
    const server = new Server()
    server.reachable = false
    await assert.rejects(server.peer.have([index]), { code: 'E_UNREACHABLE' })
    await assert.rejects(server.peer.have([index]), { code: 'E_UNREACHABLE' })
    assert.equal(server.dials, 1)
    server.reachable = true
    await assert.rejects(server.peer.have([index]), { code: 'E_UNREACHABLE' })
    await server.wait(500)
    assert.deepEqual(await server.peer.have([index]), [[0]])
    assert.equal(server.dials, 2)
  })
})
