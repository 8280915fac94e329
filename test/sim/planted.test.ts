import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Disk, DiskFile } from '../../src/base/disk.ts'
import type { ShareStore, ShareWriter } from '../../src/storage/share-store.ts'
import { altered } from './altered.ts'
import { CarelessClient } from './careless-client.ts'
import { makePlan } from './plan.ts'
import { runPlan } from './run-plan.ts'
import { SimClient } from './sim-client.ts'
import type { Parts } from './world.ts'

const noFileSync = (disk: Disk): Disk =>
  altered(disk, {
    create: async (path): Promise<DiskFile> =>
      altered(await disk.create(path), { sync: async () => {} }),
  })

const noDirectorySync = (disk: Disk): Disk => altered(disk, { syncDirectory: async () => {} })

/** A disk that says it has room for ever. */
const boundless = (disk: Disk): Disk =>
  altered(disk, {
    space: async (path) => ({ ...(await disk.space(path)), freeBytes: 2 ** 40 }),
  })

const boastful = (store: ShareStore): ShareStore =>
  altered(store, {
    create: async (index, number, bytes): Promise<ShareWriter> => {
      const writer = await store.create(index, number, bytes)
      return altered(writer, { commit: async () => void writer.commit().catch(() => {}) })
    },
  })

const forgetful = (store: ShareStore): ShareStore =>
  altered(store, {
    create: async (index, number, bytes): Promise<ShareWriter> => {
      const writer = await store.create(index, number, bytes)
      return altered(writer, { abort: async () => {} })
    },
  })

/** What is broken, and the promise whose breach must tell. */
const planted: Record<string, { parts: Parts; found: RegExp; from?: number }> = {
  'does not sync files': { parts: { disk: noFileSync }, found: /I3|I1/ },
  'does not sync directories': { parts: { disk: noDirectorySync }, found: /I3|I1/ },
  'acknowledges before it commits': { parts: { store: boastful }, found: /I3|I1/ },
  'leaves files open': { parts: { store: forgetful }, found: /I11/ },
  'fills the space kept free': { parts: { disk: boundless }, found: /I7/, from: 20 },
  'ignores the hashes of blocks': {
    parts: { client: (all) => new CarelessClient(all, { trustsBlocks: true }) },
    found: /I2|I1/,
  },
  'counts one share twice': {
    parts: { client: (all) => new CarelessClient(all, { countsDuplicates: true }) },
    found: /I2|I1/,
  },
  'waits for every server': {
    parts: {
      client: (all) => {
        const client = new SimClient(all)
        const everyone = (): Promise<unknown> =>
          Promise.all(
            all.pool
              .candidates()
              .map(({ peer }) => peer.status().catch(() => new Promise(() => {}))),
          )
        return altered(client, {
          get: async (cap) => {
            await everyone()
            return client.get(cap)
          },
        })
      },
    },
    found: /I12/,
  },
  'calls a put a success that failed': {
    parts: {
      client: (all) => {
        const client = new SimClient(all)
        let cap = ''
        return altered(client, {
          put: async (bytes) => {
            const summary = { cap, servers: all.redundancy.happy, sentBytes: 0 }
            const done = await client.put(bytes).catch(() => summary)
            cap = done.cap
            return done
          },
        })
      },
    },
    found: /I3|I14|I1/,
  },
  'looks at the machine’s clock': {
    parts: {
      client: (all) => {
        const client = new SimClient(all)
        return altered(client, {
          get: (cap) => (Date.now() > 0 ? client.get(cap) : client.get(cap)),
        })
      },
    },
    found: /Date\.now was called/,
  },
}

describe('simulation, with a bug planted in it', () => {
  for (const [name, { parts, found, from = 1 }] of Object.entries(planted)) {
    it(`finds out a grid that ${name}`, async () => {
      for (let seed = from; seed < from + 200; seed++) {
        const { violation } = await runPlan(makePlan(`planted ${seed}`), { parts })
        if (violation === undefined) continue
        assert.match(violation, found)
        return
      }
      assert.fail('not found in 200 seeds')
    })
  }
})
