import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { noTrace } from '../../src/base/trace.ts'
import { isReceiptFor } from '../../src/log/receipt.ts'
import { embeddedRedundancy, openEmbeddedPeers } from '../../src/node/embedded-peers.ts'
import type { PeerPool } from '../../src/node/peer-pool.ts'
import { TestLog } from '../suites/test-log.ts'

describe('embedded peers', () => {
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-embedded-'))
  })

  afterEach(() => rm(root, { recursive: true }))

  /** The folders as a new process opens them. */
  function open(): Promise<PeerPool> {
    return openEmbeddedPeers({
      disk: new SystemDisk(),
      clock: new SystemClock(),
      trace: noTrace,
      disks: [root],
      redundancy: embeddedRedundancy(1),
      identitySeed: new Uint8Array(32).fill(7),
      reserveBytes: 0,
      software: 'test',
    })
  }

  it('keep logs, and sign for them each with the key that it is called by', async () => {
    const log = new TestLog()
    const entry = log.device('laptop').snapshot()
    const candidates = (await open()).candidates()
    for (const { id, peer } of candidates) {
      const { verdicts } = await peer.appendEntries(log.append(...log.admin.entries, entry))
      const [, verdict] = verdicts
      assert.ok(verdict.outcome === 'stored')
      assert.ok(isReceiptFor({ logId: log.logId, id: entry.id }, verdict.receipt))
      assert.equal(peerIdOf(verdict.receipt.node), id)
    }
    for (const { peer } of (await open()).candidates()) {
      const { entries, heads } = await peer.readLog(log.read())
      assert.equal(entries.length, 2)
      assert.equal(heads.length, 2)
    }
  })

  it('see what another process has added, and take an entry once', async () => {
    const log = new TestLog()
    const device = log.device('laptop')
    const [[{ peer: mine }], [{ peer: theirs }]] = [
      (await open()).candidates(),
      (await open()).candidates(),
    ]
    await mine.appendEntries(log.append(...log.admin.entries, device.snapshot()))
    const next = device.snapshot()
    assert.equal((await theirs.appendEntries(log.append(next))).verdicts[0].outcome, 'stored')
    assert.equal((await mine.readLog(log.read())).entries.length, 3)
    assert.equal((await mine.appendEntries(log.append(next))).verdicts[0].outcome, 'had')
    const rival = device.make({ seq: 2, clientMs: 1 })
    assert.equal((await mine.appendEntries(log.append(rival))).verdicts[0].outcome, 'conflict')
  })
})
