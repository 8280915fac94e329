/** Servers that lie about logs. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { witnessOfReceipt } from '../../src/log/conclusion.ts'
import { isSigned, readHeader } from '../../src/log/entry.ts'
import { MemoryHeadPins } from '../../src/log/head-pins.ts'
import type { KeptEntry } from '../../src/log/log-peer.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import { logFaults } from '../../src/storage/log-faults.ts'
import { keyOf, seedOf } from '../log/world.ts'
import { TestAuthor } from '../suites/test-log.ts'
import { AttackedLog, codeIs, seen } from './attacked-log.ts'

/** A log with three entries of the laptop. */
async function staged(): Promise<AttackedLog> {
  const attacked = await AttackedLog.of()
  for (let i = 0; i < 3; i++) await attacked.append('laptop')
  return attacked
}

/** Two entries of the laptop's key that nobody but a thief and his servers know. */
function branchOf(attacked: AttackedLog): { author: Uint8Array; entries: KeptEntry[] } {
  const thief = new TestAuthor(seedOf('laptop'), attacked.logId)
  const entries = [thief.snapshot(), thief.snapshot()].map(({ header, signature, body }) => {
    return { header, signature, body, receipt: undefined }
  })
  return { author: thief.key, entries }
}

describe('malicious server, logs', () => {
  it('server 8: an old version at three of ten is passed over for the newest head', async () => {
    const attacked = await staged()
    for (const fault of [
      () => logFaults.hidesNewest(2),
      () => logFaults.hidesNewest(3),
      () => logFaults.losesLogs(),
    ]) {
      attacked.corrupt(3, fault)
      assert.deepEqual(seen(await attacked.read()), ['FRESH', 3])
    }
  })

  it('server 8: one honest server of ten suffices for the newest head', async () => {
    const attacked = await staged()
    attacked.corrupt(9, () => logFaults.hidesNewest(2))
    const view = await attacked.read()
    assert.equal(seen(view)[1], 3)
    assert.equal(view.servers.filter(({ verdict }) => verdict === 'lagging').length, 9)
  })

  it('server 8: an old version at all is an alarm to who saw more', async () => {
    const attacked = await staged()
    await attacked.grant('desk')
    const pins = new MemoryHeadPins()
    assert.deepEqual(seen(await attacked.read(pins)), ['FRESH', 3])
    attacked.corrupt(10, () => logFaults.hidesNewest(1))
    for (let i = 0; i < 2; i++) {
      const view = await attacked.read(pins)
      assert.deepEqual(seen(view), ['TRUNCATED', 2])
      const [evidence] = view.conclusion.evidence.filter(({ seq }) => seq === 3)
      assert.equal(evidence.kind, 'pin')
    }
    attacked.corrupt(0, () => ({}))
    assert.deepEqual(seen(await attacked.read(pins)), ['FRESH', 3])
  })

  it('server 9: two signed versions are reported with both, and none is chosen in silence', async () => {
    const attacked = await staged()
    for (const count of [1, 3, 9]) {
      attacked.corrupt(count, () => logFaults.showsBranch(branchOf(attacked)))
      const { conclusion } = await attacked.read()
      assert.equal(conclusion.state, 'FORKED')
      const [proof] = conclusion.evidence
      assert.ok(proof.kind === 'fork' && equalBytes(proof.author, keyOf('laptop')))
      const [one, other] = proof.entries.map(readHeader)
      assert.ok(isSigned(one) && isSigned(other) && !equalBytes(one.id, other.id))
      assert.equal(one.fields.seq, other.fields.seq)
    }
  })

  it('server 9: a writer whose chain is forked writes no more', async () => {
    const attacked = await staged()
    attacked.corrupt(1, () => logFaults.showsBranch(branchOf(attacked)))
    await assert.rejects(attacked.device('laptop'), codeIs('E_FORKED'))
  })

  it('server 9: another version at all is an alarm to who saw this one', async () => {
    const attacked = await staged()
    const pins = new MemoryHeadPins()
    await attacked.read(pins)
    attacked.corrupt(10, () => logFaults.showsBranch(branchOf(attacked)))
    const { conclusion } = await attacked.read(pins)
    assert.ok(['FORKED', 'TRUNCATED'].includes(conclusion.state))
    assert.ok(conclusion.evidence.length > 0)
  })

  it('server 9: a fork that the author never signed is none', async () => {
    const attacked = await staged()
    const stranger = new TestAuthor(seedOf('stranger'), attacked.logId)
    const forged = stranger.make({ author: keyOf('laptop') })
    const accuses: Fault = {
      readLog: async ({ honest }) => {
        const reply = await honest()
        const forks = reply.entries.map((held) => ({ held, other: forged }))
        return { ...reply, forks: [...forks, { held: forged, other: forged }] }
      },
    }
    for (const fault of [accuses, logFaults.claimsConflict(), logFaults.claimsConflict(false)]) {
      attacked.corrupt(3, () => fault)
      await attacked.append('laptop')
      assert.equal((await attacked.read()).conclusion.state, 'FRESH')
    }
  })

  it('server 10: a chain cut short or left out by three of ten is shown whole', async () => {
    const attacked = await staged()
    for (const fault of [
      () => logFaults.omitsChain(keyOf('laptop')),
      () => logFaults.omitsEntry(),
      () => logFaults.hidesNewest(1),
      () => logFaults.standsStill(),
    ]) {
      attacked.corrupt(3, fault)
      assert.deepEqual(seen(await attacked.read()), ['FRESH', 3])
    }
  })

  it('server 10: what all leave out is told by who acknowledged it', async () => {
    const attacked = await staged()
    await attacked.grant('desk')
    await attacked.append('desk')
    attacked.corrupt(10, () => logFaults.omitsChain(keyOf('laptop')))
    const { conclusion } = await attacked.read()
    assert.equal(conclusion.state, 'TRUNCATED')
    assert.deepEqual(new Set(conclusion.evidence.map(({ kind }) => kind)), new Set(['ack']))
    assert.ok(conclusion.evidence.every(({ author }) => equalBytes(author, keyOf('laptop'))))
  })

  it('server 10: what all leave out is told by a checkpoint, and by a receipt that is held', async () => {
    const attacked = await staged()
    const [entry] = (await attacked.entriesAt(0, 'laptop')).slice(-1)
    const witness = witnessOfReceipt(attacked.logId, entry, entry.receipt!)
    assert.ok(witness !== undefined)
    attacked.corrupt(10, () => logFaults.omitsChain(keyOf('laptop')))
    const read = attacked.reader().read({ witnesses: [witness] })
    const { conclusion } = await attacked.run(read)
    assert.deepEqual([conclusion.state, conclusion.evidence[0].kind], ['TRUNCATED', 'receipt'])
    attacked.corrupt(0, () => ({}))
    await attacked.run((await attacked.run((await attacked.admin()).checkpoint())).settled)
    attacked.corrupt(10, () => logFaults.omitsChain(keyOf('laptop')))
    const later = (await attacked.read()).conclusion
    assert.ok(later.evidence.some(({ kind }) => kind === 'checkpoint'))
    assert.equal(later.state, 'TRUNCATED')
  })

  it('server 11: entries in another order, of another chain, or with a wrong bit do not count', async () => {
    const attacked = await staged()
    const swaps: Fault = {
      readLog: async ({ asked: [request], honest, peer }) => {
        const [range] = request.ranges as ((typeof request.ranges)[number] | undefined)[]
        if (range === undefined) return honest()
        const author = equalBytes(range.author, keyOf('laptop'))
          ? attacked.log.keys.adminKey
          : keyOf('laptop')
        return peer.readLog({ ...request, ranges: [{ ...range, author }] })
      },
    }
    for (const fault of [
      () => swaps,
      () => logFaults.reordersEntries(),
      () => logFaults.garblesEntries('header'),
      () => logFaults.garblesEntries('signature'),
      () => logFaults.garblesGenesis(),
      () => logFaults.inventsHeads(),
    ]) {
      attacked.corrupt(3, fault)
      assert.deepEqual(seen(await attacked.read()), ['FRESH', 3])
      attacked.corrupt(10, fault)
      const { conclusion } = await attacked.read().catch(() => ({ conclusion: { state: 'none' } }))
      assert.notEqual(conclusion.state, 'FRESH')
    }
  })

  it('server 12: more entries, heads or evidence than there may be are not looked at', async () => {
    const attacked = await staged()
    const floods: Fault = {
      readLog: async ({ honest }) => {
        const reply = await honest()
        const head = { author: seedOf('nobody'), seq: 1, id: seedOf('nothing') }
        const [held] = await attacked.servers[9]
          .readLog({
            logId: attacked.logId,
            ranges: [{ author: keyOf('laptop'), firstSeq: 1, lastSeq: 1 }],
            ...{
              genesis: false,
              others: false,
              bodies: 'none',
              receipts: false,
              maxBytes: 2 ** 21,
            },
          })
          .then(({ entries }) => entries)
        return {
          ...reply,
          heads: [...reply.heads, ...new Array<typeof head>(100_000).fill(head)],
          forks: new Array<{ held: KeptEntry; other: KeptEntry }>(10_000).fill({
            held,
            other: held,
          }),
        }
      },
    }
    for (const fault of [
      () => floods,
      () => logFaults.sendsTooMany(),
      () => logFaults.neverEnds(),
    ]) {
      attacked.corrupt(3, fault)
      assert.deepEqual(seen(await attacked.read()), ['FRESH', 3])
    }
  })
})
