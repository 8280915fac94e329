import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { GridError } from '../../../src/base/errors.ts'
import type { Candidate } from '../../../src/node/peers/candidate.ts'
import { LogAccount } from '../../../src/node/logs/log-account.ts'
import type { PeerPool } from '../../../src/node/peers/peer-pool.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { refused } from '../../suites/storage-peer.ts'
import { TestLog } from '../../suites/test-log.ts'

/** Waits for nothing, and says how often it should have. */
class HastyClock extends MovedClock {
  pauses = 0

  override after(_delayMs: number, action: () => void): () => void {
    this.pauses++
    queueMicrotask(action)
    return () => {}
  }
}

describe('LogAccount', () => {
  function accountAt(refusals: number): { account: LogAccount; clock: HastyClock } {
    const log = new TestLog()
    const clock = new HastyClock()
    let left = refusals
    const peer = {
      id: 'server',
      challenge: async () => new Uint8Array(32),
      enter: async () => ({ token: new Uint8Array(16) }),
      listHolds: async () => {
        if (left-- > 0) throw new GridError('E_RATE', 'planned')
        return { holds: [], complete: true }
      },
    } as unknown as StoragePeer
    const candidates = (): Candidate[] => [{ id: peer.id, peer } as unknown as Candidate]
    const peers = { candidates } as unknown as PeerPool
    const { genesis, admin } = log
    const sign = (message: Uint8Array): Uint8Array => admin.sign(message)
    const credentials = { genesis, certificate: undefined, key: admin.key, sign }
    return { account: new LogAccount({ peers, credentials, clientId: 'client', clock }), clock }
  }

  async function pagesOf(account: LogAccount): Promise<number> {
    let pages = 0
    for await (const page of account.held('server')) {
      assert.deepEqual(page, [])
      pages++
    }
    return pages
  }

  it('waits where a server lists no more for now, and gives up in the end', async () => {
    const { account, clock } = accountAt(5)
    assert.equal(await pagesOf(account), 1)
    assert.equal(clock.pauses, 5)
    const never = accountAt(Infinity)
    await refused(pagesOf(never.account), 'E_RATE')
    assert.equal(never.clock.pauses, 60)
  })
})
