import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { toHex, utf8 } from '../../src/base/bytes.ts'
import { formatEntryHead } from '../../src/storage/entry-head.ts'
import { type Disk, SystemDisk } from '../../src/base/disk.ts'
import { isGridError } from '../../src/base/errors.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import {
  assertHolds,
  genesis,
  logStoreSuite,
  nameOf,
  recordOf,
  recordsOf,
  shownBy,
} from '../suites/log-store.ts'
import { FailingDisk } from './failing-disk.ts'

async function openStore(root: string, disk: Disk = new SystemDisk()): Promise<DiskLogStore> {
  const store = new DiskLogStore({ disk, root })
  await store.open()
  return store
}

logStoreSuite('DiskLogStore', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'grid-logs-'))
  return { store: await openStore(root), close: () => rm(root, { recursive: true }) }
})

describe('DiskLogStore', () => {
  const logId = nameOf(1000)
  const name = toBase32(logId)
  let root: string
  let directory: string

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-logs-'))
    directory = path.join(root, 'logs', name.slice(0, 2), name)
  })

  afterEach(() => rm(root, { recursive: true }))

  /** Names of the files of runs. */
  async function runs(): Promise<string[]> {
    return (await readdir(directory)).filter((each) => each !== 'genesis').sort()
  }

  it('lays a run in a file of its own, for the owner alone', async () => {
    const store = await openStore(root)
    const log = await store.create(logId, genesis)
    await log.append(recordsOf(1, 1, 3))
    const [run, ...others] = await runs()
    assert.deepEqual(others, [])
    assert.match(run, new RegExp(`^${toBase32(nameOf(1))}\\.1\\.3\\.[a-z2-7]{26}$`))
    assert.equal((await stat(path.join(directory, run))).mode & 0o777, 0o600)
    assert.equal((await stat(directory)).mode & 0o777, 0o700)
    assert.deepEqual(await readFile(path.join(directory, 'genesis')), Buffer.from(genesis))
    assert.deepEqual(await readdir(path.join(root, 'logs', 'incoming')), [])
  })

  it('finds its logs again when it is opened anew', async () => {
    const before = await (await openStore(root)).create(logId, genesis)
    await before.append([...recordsOf(1, 1, 3), ...recordsOf(2, 1, 300)])
    await before.append([recordOf(1, 2, { fork: true, variant: 1 }), recordOf(1, 4)])
    await before.append([recordOf(1, 5, { body: false })])
    await before.append([recordOf(1, 5)])
    const store = await openStore(root)
    assert.equal(await store.count(), 1)
    const after = await store.log(logId)
    assert.ok(after !== undefined)
    assert.deepEqual(after.genesis, genesis)
    assert.deepEqual(shownBy(after), shownBy(before))
    assert.equal(after.bytes, before.bytes)
    await assertHolds(after, recordOf(1, 5))
  })

  it('does what the worked example of its spec says', async () => {
    const from = (first: number, length: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => first + i)
    const receipt = { node: from(0xa0, 32), receivedMs: 1_700_000_000_000, late: false }
    const log = await (await openStore(root)).create(from(0, 32), utf8('g'))
    await log.append([
      {
        ...{ author: from(0x20, 32), seq: 1, id: from(0x60, 32), fork: false },
        receivedMs: receipt.receivedMs,
        head: formatEntryHead({
          ...{ header: utf8('hdr'), signature: from(0x40, 64) },
          receipt: { ...receipt, signature: from(0x80, 64) },
        }),
        body: utf8('b'),
      },
    ])
    const logName = 'aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq'
    const author = 'eaqseizeeutcokbjfivsyljof4ydcmrtgq2tmnzyhe5dwpb5hy7q'
    const file = path.join(root, 'logs/aa', logName, `${author}.1.1.jayusiiwnm222wv562i37ouyga`)
    const bytes = new Uint8Array(await readFile(file))
    assert.equal(bytes.length, 337)
    assert.equal(
      toHex(bytes.subarray(100, 164)),
      '706265e482efd9ed282e941b59e8ff573e23e8160039594a33894f6564e1b134' +
        '67339419bfa21f542e401ea947c9748285d19f4245145ceb5305f3acbe65a3f2',
    )
  })

  it('removes what an ended process left unfinished', async () => {
    await openStore(root)
    const leftover = path.join(root, 'logs', 'incoming', `${toBase32(nameOf(1))}.1.1.a.77.0`)
    await writeFile(leftover, 'half')
    await openStore(root)
    assert.deepEqual(await readdir(path.dirname(leftover)), [])
  })

  it('takes no notice of files that are not runs', async () => {
    const store = await openStore(root)
    const log = await store.create(logId, genesis)
    await log.append([recordOf(1, 1)])
    const [run] = await runs()
    const bytes = await readFile(path.join(directory, run))
    const author = toBase32(nameOf(1))
    const digest = run.slice(-26)
    const strangers = [
      ...[`${author}.0.1.${digest}`, `${author}.2.0.${digest}`, `${author}.2.257.${digest}`],
      ...[`${author}.01.1.${digest}`, `${author}.2.1.${digest}`, `${author}.1.1`, 'README'],
    ]
    for (const stranger of strangers) await writeFile(path.join(directory, stranger), bytes)
    const after = await (await openStore(root)).log(logId)
    assert.deepEqual(after && shownBy(after), shownBy(log))
  })

  it('finds every changed byte of a run, and hands out none of them', async () => {
    const log = await (await openStore(root)).create(logId, genesis)
    const records = [recordOf(1, 1, { bodyBytes: 20 }), recordOf(1, 2, { bodyBytes: 20 })]
    await log.append(records)
    const [run] = await runs()
    const file = path.join(directory, run)
    const bytes = await readFile(file)
    for (let position = 0; position < bytes.length; position++) {
      const spoilt = Buffer.from(bytes)
      spoilt[position] ^= 1
      await writeFile(file, spoilt)
      const after = await (await openStore(root)).log(logId)
      let whole = 0
      for (const record of records) {
        const entry = after?.chain(nameOf(1))[record.seq - 1]
        if (after === undefined || entry === undefined) continue
        try {
          await assertHolds(after, record)
          whole++
        } catch (error) {
          assert.ok(isGridError(error, 'E_IO'), String(error))
        }
      }
      assert.ok(whole < 2, `byte ${position} was not missed`)
    }
    for (const length of [0, 10, 100, bytes.length - 1]) {
      await writeFile(file, bytes.subarray(0, length))
      const after = await (await openStore(root)).log(logId)
      assert.deepEqual(after?.authors(), [])
    }
  })

  it('shows what comes behind a lost run again once that has been filled in', async () => {
    const log = await (await openStore(root)).create(logId, genesis)
    for (let seq = 1; seq <= 4; seq++) await log.append([recordOf(1, seq)])
    const lost = (await runs()).find((run) => run.split('.')[1] === '2')
    await rm(path.join(directory, lost!))
    const after = await (await openStore(root)).log(logId)
    assert.equal(after?.chain(nameOf(1)).length, 1)
    await after.append([recordOf(1, 2)])
    assert.equal(after.chain(nameOf(1)).length, 4)
    assert.equal(after.bytes, log.bytes)
  })

  it('takes in what another process adds, and lets the first of two be in the chain', async () => {
    const mine = await (await openStore(root)).create(logId, genesis)
    const theirs = await (await openStore(root)).log(logId)
    assert.ok(theirs !== undefined)
    await mine.append([recordOf(1, 1)])
    assert.equal(await theirs.refresh(), true)
    await assertHolds(theirs, recordOf(1, 1))
    assert.equal(await theirs.refresh(), false)
    const first = recordOf(1, 2, { variant: 1 })
    const second = recordOf(1, 2, { variant: 2 })
    await Promise.all([theirs.append([second]), mine.append([first])])
    await mine.refresh()
    await assertHolds(mine, first)
    assert.equal(mine.forks(nameOf(1)).length, 1)
    const anew = await (await openStore(root)).log(logId)
    assert.deepEqual(anew && shownBy(anew), shownBy(mine))
  })

  it('syncs each file before its name, and the names once', async () => {
    const disk = new FailingDisk(new SystemDisk(), { call: -1, code: '', persisted: false })
    const log = await (await openStore(root, disk)).create(logId, genesis)
    disk.calls.length = 0
    await log.append(recordsOf(1, 1, 200))
    const steps = ['create', 'write', 'sync', 'close', 'rename', 'syncDirectory']
    assert.deepEqual(disk.calls, steps)
    disk.calls.length = 0
    await log.append([...recordsOf(2, 1, 1), ...recordsOf(3, 1, 1)])
    assert.deepEqual(disk.calls.slice(-3), ['rename', 'rename', 'syncDirectory'])
    assert.equal(disk.calls.filter((call) => call === 'syncDirectory').length, 1)
  })

  it('reads a range of a long log without the bodies', async () => {
    const log = await (await openStore(root)).create(logId, genesis)
    for (let seq = 1; seq <= 10_000; seq += 1000) await log.append(recordsOf(1, seq, seq + 999))
    let readBytes = 0
    const counted = new SystemDisk()
    const openRead = counted.openRead.bind(counted)
    counted.openRead = async (file) => {
      const opened = await openRead(file)
      const read = opened.read.bind(opened)
      opened.read = async (position, length) => {
        const bytes = await read(position, length)
        readBytes += bytes.length
        return bytes
      }
      return opened
    }
    const after = await (await openStore(root, counted)).log(logId)
    assert.equal(after?.chain(nameOf(1)).length, 10_000)
    assert.ok(readBytes < 10_000 * 100, `${readBytes} bytes read to open it`)
    readBytes = 0
    for (const entry of after.chain(nameOf(1)).slice(5000, 5010)) await after.read(entry, false)
    assert.ok(readBytes < 500, `${readBytes} bytes read for ten heads`)
  })
})
