import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { GridError } from '../../../src/base/errors.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { noTrace } from '../../../src/base/trace.ts'
import { type DrainedLogs, logsBoundTo } from '../../../src/node/repair/drain-logs.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import type { LogStore } from '../../../src/storage/log-store.ts'
import { MemoryLogStore } from '../../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { TestLog } from '../../suites/test-log.ts'
import { clock } from '../memory-grid.ts'

const seed = sha256(utf8('the server that is emptied'))
const own = publicKeyOfSeed(seed)
const others = ['a', 'b', 'c'].map((name) => sha256(utf8(name)))

describe('logs of a server that is emptied', () => {
  let store: MemoryLogStore
  let peer: LocalPeer

  beforeEach(() => {
    store = new MemoryLogStore()
    const parts = { store: new MemoryStore(), clock, trace: noTrace, reserveBytes: 0 }
    peer = new LocalPeer({ id: 'server', ...parts, logs: { store, seed } })
  })

  /** A log that the server keeps. */
  async function kept(name: string, servers: readonly Uint8Array[]): Promise<TestLog> {
    const log = new TestLog(name, servers)
    log.device('laptop')
    await peer.appendEntries(log.append(...log.admin.entries))
    return log
  }

  const drained = (from: LogStore = store): Promise<DrainedLogs> => logsBoundTo(from, own)

  it('are none where it keeps none', async () => {
    assert.deepEqual(await drained(), { logs: 0, bound: [], unreadable: [] })
  })

  it('count on it if their config names it, and only then', async () => {
    const bound = await kept('bound', [own, ...others])
    await kept('a copy', others)
    const { logs, bound: found } = await drained()
    assert.equal(logs, 2)
    assert.deepEqual(found, [{ logId: bound.logId, servers: 4, quorum: 3 }])
  })

  it('count on it until a move away is settled by the next entry of the admin', async () => {
    const log = await kept('moving', [own, ...others])
    await peer.appendEntries(log.append(log.configure(1, [...others].sort(byBytes))))
    assert.equal((await drained()).bound.length, 1, 'the old servers are still asked')
    log.device('another')
    await peer.appendEntries(log.append(log.admin.entries[log.admin.entries.length - 1]))
    assert.deepEqual(await drained(), { logs: 1, bound: [], unreadable: [] })
  })

  it('are told of by name where they cannot be read, and keep no other back', async () => {
    const damaged = await kept('damaged', [own])
    const sound = await kept('sound', [own])
    const failing: LogStore = {
      ...{ open: () => store.open(), count: () => store.count(), space: () => store.space() },
      ...{ names: () => store.names(), create: (id, genesis) => store.create(id, genesis) },
      log: async (logId) => {
        if (toHex(logId) === toHex(damaged.logId)) throw new GridError('E_IO', 'planned')
        return store.log(logId)
      },
    }
    const { bound, unreadable } = await drained(failing)
    assert.deepEqual(
      bound.map(({ logId }) => logId),
      [sound.logId],
    )
    assert.deepEqual(unreadable, [damaged.logId])
  })
})

function byBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}
