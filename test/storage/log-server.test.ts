/** Logs at a server in this process, in memory and on disk, and over a wire in memory. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { channelPair } from '../../src/base/channel.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { Budget } from '../../src/base/limit.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { RemotePeer } from '../../src/storage/remote-peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { openCaller } from '../../src/wire/caller.ts'
import { logPeerSuite } from '../suites/log-peer.ts'
import {
  type LogServerFixture,
  type LogServerSettings,
  logServerSuite,
} from '../suites/log-server.ts'

type Make = (settings: LogServerSettings) => Promise<LogServerFixture>

const clock = new SystemClock()

function idOf(seed: Uint8Array): string {
  return peerIdOf(publicKeyOfSeed(seed))
}

function memoryPeer({ seed, limits, ...settings }: LogServerSettings): LocalPeer {
  const logs = { store: new MemoryLogStore(), seed, limits }
  return new LocalPeer({ id: idOf(seed), store: new MemoryStore(), logs, clock, ...settings })
}

const inMemory: Make = async (settings) => ({
  peer: memoryPeer(settings),
  close: async () => {},
})

const onDisk: Make = async ({ seed, limits, ...settings }) => {
  const root = await mkdtemp(path.join(tmpdir(), 'grid-peer-'))
  const place = { disk: new SystemDisk(), root }
  const store = new DiskStore(place)
  const logs = { store: new DiskLogStore(place), seed, limits }
  await store.open()
  await logs.store.open()
  return {
    peer: new LocalPeer({ id: idOf(seed), store, logs, clock, ...settings }),
    close: () => rm(root, { recursive: true }),
  }
}

const overWire: Make = async (settings) => {
  const [near, far] = channelPair({ ids: ['client', 'server'] })
  const budget = new Budget(128 * 2 ** 20)
  const served = serveStorage(memoryPeer(settings), far, { clock, budget })
  const caller = await openCaller(near, { clock })
  return {
    peer: new RemotePeer(idOf(settings.seed), caller),
    close: async () => {
      caller.close()
      await served
      assert.equal(budget.free, budget.total)
    },
  }
}

const makers: Record<string, Make> = {
  'LocalPeer in memory': inMemory,
  'LocalPeer on disk': onDisk,
  'RemotePeer over a wire in memory': overWire,
}

for (const [name, make] of Object.entries(makers)) {
  logPeerSuite(name, () => make({ seed: new Uint8Array(32).fill(9), reserveBytes: 0 }))
  logServerSuite(name, make)
}
