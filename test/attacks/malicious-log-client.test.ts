/** Clients who do to logs what they may not. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { openSnapshot, openSnapshotCheck } from '../../src/log/bodies.ts'
import { ChainWriter } from '../../src/log/chain-writer.ts'
import { type EntryHeader, readHeader } from '../../src/log/entry.ts'
import { MemoryEntryJournal } from '../../src/log/entry-journal.ts'
import { MemoryHeadPins } from '../../src/log/head-pins.ts'
import { LogAdmin } from '../../src/log/log-admin.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { formatRelease } from '../../src/log/release.ts'
import { logFaults } from '../../src/storage/log-faults.ts'
import { verbDeadlineMs } from '../../src/storage/storage-protocol.ts'
import { keyOf, seedOf } from '../log/world.ts'
import { TestAuthor } from '../suites/test-log.ts'
import { AttackedLog, codeIs, codeOf, seen, withThief } from './attacked-log.ts'

describe('malicious client, logs', () => {
  it('client 17: nobody but who may sign releases lets go of anything, and no verb cancels', async () => {
    const { attacked, thief } = await withThief()
    const release = { account: attacked.logId, server: undefined, releaseSeq: 1, cutoffMs: 2 ** 50 }
    const body = formatRelease({ ...release, storageIndexes: [new Uint8Array(20)] })
    assert.equal(
      codeOf(await attacked.offer(thief.make({ kind: 'release' }, body))),
      'E_CERTIFICATE',
    )
    const laptop = await attacked.writer('laptop')
    const sign = laptop.append('release', () => body)
    await assert.rejects(attacked.run(sign), codeIs('E_CERTIFICATE'))
    assert.deepEqual(
      Object.keys(verbDeadlineMs).filter((verb) => /delete|cancel|remove|drop/i.test(verb)),
      [],
    )
    assert.deepEqual([...(await attacked.read()).entries('release')], [])
  })

  it('client 18: a recorded append, replayed in whole and in parts, changes nothing', async () => {
    const { attacked, thief } = await withThief()
    const before = await attacked.entriesAt(0, 'laptop')
    for (let times = 0; times < 20; times++) {
      const verdict = await attacked.offer(...thief.entries.slice(times % 3))
      assert.equal(verdict.outcome, 'had')
      assert.deepEqual('receipt' in verdict && verdict.receipt, before[2].receipt)
    }
    const after = await attacked.entriesAt(0, 'laptop')
    assert.deepEqual(after, before)
    assert.deepEqual(seen(await attacked.read()), ['FRESH', 3])
  })

  it('client 18: an append that was recorded before a revocation is refused after it', async () => {
    const { attacked, thief } = await withThief()
    const recorded = thief.snapshot()
    await attacked.revoke('laptop')
    assert.equal(codeOf(await attacked.offer(recorded)), 'E_REVOKED')
    assert.equal(codeOf(await attacked.offer(thief.entries[2])), 'had')
  })

  const rewrites: Record<string, [fields: Partial<EntryHeader>, code: string]> = {
    'another entry in the place of the first': [{ seq: 1, clientMs: 1 }, 'conflict'],
    'another entry in the place of the last': [{ seq: 3, clientMs: 1 }, 'conflict'],
    'an entry behind one that nobody has': [{ seq: 9 }, 'gap'],
    'an entry that links past the last': [{ seq: 4, prev: seedOf('nothing') }, 'E_LINK'],
    'an entry whose skip leads elsewhere': [{ seq: 4, skip: seedOf('nothing') }, 'E_LINK'],
    'an entry of the admin’s kind': [{ kind: 'revocation' }, 'E_CERTIFICATE'],
  }
  for (const [name, [fields, code]] of Object.entries(rewrites)) {
    it(`client 19: with the right to append, ${name} is refused, and nothing is lost`, async () => {
      const { attacked, thief } = await withThief()
      const before = await attacked.entriesAt(0, 'laptop')
      assert.equal(codeOf(await attacked.offer(thief.make(fields))), code)
      assert.deepEqual(await attacked.entriesAt(0, 'laptop'), before)
      const view = await attacked.read()
      assert.equal(view.conclusion.state, code === 'conflict' ? 'FORKED' : 'FRESH')
      assert.equal(seen(view)[1], 3)
    })
  }

  it('client 19: entries in another order are refused', async () => {
    const { attacked, thief } = await withThief()
    const [next, after] = [thief.snapshot(), thief.snapshot()]
    assert.equal(codeOf(await attacked.offer(after, next)), 'gap')
    assert.equal(codeOf(await attacked.offer(next, after)), 'stored')
  })

  it('client 19: what colluding servers rewrite with the key, a reader of one other server sees', async () => {
    const { attacked } = await withThief()
    const other = new TestAuthor(seedOf('laptop'), attacked.logId)
    const entries = [0, 1, 2, 3].map(() => ({ ...other.snapshot(77), receipt: undefined }))
    attacked.corrupt(3, () => logFaults.showsBranch({ author: other.key, entries }))
    const { conclusion } = await attacked.read()
    assert.equal(conclusion.state, 'FORKED')
  })

  it('client 20: who may read cannot write: a read seed makes no key that servers take', async () => {
    const { attacked } = await withThief()
    const { readSeed, verifySeed } = attacked.log.keys
    for (const seed of [readSeed, verifySeed]) {
      const forger = new TestAuthor(seed, attacked.logId)
      assert.equal(codeOf(await attacked.offer(forger.make({}))), 'E_CERTIFICATE')
      const asLaptop = forger.make({ seq: 4, author: keyOf('laptop') })
      assert.equal(codeOf(await attacked.offer(asLaptop)), 'E_SIGNATURE')
    }
  })

  it('client 20: who may verify cannot read, and who may append can do neither', async () => {
    const attacked = await AttackedLog.of(4)
    await attacked.append('laptop')
    const [kept] = await attacked.entriesAt(0, 'laptop')
    const entry = readHeader(kept)
    const { readSeed, verifySeed } = attacked.log.keys
    assert.equal(openSnapshot(entry, kept.body!, readSeed).label, 'a snapshot')
    assert.equal(openSnapshotCheck(entry, kept.body!, verifySeed).totals.files, 1)
    for (const seed of [verifySeed, seedOf('laptop')]) {
      assert.throws(() => openSnapshot(entry, kept.body!, seed), codeIs('E_SEAL'))
    }
    assert.throws(() => openSnapshotCheck(entry, kept.body!, seedOf('laptop')), codeIs('E_SEAL'))
  })

  it('client 20: a revoked key writes nothing more, with or without its state', async () => {
    const { attacked, thief } = await withThief()
    const open = await attacked.writer('laptop')
    await attacked.revoke('laptop', 2)
    const append = open.append('snapshot', () => new Uint8Array(5))
    await assert.rejects(attacked.run(append), codeIs('E_REVOKED'))
    await assert.rejects(attacked.writer('laptop'), codeIs('E_REVOKED'))
    assert.equal(codeOf(await attacked.offer(thief.snapshot())), 'E_REVOKED')
    const view = await attacked.read()
    assert.deepEqual(
      [...view.entries('snapshot')].map(({ fields }) => fields.seq),
      [1, 2],
    )
  })

  it('client 20: a device is no admin', async () => {
    const { attacked } = await withThief()
    const reader = attacked.reader()
    const options = { reader, peers: () => attacked.peers, clock: attacked.clock }
    const parts = { ...options, journal: new MemoryEntryJournal() }
    const open = LogAdmin.open({ signSeed: seedOf('laptop') }, parts)
    await assert.rejects(attacked.run(open), codeIs('E_CAP_WEAK'))
  })

  it('client 21: an entry or a certificate of one log is worth nothing in another', async () => {
    const { attacked } = await withThief()
    const other = await AttackedLog.of(4, ['laptop', 'desk'], 'another admin')
    assert.ok(!equalBytes(other.logId, attacked.logId))
    await other.append('desk')
    const [foreign] = await other.entriesAt(0, 'desk')
    assert.equal(codeOf(await attacked.offer(foreign)), 'E_ENTRY')
    const [certificate] = await other.entriesAt(0)
    const admin = new TestAuthor(attacked.log.keys.signSeed, attacked.logId)
    const held = await attacked.entriesAt(0)
    const { id } = readHeader(held[0])
    const links = { seq: 2, prev: id, skip: attacked.logId, kind: 'certificate' } as const
    assert.equal(codeOf(await attacked.offer(admin.make(links, certificate.body))), 'E_CERTIFICATE')
    const desk = ChainWriter.open({
      ...{ reader: attacked.reader(), peers: () => attacked.peers, clock: attacked.clock },
      ...{ journal: new MemoryEntryJournal(), seed: seedOf('desk') },
    })
    const append = (await attacked.run(desk)).append('snapshot', () => new Uint8Array(1))
    await assert.rejects(attacked.run(append), codeIs('E_CERTIFICATE'))
  })

  it('client 21: a cap with the id of another log finds no genesis to believe', async () => {
    const { attacked } = await withThief()
    const other = await AttackedLog.of(4, [], 'another admin')
    attacked.peers = attacked.servers.map((server) => ({
      id: server.id,
      appendEntries: (request) => server.appendEntries(request),
      readLog: (request) => server.readLog({ ...request, logId: attacked.logId }),
    }))
    const { clock } = attacked
    const { logId } = other
    const pins = new MemoryHeadPins()
    const reader = new LogReader({ logId, peers: () => attacked.peers, clock, pins })
    await assert.rejects(attacked.run(reader.read()), codeIs('E_UNREACHABLE'))
  })
})
