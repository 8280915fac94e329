import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { storagePeerSuite } from '../suites/storage-peer.ts'

const clock = new SystemClock()

storagePeerSuite('LocalPeer in memory', async (settings) => ({
  peer: new LocalPeer({ id: 'memory', store: new MemoryStore(), clock, ...settings }),
  close: async () => {},
}))

storagePeerSuite('LocalPeer on disk', async (settings) => {
  const root = await mkdtemp(path.join(tmpdir(), 'grid-peer-'))
  const store = new DiskStore({ disk: new SystemDisk(), root })
  await store.open()
  return {
    peer: new LocalPeer({ id: 'disk', store, clock, ...settings }),
    close: () => rm(root, { recursive: true }),
  }
})
