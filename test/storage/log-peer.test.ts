/** Logs at a server in this process, in memory and on disk, and over a wire in memory. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { channelPair } from '../../src/base/channel.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { Budget } from '../../src/base/limit.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { RemotePeer } from '../../src/storage/remote-peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { openCaller } from '../../src/wire/caller.ts'
import { type LogServerSettings, logPeerSuite } from '../suites/log-peer.ts'

const clock = new SystemClock()

function memoryPeer({ seed, limits, ...settings }: LogServerSettings): LocalPeer {
  const logs = { store: new MemoryLogStore(), seed, limits }
  return new LocalPeer({ id: 'memory', store: new MemoryStore(), logs, clock, ...settings })
}

logPeerSuite('LocalPeer in memory', async (settings) => ({
  peer: memoryPeer(settings),
  close: async () => {},
}))

logPeerSuite('LocalPeer on disk', async ({ seed, limits, ...settings }) => {
  const root = await mkdtemp(path.join(tmpdir(), 'grid-peer-'))
  const place = { disk: new SystemDisk(), root }
  const store = new DiskStore(place)
  const logs = { store: new DiskLogStore(place), seed, limits }
  await store.open()
  await logs.store.open()
  return {
    peer: new LocalPeer({ id: 'disk', store, logs, clock, ...settings }),
    close: () => rm(root, { recursive: true }),
  }
})

logPeerSuite('RemotePeer over a wire in memory', async (settings) => {
  const [near, far] = channelPair({ ids: ['client', 'server'] })
  const budget = new Budget(128 * 2 ** 20)
  const served = serveStorage(memoryPeer(settings), far, { clock, budget })
  const caller = await openCaller(near, { clock })
  return {
    peer: new RemotePeer('server', caller),
    close: async () => {
      caller.close()
      await served
      assert.equal(budget.free, budget.total)
    },
  }
})
