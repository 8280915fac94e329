import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type Disk, SystemDisk } from '../../../src/base/disk.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { diskRecords, type LogRecords, memoryRecords } from '../../../src/node/logs/log-records.ts'
import { testLogRecords } from '../../suites/log-records.ts'
import { TestLog } from '../../suites/test-log.ts'

const random = new SystemRandom()

describe('MemoryLogRecords', () => {
  testLogRecords(async () => {
    const records = memoryRecords()
    return { records, again: async () => records }
  })
})

describe('DiskLogRecords', () => {
  let directory = ''
  const open = (disk: Disk = new SystemDisk()): LogRecords =>
    diskRecords({ disk, random, path: path.join(directory, 'logs') })

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'log-records-'))
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  testLogRecords(async () => ({ records: open(), again: async () => open() }))

  it('lets no other user read them, and leaves nothing else behind', async () => {
    const log = new TestLog()
    const { header, signature } = log.device('laptop').snapshot()
    const { pins } = open()
    await pins.save(log.logId, [{ header, signature }])
    const folder = path.join(directory, 'logs')
    const [name, ...others] = readdirSync(folder)
    assert.deepEqual(others, [])
    assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
  })

  it('refuses what is damaged, and takes it for nothing', async () => {
    const log = new TestLog()
    const laptop = log.device('laptop')
    const { header, signature, body } = laptop.snapshot()
    const records = open()
    await records.pins.save(log.logId, [{ header, signature }])
    await records.journal.save(laptop.key, { header, signature, body })
    const folder = path.join(directory, 'logs')
    for (const name of readdirSync(folder)) writeFileSync(path.join(folder, name), 'x')
    const isDamage = (error: unknown): boolean => isGridError(error, 'E_IO')
    await assert.rejects(records.pins.load(log.logId), isDamage)
    await assert.rejects(records.journal.load(laptop.key), isDamage)
  })

  it('keeps what was there when it cannot write', async () => {
    const log = new TestLog()
    const laptop = log.device('laptop')
    const [one, two] = [laptop.snapshot(), laptop.snapshot()]
    await open().journal.save(laptop.key, one)
    const disk = new SystemDisk()
    disk.rename = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
    await assert.rejects(open(disk).journal.save(laptop.key, two), (e) => isGridError(e, 'E_IO'))
    assert.deepEqual((await open().journal.load(laptop.key))?.header, one.header)
    assert.equal(readdirSync(path.join(directory, 'logs')).length, 1)
  })
})
