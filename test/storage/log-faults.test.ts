/** What a client sees of each fault of a server of logs. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes, toHex, utf8 } from '../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { sha256 } from '../../src/base/hash.ts'
import { isSigned, readHeader } from '../../src/log/entry.ts'
import { type KeptEntry, minReadBytes, type ReadLogReply } from '../../src/log/log-peer.ts'
import { isReceiptFor } from '../../src/log/receipt.ts'
import { faults } from '../../src/storage/faults.ts'
import { type Fault, FaultyPeer } from '../../src/storage/faulty-peer.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { logFaults } from '../../src/storage/log-faults.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { logServerSuite, outcomesOf } from '../suites/log-server.ts'
import { refused } from '../suites/storage-peer.ts'
import { type TestAuthor, TestLog } from '../suites/test-log.ts'

const seed = sha256(utf8('a faulty server'))
const nodeKey = { seed, publicKey: publicKeyOfSeed(seed) }

interface Faulty {
  peer: FaultyPeer
  log: TestLog
  device: TestAuthor
  clock: SimClock
}

/** A faulty peer that keeps a log: one certificate of the admin, three snapshots of a device. */
async function faulty(fault?: Fault): Promise<Faulty> {
  const random = new SimRandom('faulty logs')
  const clock = new SimClock(random.fork('clock'))
  const logs = { store: new MemoryLogStore(), seed }
  const local = new LocalPeer({ id: 'f', store: new MemoryStore(), logs, clock, reserveBytes: 0 })
  const log = new TestLog()
  const device = log.device('laptop')
  for (let i = 0; i < 3; i++) device.snapshot()
  await local.appendEntries(log.append(...log.admin.entries, ...device.entries))
  return { peer: new FaultyPeer({ peer: local, clock, random, fault }), log, device, clock }
}

async function seqsSeen({ peer, log, device }: Faulty): Promise<number[]> {
  const { entries } = await peer.readLog(log.read())
  return entries
    .map((entry) => readHeader(entry).fields)
    .filter(({ author }) => equalBytes(author, device.key))
    .map(({ seq }) => seq)
}

async function headSeqs({ peer, log }: Faulty): Promise<number[]> {
  return (await peer.readLog(log.read({ others: false }))).heads.map(({ seq }) => seq)
}

/** Whether an entry is all that a reader would want it to be. */
function isRight(entry: KeptEntry, { log }: Faulty): boolean {
  try {
    const read = readHeader(entry)
    const subject = { logId: log.logId, id: read.id }
    if (entry.receipt === undefined || !isReceiptFor(subject, entry.receipt)) return false
    return isSigned(read)
  } catch {
    return false
  }
}

const seen: Record<keyof typeof logFaults, () => Promise<void>> = {
  hidesNewest: async () => {
    const server = await faulty(logFaults.hidesNewest())
    assert.deepEqual(await seqsSeen(server), [1, 2])
    assert.deepEqual(await headSeqs(server), [2])
    const { log, peer, device } = server
    const ranges = [{ author: device.key, firstSeq: 2, lastSeq: 9 }]
    const { entries, heads } = await peer.readLog(log.read({ others: false, ranges }))
    assert.equal(entries.length, 1)
    assert.deepEqual(heads[0].id, device.entries[1].id)
  },
  standsStill: async () => {
    const server = await faulty(logFaults.standsStill())
    const before = await headSeqs(server)
    const { peer, log, device } = server
    assert.deepEqual(await outcomesOf(peer, log.append(device.snapshot())), ['stored'])
    assert.deepEqual(await headSeqs(server), before)
    assert.deepEqual(await seqsSeen(server), [1, 2, 3])
  },
  omitsChain: async () => {
    assert.deepEqual(await seqsSeen(await faulty(logFaults.omitsChain())), [])
    const server = await faulty()
    server.peer.fault = logFaults.omitsChain(server.log.admin.key)
    assert.deepEqual(await seqsSeen(server), [1, 2, 3])
    assert.deepEqual(await headSeqs(server), [3])
  },
  omitsEntry: async () => {
    assert.deepEqual(await seqsSeen(await faulty(logFaults.omitsEntry())), [1, 3])
  },
  reordersEntries: async () => {
    assert.deepEqual(await seqsSeen(await faulty(logFaults.reordersEntries())), [3, 2, 1])
  },
  garblesEntries: async () => {
    for (const part of ['header', 'signature', 'body', 'receipt'] as const) {
      const server = await faulty()
      const before = (await server.peer.readLog(server.log.read())).entries
      server.peer.fault = logFaults.garblesEntries(part)
      const after = (await server.peer.readLog(server.log.read())).entries
      for (const [i, entry] of after.entries()) {
        if (part !== 'body') assert.ok(!isRight(entry, server))
        else assert.notEqual(toHex(entry.body!), toHex(before[i].body!))
      }
    }
  },
  garblesGenesis: async () => {
    const { peer, log } = await faulty(logFaults.garblesGenesis())
    const { genesis } = await peer.readLog(log.read())
    assert.equal(genesis?.length, log.genesis.length)
    assert.notEqual(toHex(genesis), toHex(log.genesis))
  },
  inventsHeads: async () => {
    assert.deepEqual(await headSeqs(await faulty(logFaults.inventsHeads())), [1001, 1003])
  },
  showsBranch: async () => {
    const server = await faulty()
    const { log, peer } = server
    const twin = log.stranger('laptop')
    const entries = [twin.snapshot(7), twin.snapshot(8)].map((entry) => {
      return { ...entry, receipt: undefined }
    })
    peer.fault = logFaults.showsBranch({ author: twin.key, entries })
    assert.deepEqual(await seqsSeen(server), [1, 2])
    assert.deepEqual(await headSeqs(server), [1, 2])
    const reply = await peer.readLog(log.read())
    assert.equal(toHex(reply.entries[1].header), toHex(entries[0].header))
  },
  withholdsBodies: async () => {
    const { peer, log } = await faulty(logFaults.withholdsBodies())
    const { entries } = await peer.readLog(log.read())
    assert.ok(entries.length === 4 && entries.every(({ body }) => body === undefined))
  },
  neverEnds: async () => {
    const { peer, log } = await faulty(logFaults.neverEnds())
    assert.equal((await peer.readLog(log.read())).complete, false)
  },
  sendsTooMany: async () => {
    const { peer, log } = await faulty(logFaults.sendsTooMany())
    const reply: ReadLogReply = await peer.readLog(log.read())
    assert.ok(reply.entries.length * 256 > minReadBytes)
  },
  losesLogs: async () => {
    const { peer, log, device } = await faulty(logFaults.losesLogs())
    await refused(peer.readLog(log.read()), 'E_ABSENT')
    const request = log.append(device.snapshot())
    await refused(peer.appendEntries({ ...request, genesis: undefined }), 'E_ABSENT')
    assert.deepEqual(await outcomesOf(peer, request), ['stored'])
  },
  misstatesAdmin: async () => {
    for (const adminSeq of [0, 5, Number.MAX_SAFE_INTEGER]) {
      const { peer, log, device } = await faulty(logFaults.misstatesAdmin(adminSeq))
      const reply = await peer.appendEntries(log.append(device.snapshot()))
      assert.ok(reply.verdicts[0].outcome === 'stored')
      assert.equal(reply.adminSeq, adminSeq)
    }
  },
  forgesReceipts: async () => {
    const { peer, log, device } = await faulty(logFaults.forgesReceipts())
    const entry = device.snapshot()
    const { verdicts } = await peer.appendEntries(log.append(entry))
    assert.ok(verdicts[0].outcome === 'stored')
    assert.ok(!isReceiptFor({ logId: log.logId, id: entry.id }, verdicts[0].receipt))
  },
  signsOnly: async () => {
    const server = await faulty(logFaults.signsOnly(nodeKey))
    const { peer, log, device } = server
    const entry = device.snapshot()
    const { verdicts } = await peer.appendEntries(log.append(entry))
    assert.ok(verdicts[0].outcome === 'stored')
    assert.ok(isReceiptFor({ logId: log.logId, id: entry.id }, verdicts[0].receipt))
    assert.deepEqual(await seqsSeen(server), [1, 2, 3])
  },
  claimsGap: async () => {
    const { peer, log, device } = await faulty(logFaults.claimsGap())
    assert.deepEqual(await outcomesOf(peer, log.append(device.snapshot())), ['gap'])
  },
  claimsConflict: async () => {
    for (const noise of [true, false]) {
      const { peer, log, device } = await faulty(logFaults.claimsConflict(noise))
      const entry = device.snapshot()
      const { verdicts } = await peer.appendEntries(log.append(entry))
      assert.ok(verdicts[0].outcome === 'conflict')
      assert.equal(equalBytes(verdicts[0].held.header, entry.header), !noise)
    }
  },
  refusesEntries: async () => {
    const { peer, log, device } = await faulty(logFaults.refusesEntries('E_BUSY'))
    assert.deepEqual(await outcomesOf(peer, log.append(device.snapshot())), ['E_BUSY'])
  },
}

describe('logFaults', () => {
  for (const [name, check] of Object.entries(seen)) it(`${name}: is seen as meant`, check)
})

describe('faults of every verb', () => {
  it('strike appends and reads of logs too', async () => {
    const failing = await faulty(faults.fails('E_IO'))
    await refused(failing.peer.readLog(failing.log.read()), 'E_IO')
    await refused(failing.peer.appendEntries(failing.log.append()), 'E_IO')
    const { peer, log } = await faulty(faults.hangs())
    const giveUp = new AbortController()
    const reading = peer.readLog(log.read(), { signal: giveUp.signal })
    giveUp.abort(new Error('given up'))
    await assert.rejects(reading, /given up/)
  })
})

logServerSuite('FaultyPeer without a fault', async ({ seed: serverSeed, limits, ...settings }) => {
  const random = new SimRandom('no fault')
  const clock = new SimClock(random.fork('clock'))
  const logs = { store: new MemoryLogStore(), seed: serverSeed, limits }
  const local = new LocalPeer({ id: 'f', store: new MemoryStore(), logs, clock, ...settings })
  let open = true
  const pump = async (): Promise<void> => {
    while (open) {
      await clock.run({ untilMs: clock.monotonicMs() + 1 })
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  void pump()
  return {
    peer: new FaultyPeer({ peer: local, clock, random }),
    close: async () => {
      open = false
    },
  }
})
