/** Two processes that keep the same logs: each heeds what the other takes, whenever it hears of it. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import type { LogStore, StoredLog } from '../../src/storage/log-store.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { TestLog } from '../suites/test-log.ts'

/** What one process sees of `store`, which another writes to: news when it is told, and reads and appends held up. */
class Seen {
  news = false
  onRead: () => Promise<void> = async () => {}
  onAppend: () => Promise<void> = async () => {}
  /** How often it has looked for news. */
  looks = 0

  of(store: LogStore): LogStore {
    const seen = async (log: Promise<StoredLog | undefined>) => {
      const stored = await log
      return stored && this.#log(stored)
    }
    return {
      open: () => store.open(),
      count: () => store.count(),
      names: () => store.names(),
      log: (logId) => seen(store.log(logId)),
      create: async (logId, genesis) => this.#log(await store.create(logId, genesis)),
      space: () => store.space(),
    }
  }

  #log(stored: StoredLog): StoredLog {
    return {
      genesis: stored.genesis,
      get bytes() {
        return stored.bytes
      },
      refresh: async () => {
        this.looks++
        const { news } = this
        this.news = false
        return news
      },
      authors: () => stored.authors(),
      chain: (author) => stored.chain(author),
      forks: (author) => stored.forks(author),
      read: async (entry, withBody) => {
        const { onRead } = this
        this.onRead = async () => {}
        await onRead()
        return stored.read(entry, withBody)
      },
      append: async (records) => {
        const { onAppend } = this
        this.onAppend = async () => {}
        await onAppend()
        await stored.append(records)
      },
    }
  }
}

describe('two processes with one log store', () => {
  it('heed a revocation that the other takes while the log is being read', async () => {
    const clock = new SimClock(new SimRandom('two processes'))
    const store = new MemoryLogStore()
    const process = (logs: LogStore): LocalPeer =>
      new LocalPeer({
        ...{ id: 'server', store: new MemoryStore(), clock, reserveBytes: 0 },
        logs: { store: logs, seed: sha256(utf8('a server')) },
      })
    const seen = new Seen()
    const [one, other] = [process(seen.of(store)), process(store)]
    const log = new TestLog()
    const device = log.device('laptop')
    await one.appendEntries(log.append(...log.admin.entries, device.snapshot()))
    const revocation = log.revoke(device, 1)
    seen.news = true
    seen.onRead = async () => {
      await other.appendEntries(log.append(revocation))
      seen.news = true
      await one.readLog(log.read())
    }
    const { verdicts } = await one.appendEntries(log.append(device.snapshot()))
    assert.ok(verdicts[0].outcome === 'refused' && verdicts[0].code === 'E_REVOKED')
  })

  it('tell with an append what the other took while it was made durable', async () => {
    const clock = new SimClock(new SimRandom('two processes'))
    const store = new MemoryLogStore()
    const process = (logs: LogStore): LocalPeer =>
      new LocalPeer({
        ...{ id: 'server', store: new MemoryStore(), clock, reserveBytes: 0 },
        logs: { store: logs, seed: sha256(utf8('a server')) },
      })
    const seen = new Seen()
    const [one, other] = [process(seen.of(store)), process(store)]
    const log = new TestLog()
    const device = log.device('laptop')
    await one.appendEntries(log.append(...log.admin.entries, device.snapshot()))
    let before = 0
    seen.onAppend = async () => {
      await other.appendEntries(log.append(log.revoke(device, 1)))
      before = seen.looks
    }
    const { verdicts, adminSeq } = await one.appendEntries(log.append(device.snapshot()))
    assert.deepEqual([verdicts[0].outcome, adminSeq], ['stored', 2])
    assert.ok(seen.looks > before)
  })
})
