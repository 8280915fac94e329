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
import { putObjectShare, storagePeerSuite } from '../suites/storage-peer.ts'

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
