import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'mocha'
import { toHex } from '../../src/base/bytes.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { workedObject } from '../suites/objects.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { openDiskHolds } from '../../src/storage/holds/open-holds.ts'
import { memoryHolds } from '../suites/memory-holds.ts'
import { soleWriter } from '../../src/storage/disk-store.ts'
import { asClient } from '../suites/as-client.ts'
import { holdPeerSuite } from '../suites/hold-peer.ts'
import { MovedClock } from '../suites/moved-clock.ts'
import { putObjectShare, storagePeerSuite } from '../suites/storage-peer.ts'

const clock = new SystemClock()
const random = new SystemRandom()

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

holdPeerSuite('LocalPeer in memory', async (settings) => {
  const moved = new MovedClock()
  const holds = { open: memoryHolds, random, ...settings }
  const store = new MemoryStore()
  const server = new LocalPeer({ id: 'memory', store, clock: moved, reserveBytes: 0, holds })
  const clientId = 'client'
  const peer = asClient(server, clientId)
  return { peer, server, clock: moved, clientId, close: () => server.close() }
})

holdPeerSuite('LocalPeer on disk', async (settings) => {
  const root = await mkdtemp(path.join(tmpdir(), 'grid-peer-'))
  const moved = new MovedClock()
  const disk = new SystemDisk()
  const store = new DiskStore({ disk, root })
  await store.open()
  const open = () => openDiskHolds({ disk, root, clock: moved, writers: soleWriter })
  const holds = { open, random, ...settings }
  const server = new LocalPeer({ id: 'disk', store, clock: moved, reserveBytes: 0, holds })
  const clientId = 'client'
  const close = async (): Promise<void> => {
    await server.close()
    await rm(root, { recursive: true })
  }
  return { peer: asClient(server, clientId), server, clock: moved, clientId, close }
})

describe('LocalPeer', () => {
  it('says what it offers without looking at what it keeps', async () => {
    const store = new MemoryStore()
    await store.open()
    store.totals = () => Promise.reject(new Error('counted'))
    const peer = new LocalPeer({ id: 'server', store, clock: new SystemClock(), reserveBytes: 0 })
    const { freeBytes, readOnly } = await peer.offer()
    assert.equal(readOnly, false)
    assert.ok(freeBytes > 0)
    await assert.rejects(peer.status(), /counted/)
  })
})

describe('LocalPeer on disk', () => {
  it('does what the worked example of its spec says', async () => {
    const root = await mkdtemp(path.join(tmpdir(), 'grid-peer-'))
    try {
      const store = new DiskStore({ disk: new SystemDisk(), root })
      await store.open()
      const peer = new LocalPeer({ id: 'worked', store, clock, reserveBytes: 0 })
      const object = workedObject()
      await putObjectShare(peer, object, 9)
      const file = path.join(root, 'shares/id/id7eq4bjdbb6cy3wjsjbgu2cunvokj2j.9')
      assert.equal((await readFile(file)).length, 1123)
      const nonce = Uint8Array.from({ length: 32 }, (_, i) => i)
      assert.equal(
        toHex(await peer.prove(object.storageIndex, 9, nonce)),
        'ee5d2dda4d2a886b879289d68cd81eb1e1cad295cafed4513a9c63f51aee0625',
      )
    } finally {
      await rm(root, { recursive: true })
    }
  })
})
