/** What is wrong with append-only modes elsewhere, by their public trackers, tried here (docs/attacks.md). */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { fetchBody, openSnapshot } from '../../src/log/bodies.ts'
import { readHeader } from '../../src/log/entry.ts'
import { MemoryHeadPins } from '../../src/log/head-pins.ts'
import { formatRelease } from '../../src/log/release.ts'
import { logFaults } from '../../src/storage/log-faults.ts'
import { keyOf, plenty, seedOf } from '../log/world.ts'
import { TestAuthor } from '../suites/test-log.ts'
import { AttackedLog, codeIs, codeOf, seen, withThief } from './attacked-log.ts'

describe('holes of append-only backups', () => {
  it('hole: dates of a thief, snapshots dated at every month’s end show by their receipts when they came', async () => {
    const { attacked, thief } = await withThief()
    const startMs = attacked.clock.nowMs()
    for (let month = 0; month < 12; month++) {
      const forged = thief.make({ clientMs: month * 30 * 86_400_000 }, new Uint8Array(0))
      thief.entries.push(forged)
      assert.equal(codeOf(await attacked.offer(forged)), 'stored')
    }
    const shown = await attacked.entriesAt(0, 'laptop')
    assert.equal(shown.length, 15)
    for (const { receipt } of shown) assert.ok(receipt!.receivedMs >= startMs - 60_000)
    assert.ok(readHeader(shown[3]).fields.clientMs < startMs - 10 ** 11)
    // the admin ends the key, and nothing of the thief's is trusted, nothing honest gone
    await attacked.revoke('laptop', 3)
    const trusted = [...(await attacked.read()).entries('snapshot')]
    assert.deepEqual(
      trusted.map(({ id }) => id),
      thief.entries.slice(0, 3).map(({ id }) => id),
    )
  })

  it('hole: deletes of a thief, none is recorded for the admin to carry out later', async () => {
    const { attacked, thief } = await withThief()
    const release = { account: attacked.logId, server: undefined, releaseSeq: 1, cutoffMs: 2 ** 50 }
    const body = formatRelease({ ...release, storageIndexes: [new Uint8Array(20)] })
    const entry = thief.make({ kind: 'release' }, body)
    assert.equal(codeOf(await attacked.offer(entry)), 'E_CERTIFICATE')
    // servers in league with the thief show it all the same: no reader takes it for a release
    const entries = [...thief.entries, entry].map((each) => ({ ...each, receipt: undefined }))
    attacked.corrupt(4, () => logFaults.showsBranch({ author: thief.key, entries }))
    const view = await attacked.read()
    assert.deepEqual([...view.entries('release')], [])
    assert.equal([...view.entries('snapshot')].length, 3)
  })

  it('hole: deletes that seem to work, each is refused by a code of its own', async () => {
    const { attacked } = await withThief()
    const laptop = await attacked.writer('laptop')
    for (const kind of ['release', 'revocation', 'checkpoint', 'config'] as const) {
      const write = laptop.append(kind, () => new Uint8Array(5))
      await assert.rejects(attacked.run(write), codeIs('E_CERTIFICATE'))
    }
    assert.deepEqual(seen(await attacked.read()), ['FRESH', 3])
  })

  it('hole: pruning takes the whole password, a pruner signs releases and can neither read nor write', async () => {
    const attacked = await AttackedLog.of(4)
    await attacked.append('laptop')
    await attacked.grant('pruner', ['release'])
    const pruner = await attacked.writer('pruner')
    const release = { account: attacked.logId, server: undefined, releaseSeq: 1, cutoffMs: 1 }
    const body = formatRelease({ ...release, storageIndexes: [] })
    const { outcome } = await attacked.run(pruner.append('release', () => body))
    assert.equal(outcome, 'committed')
    const [kept] = await attacked.entriesAt(0, 'laptop')
    assert.throws(
      () => openSnapshot(readHeader(kept), kept.body!, seedOf('pruner')),
      codeIs('E_SEAL'),
    )
    const write = pruner.append('snapshot', () => new Uint8Array(1))
    await assert.rejects(attacked.run(write), codeIs('E_CERTIFICATE'))
  })

  it('hole: one server program decides, servers that drop all they hold lose nothing and are told of', async () => {
    const { attacked } = await withThief()
    const pins = new MemoryHeadPins()
    await attacked.read(pins)
    attacked.corrupt(1, () => logFaults.losesLogs())
    const view = await attacked.read(pins)
    assert.deepEqual(seen(view), ['FRESH', 3])
    assert.deepEqual(
      view.servers.filter(({ verdict }) => verdict === 'absent').map(({ server }) => server),
      [attacked.servers[0].id],
    )
    attacked.corrupt(2, () => logFaults.losesLogs())
    assert.deepEqual(seen(await attacked.read(pins)), ['STALE-POSSIBLE', 3])
  })

  it('hole: a snapshot that the store removed, its absence is told by a pin, and its body is elsewhere', async () => {
    const attacked = await AttackedLog.of(4, ['laptop', 'desk'])
    for (let i = 0; i < 3; i++) await attacked.append('laptop')
    const pins = new MemoryHeadPins()
    const { chain } = (await attacked.read(pins)).chainOf(keyOf('laptop'))!
    attacked.corrupt(4, () => logFaults.omitsEntry())
    const { conclusion } = await attacked.read(pins)
    assert.notEqual(conclusion.state, 'FRESH')
    attacked.corrupt(3, () => logFaults.withholdsBodies())
    const { clock, peers } = attacked
    const body = await attacked.run(fetchBody(chain.entries[1], peers, { clock }))
    assert.equal(body.length, chain.entries[1].fields.bodyBytes)
  })

  it('hole: floods of a thief, a key writes no more than its certificate allows', async () => {
    const attacked = await AttackedLog.of(4, [])
    await attacked.grant('laptop', ['append'], { ...plenty, entriesPerDay: 2 })
    const thief = new TestAuthor(seedOf('laptop'), attacked.logId)
    const codes = []
    for (let i = 0; i < 4; i++) codes.push(codeOf(await attacked.offer(thief.snapshot())))
    assert.deepEqual(codes, ['stored', 'stored', 'E_RATE', 'gap'])
  })
})
