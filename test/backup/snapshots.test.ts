import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Snapshots } from '../../src/backup/snapshots.ts'
import { toBase32 } from '../../src/base/base32.ts'
import { utf8 } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { isGridError } from '../../src/base/errors.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import type { ReadHeader } from '../../src/log/entry.ts'
import type { LogView } from '../../src/log/log-view.ts'
import type { SnapshotFacts } from '../../src/node/logs/device-log.ts'
import type { Grid } from '../../src/node/grid.ts'
import type { ReadableLog } from '../../src/node/logs/readable-log.ts'
import { clock, MemoryGrid } from '../node/memory-grid.ts'

const cap: CapOf<'DIR-CHK'> = {
  ...{ type: 'DIR-CHK', readKey: new Uint8Array(32).fill(1), root: new Uint8Array(32).fill(2) },
  ...{ k: 3, n: 10, sliceBytes: 100, offsetBytes: 0 },
}

function facts(label: string, more: Partial<SnapshotFacts> = {}): SnapshotFacts {
  const totals = { bytes: 5, files: 4, directories: 3, objects: 2 }
  const paths = [utf8('/data')]
  return { cap, host: 'here', label, paths, tool: 'test', totals, partial: false, ...more }
}

function tagged(...tags: string[]): Partial<SnapshotFacts> {
  return { run: { root: utf8('/'), tags, startedMs: 0, addedBytes: 0, sentBytes: 0 } }
}

/** Whoever writes with it says that it is another time. */
function at(ms: number): Clock {
  return {
    nowMs: () => ms,
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, action) => clock.after(delayMs, action),
  }
}

const year = 366 * 86_400_000

async function labelsOf(snapshots: Snapshots): Promise<(string | undefined)[]> {
  return (await snapshots.list()).map(({ snapshot }) => snapshot?.label)
}

describe('Snapshots', () => {
  it('come in the order of their receipts, whatever the clocks of devices say', async () => {
    const memory = await MemoryGrid.of(4)
    const { admin, append } = await memory.grid.logs.create({ device: 'honest' })
    const thief = await memory.grid.logs.grant(admin, { label: 'thief' })
    const write = async (grid: Grid, from: typeof append, label: string): Promise<void> => {
      await grid.logs.append(from, facts(label))
      await grid.close()
    }
    const before = Date.now()
    await write(memory.another(), append, 'one')
    await write(memory.another({ clock: at(Date.now() + year) }), thief, 'from the future')
    await write(memory.another({ clock: at(1) }), append, 'two')
    const snapshots = await Snapshots.open(memory.grid.logs.reader(admin))
    assert.deepEqual(await labelsOf(snapshots), ['one', 'from the future', 'two'])
    const [, future, two] = await snapshots.list()
    assert.ok(future.clientMs > before + year / 2)
    assert.ok(future.receivedMs! >= before && future.receivedMs! <= Date.now())
    assert.equal(two.clientMs, 1)
    assert.equal((await snapshots.find('latest')).snapshot.label, 'two')
  })

  it('have no time where too few servers vouch for one, and keep their place in the chain', async () => {
    const memory = await MemoryGrid.of(4)
    const { admin, append } = await memory.grid.logs.create({ device: 'box' })
    await memory.grid.logs.append(append, facts('one'))
    await memory.grid.logs.append(append, facts('two'))
    for (const i of [0, 1])
      memory.wrap(i, (peer) => ({
        readLog: async (request, options) => {
          const reply = await peer.readLog(request, options)
          const entries = reply.entries.map((entry) => ({ ...entry, receipt: undefined }))
          return { ...reply, entries }
        },
      }))
    const snapshots = await Snapshots.open(memory.another().logs.reader(admin))
    const listed = await snapshots.list()
    assert.deepEqual(
      listed.map(({ snapshot, receivedMs }) => [snapshot?.label, receivedMs]),
      [
        ['one', undefined],
        ['two', undefined],
      ],
    )
  })

  it('are opened from the newest back, no further than is asked for', async () => {
    const { grid } = await MemoryGrid.of(1)
    const { admin, append } = await grid.logs.create({ device: 'box' })
    const device = await grid.logs.device(append)
    for (let i = 1; i <= 40; i++) await device.append(facts(`n${i}`))
    const log = grid.logs.reader(admin)
    let opened = 0
    const counting = {
      read: (options?: object) => log.read(options),
      receiptTimes: log.receiptTimes.bind(log),
      openAll: (...args: Parameters<typeof log.openAll>) => {
        opened += args[1].length
        return log.openAll(...args)
      },
    } as unknown as ReadableLog
    const snapshots = await Snapshots.open(counting)
    const last = await snapshots.list({}, { latest: 3 })
    assert.deepEqual(
      last.map(({ seq }) => seq),
      [38, 39, 40],
    )
    assert.ok(opened < 20, `${opened} were opened`)
    assert.equal((await snapshots.list()).length, 40)
    assert.equal((await snapshots.find('box:7')).snapshot.label, 'n7')
    assert.equal((await snapshots.find('n12')).seq, 12)
  })

  it('are found by what they say of themselves', async () => {
    const { grid } = await MemoryGrid.of(1)
    const { admin, append } = await grid.logs.create({ device: 'box' })
    await grid.logs.append(append, facts('mail', { host: 'attic', ...tagged('a') }))
    await grid.logs.append(append, facts('mail', { host: 'cellar', ...tagged('a', 'b') }))
    await grid.logs.append(append, facts('work', { host: 'attic' }))
    const snapshots = await Snapshots.open(grid.logs.reader(admin))
    const seqs = async (filter: object): Promise<number[]> =>
      (await snapshots.list(filter)).map(({ seq }) => seq)
    assert.deepEqual(await seqs({ hosts: ['attic'] }), [1, 3])
    assert.deepEqual(await seqs({ tags: ['a'] }), [1, 2])
    assert.deepEqual(await seqs({ tags: ['a', 'b'] }), [2])
    assert.deepEqual(await seqs({ labels: ['mail', 'work'], hosts: ['attic'] }), [1, 3])
    assert.equal((await snapshots.find('mail')).seq, 2)
    assert.equal((await snapshots.find('mail', { hosts: ['attic'] })).seq, 1)
    assert.equal((await snapshots.find('latest', { tags: ['b'] })).seq, 2)
    const { id } = await snapshots.find('box:2')
    assert.equal((await snapshots.find(toBase32(id).slice(0, 10))).seq, 2)
    for (const unknown of ['nothing', 'box:9', 'other:1', 'aaaaaaaaaaaaaaaaaaaaaaaaa'])
      await assert.rejects(snapshots.find(unknown), (error) => isGridError(error, 'E_USAGE'))
  })

  it('refuse the beginning of two ids, and say what would tell them apart', async () => {
    const entries = [1, 2, 3].map((last) => {
      const id = new Uint8Array(32).fill(7)
      id[31] = last
      if (last === 3) id[0] = 8
      return { id, fields: { author: new Uint8Array(32), seq: last } } as unknown as ReadHeader
    })
    const view = {
      entries: () => entries.values(),
      rules: { certificateOf: () => undefined },
    } as unknown as LogView
    const log = {
      read: () => Promise.resolve(view),
      receiptTimes: () => Promise.resolve(new Map()),
      async *openAll(_: LogView, wanted: readonly ReadHeader[]) {
        for (const { id, fields } of wanted) yield { id, ...fields, snapshot: facts('x') }
      },
    } as unknown as ReadableLog
    const snapshots = await Snapshots.open(log)
    const twice = toBase32(entries[0].id).slice(0, 8)
    await assert.rejects(snapshots.find(twice), (error) => {
      return isGridError(error, 'E_USAGE') && error.message.includes('2 snapshots')
    })
    assert.equal((await snapshots.find(toBase32(entries[1].id))).seq, 2)
    assert.equal((await snapshots.find(toBase32(entries[2].id).slice(0, 4))).seq, 3)
  })
})
