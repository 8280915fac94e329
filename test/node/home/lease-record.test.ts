import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemDisk } from '../../../src/base/disk.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { dayMs, LeaseRecord, usualLeaseMs } from '../../../src/node/home/lease-record.ts'
import {
  formatLeaseRows,
  leaseNameOf,
  type LeaseRow,
  maxLeaseRows,
  parseLeaseRows,
  tidyLeaseRows,
} from '../../../src/node/home/lease-rows.ts'
import { ManualClock } from '../../cli/fake-world.ts'

describe('LeaseRecord', () => {
  let directory = ''
  let clock: ManualClock
  const at = (): string => path.join(directory, 'leases')
  const open = (): LeaseRecord =>
    new LeaseRecord({ disk: new SystemDisk(), random: new SystemRandom(), clock, path: at() })
  const files = async (): Promise<string[]> => fs.readdir(at())
  const rowOf = async (cap: string): Promise<LeaseRow | undefined> =>
    (await open().read())?.rows.get(leaseNameOf(cap))

  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-leases-'))
    await fs.mkdir(at())
    clock = new ManualClock()
    clock.advance(1000 * dayMs)
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('remembers when something was put, over processes, and of two times the later', async () => {
    await open().note('a', 3)
    clock.advance(dayMs)
    const record = open()
    await record.note('a', 4)
    await record.note('b', 1)
    assert.equal((await rowOf('a'))?.objects, 4)
    assert.equal(await rowOf('b'), undefined, 'b waits for more')
    await record.close()
    assert.deepEqual(await rowOf('b'), { objects: 1, firstMs: 1001 * dayMs, lastMs: 1001 * dayMs })
    assert.deepEqual((await open().read())?.sinceMs, undefined)
  })

  it('holds no cap', async () => {
    await open().note('URI:CHK-Verifier:secret', 3)
    const [file] = await files()
    assert.doesNotMatch(await fs.readFile(path.join(at(), file), 'utf8'), /URI|secret/)
  })

  it('renews what was put from here, and nothing else', async () => {
    await open().note('a', 3)
    clock.advance(dayMs)
    const record = open()
    await record.renew('a')
    await record.renew('stranger')
    await record.close()
    const rows = (await open().read())?.rows
    assert.deepEqual(
      [...rows!],
      [[leaseNameOf('a'), { ...rows!.get(leaseNameOf('a')), objects: 3 }]],
    )
    assert.equal(rows!.get(leaseNameOf('a'))?.lastMs, 1001 * dayMs)
  })

  it('says since when it knows, in a home that began without it', async () => {
    await fs.rmdir(at())
    assert.equal(await open().read(), undefined)
    await open().note('a', 1)
    clock.advance(dayMs)
    for (let i = 0; i < 40; i++) await open().note(`b${i}`, 1)
    assert.equal((await open().read())?.sinceMs, 1000 * dayMs)
  })

  it('loses nothing that many write at once, and keeps few files', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `cap ${i}`)
    for (let i = 0; i < names.length; i += 20)
      await Promise.all(names.slice(i, i + 20).map((name) => open().note(name, 1)))
    const rows = (await open().read())!.rows
    assert.deepEqual(new Set(rows.keys()), new Set(names.map(leaseNameOf)))
    await open().note('last', 1)
    assert.ok((await files()).length <= 17, `${(await files()).length} files`)
  })

  it('forgets what ended long ago once files are put together', async () => {
    await open().note('old', 1)
    clock.advance(usualLeaseMs + 29 * dayMs)
    for (let i = 0; i < 40; i++) await open().note('new', 1)
    assert.ok(await rowOf('old'), 'it can still be taken back')
    clock.advance(2 * dayMs)
    for (let i = 0; i < 40; i++) await open().note('new', 1)
    assert.equal(await rowOf('old'), undefined)
  })

  it('does not take a damaged file for an empty one', async () => {
    await open().note('a', 1)
    const [file] = await files()
    await fs.writeFile(path.join(at(), file), '{"version":1,"leases":{"x":')
    await assert.rejects(open().read(), (error) => isGridError(error, 'E_IO'))
  })

  it('keeps what could not be written for the next time', async () => {
    const record = open()
    await fs.rmdir(at())
    await fs.writeFile(at(), 'in the way')
    await assert.rejects(record.note('a', 1), (error) => isGridError(error, 'E_IO'))
    await fs.rm(at())
    await fs.mkdir(at())
    await record.close()
    assert.equal((await rowOf('a'))?.objects, 1)
  })
})

describe('rows of leases', () => {
  it('come back as they were written', () => {
    const rows = new Map([[leaseNameOf('a'), { objects: 2, firstMs: 3, lastMs: 4 }]])
    for (const sinceMs of [undefined, 0, 5])
      assert.deepEqual(parseLeaseRows(formatLeaseRows({ rows, sinceMs })), { rows, sinceMs })
  })

  it('are bounded: the oldest are counted together, and the first end of them stays known', () => {
    const rows = new Map<string, LeaseRow>()
    const count = maxLeaseRows + 10
    for (let i = 0; i < count; i++)
      rows.set(leaseNameOf(String(i)), { objects: 2, firstMs: i, lastMs: i })
    const tidied = tidyLeaseRows(rows, 0)
    assert.ok(tidied.size < maxLeaseRows)
    const all = [...tidied.values()]
    assert.equal(
      all.reduce((sum, { objects }) => sum + objects, 0),
      2 * count,
    )
    assert.equal(Math.min(...all.map(({ firstMs }) => firstMs)), 0)
    assert.ok(formatLeaseRows({ rows: tidied, sinceMs: 1 }).length < 2 ** 22)
  })

  for (const text of [
    '',
    'null',
    '[]',
    '{"version":2,"leases":{}}',
    '{"version":1,"leases":null}',
    '{"version":1,"leases":{"a":[1,2,3]}}',
    '{"version":1,"leases":{"aaaaaaaaaaaaaaaa":[1,2]}}',
    '{"version":1,"leases":{"aaaaaaaaaaaaaaaa":[1,2,3,4]}}',
    '{"version":1,"leases":{"aaaaaaaaaaaaaaaa":[1,2,-3]}}',
    '{"version":1,"leases":{"aaaaaaaaaaaaaaaa":"1,2,3"}}',
    '{"version":1,"sinceMs":"x","leases":{}}',
  ])
    it(`are not taken from ${text}`, () => {
      assert.equal(parseLeaseRows(new TextEncoder().encode(text)), undefined)
    })
})
