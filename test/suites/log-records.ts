/** What every implementation of LogRecords must do. */
import assert from 'node:assert/strict'
import { it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import type { LogRecords } from '../../src/node/logs/log-records.ts'
import type { TestEntry } from './test-log.ts'
import { TestLog } from './test-log.ts'

function signed({ header, signature }: TestEntry) {
  return { header, signature }
}

/** @param make - records in which nothing is yet; `again` opens the same ones as after a restart */
export function testLogRecords(
  make: () => Promise<{ records: LogRecords; again: () => Promise<LogRecords> }>,
): void {
  const log = new TestLog()
  const [laptop, phone] = ['laptop', 'phone'].map((name) => log.device(name))
  const [one, two] = [laptop.snapshot(), laptop.snapshot()]
  const other = phone.snapshot()

  it('begins without pins and without an entry', async () => {
    const { records } = await make()
    assert.deepEqual(await records.pins.load(log.logId), [])
    assert.equal(await records.journal.load(laptop.key), undefined)
    await records.journal.clear(laptop.key)
  })

  it('keeps pins by log, and moves them on', async () => {
    const { records, again } = await make()
    await records.pins.save(log.logId, [signed(one), signed(other)])
    await records.pins.save(log.logId, [signed(two), signed(other)])
    const { pins } = await again()
    assert.deepEqual(await pins.load(log.logId), [signed(two), signed(other)])
    assert.deepEqual(await pins.load(laptop.key), [])
  })

  it('moves no pin back', async () => {
    const { records, again } = await make()
    await records.pins.save(log.logId, [signed(two)])
    await records.pins.save(log.logId, [signed(one), signed(other)])
    const held = await (await again()).pins.load(log.logId)
    assert.equal(held.length, 2)
    assert.ok(held.some(({ header }) => equalBytes(header, two.header)))
  })

  it('keeps the last entry of each author until it is cleared', async () => {
    const { records, again } = await make()
    const { header, signature, body } = one
    await records.journal.save(laptop.key, { ...signed(two), body: two.body })
    await records.journal.save(laptop.key, { header, signature, body })
    await records.journal.save(phone.key, { ...signed(other), body: other.body })
    const { journal } = await again()
    assert.deepEqual(await journal.load(laptop.key), { header, signature, body })
    await journal.clear(laptop.key)
    assert.equal(await journal.load(laptop.key), undefined)
    assert.notEqual(await journal.load(phone.key), undefined)
  })

  it('lets one write a chain at a time', async () => {
    const { records } = await make()
    const release = await records.lock(laptop.key)
    await (
      await records.lock(phone.key)
    )()
    await assert.rejects(records.lock(laptop.key), (error) => isGridError(error, 'E_LOCKED'))
    await release()
    await (
      await records.lock(laptop.key)
    )()
  })
}
