import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../../src/base/clock.ts'
import { SystemDisk } from '../../../src/base/disk.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { noTrace } from '../../../src/base/trace.ts'
import { isReceiptFor } from '../../../src/log/receipt.ts'
import { embeddedRedundancy, openEmbeddedPeers } from '../../../src/node/peers/embedded-peers.ts'
import type { PeerPool } from '../../../src/node/peers/peer-pool.ts'
import { TestLog } from '../../suites/test-log.ts'

describe('embedded peers', () => {
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-embedded-'))
  })

  afterEach(() => rm(root, { recursive: true }))

  /** The folders as a new process opens them. */
  function open(
    disks = [root],
    identity = 7,
    redundancy = embeddedRedundancy(disks.length),
    disk = new SystemDisk(),
  ): Promise<PeerPool> {
    return openEmbeddedPeers({
      disk,
      random: new SystemRandom(),
      clock: new SystemClock(),
      trace: noTrace,
      disks,
      redundancy,
      identitySeed: new Uint8Array(32).fill(identity),
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

  const idsOf = (pool: PeerPool): string[] => pool.candidates().map(({ id }) => id)
  const placesOf = (pool: PeerPool): string[] => idsOf(pool).map((id) => pool.nickname(id))

  it('are called the same by a home that knows nothing but the disks, in any order', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => path.join(root, name))
    const first = await open([a, b, c], 7)
    const again = await open([c, a, b], 8)
    assert.deepEqual(idsOf(again), idsOf(first))
    assert.deepEqual(placesOf(again), placesOf(first))
    assert.equal(placesOf(first)[1], path.join(b, 'folder-1'))
    for (const at of [a, b, c]) {
      const names = await readdir(at)
      assert.ok(names.every((name) => /^folder-(\d|keys)$/.test(name)))
      assert.equal((await stat(path.join(at, 'folder-keys'))).mode & 0o777, 0o600)
    }
  })

  it('are called the same where one of the disks is left', async () => {
    const [a, b] = ['a', 'b'].map((name) => path.join(root, name))
    const first = await open([a, b], 7)
    await rm(a, { recursive: true })
    const left = await open([b], 8)
    assert.deepEqual(idsOf(left), idsOf(first))
    assert.ok(placesOf(left).every((place) => place.startsWith(b)))
  })

  it('are all opened where a home has forgotten how many there are', async () => {
    const first = await open([root], 7, { k: 5, happy: 12, n: 12 })
    assert.equal(first.candidates().length, 12)
    assert.deepEqual(idsOf(await open([root], 8)), idsOf(first))
  })

  it('keep the names of a home from before disks had keys', async () => {
    const first = idsOf(await open())
    await rm(path.join(root, 'folder-keys'))
    assert.deepEqual(idsOf(await open()), first)
    assert.deepEqual(idsOf(await open([root], 8)), first)
  })

  it('take damaged keys for none, and never call two folders the same', async () => {
    const first = idsOf(await open())
    const file = path.join(root, 'folder-keys')
    const text = await readFile(file, 'utf8')
    for (const damaged of ['', 'x', text.replace('1\n', '2\n'), text.replaceAll(' ', '\0')]) {
      await writeFile(file, damaged)
      assert.deepEqual(idsOf(await open()), first)
      assert.equal(await readFile(file, 'utf8'), text)
    }
    const one = /^3 (\S+)$/m.exec(text)![1]
    await writeFile(file, text.replaceAll(/^(\d) \S+$/gm, `$1 ${one}`))
    const ids = idsOf(await open())
    assert.equal(new Set(ids).size, ids.length)
  })

  it('are opened where a disk takes no keys', async () => {
    const first = idsOf(await open())
    await rm(path.join(root, 'folder-keys'))
    const full = new SystemDisk()
    full.create = async () => {
      throw Object.assign(new Error('EROFS: read-only file system, open'), { code: 'EROFS' })
    }
    assert.deepEqual(idsOf(await open([root], 7, embeddedRedundancy(1), full)), first)
  })

  it('are not looked for in names that are none of theirs', async () => {
    for (const name of ['folder-255', 'folder-01', 'folder-1000', 'folder-x', 'other']) {
      await mkdir(path.join(root, name))
    }
    assert.equal((await open()).candidates().length, 10)
  })
})
