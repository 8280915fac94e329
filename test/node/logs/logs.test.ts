import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { type ErrorCode, GridError, isGridError } from '../../../src/base/errors.ts'
import { attenuate } from '../../../src/caps/attenuate.ts'
import type { CapOf } from '../../../src/caps/cap.ts'
import type { SnapshotFacts } from '../../../src/node/logs/device-log.ts'
import { memoryRecords } from '../../../src/node/logs/log-records.ts'
import type { ReadableLog } from '../../../src/node/logs/readable-log.ts'
import { capOfDirectory } from '../../../src/tree/directory-cap.ts'
import { writeDirectory } from '../../../src/tree/directory-writer.ts'
import { totalsOf } from '../../../src/node/content/tree-totals.ts'
import { clock, MemoryGrid } from '../memory-grid.ts'
import { lit } from '../../tree/entries.ts'

function hasCode(...codes: ErrorCode[]) {
  return (error: unknown): boolean => isGridError(error, ...codes)
}

const cap: CapOf<'DIR-CHK'> = {
  type: 'DIR-CHK',
  readKey: new Uint8Array(32).fill(1),
  root: new Uint8Array(32).fill(2),
  k: 3,
  n: 10,
  sliceBytes: 100,
  offsetBytes: 0,
}

function facts(label: string): SnapshotFacts {
  const totals = { bytes: 5, files: 4, directories: 3, objects: 2 }
  return { cap, host: 'here', label, paths: [utf8('/home')], tool: 'test', totals, partial: false }
}

async function snapshotsIn(log: ReadableLog) {
  const snapshots = []
  for await (const snapshot of log.snapshots(await log.read())) snapshots.push(snapshot)
  return snapshots
}

const never = (): Promise<never> => new Promise(() => {})

describe('logs', () => {
  it('make a log, append to it and read it with the cap for each', async () => {
    const { grid } = await MemoryGrid.of(10)
    const { admin, append } = await grid.logs.create({ device: 'laptop' })
    assert.equal((await grid.logs.append(append, facts('one'))).seq, 1)
    assert.equal((await grid.logs.append(append, facts('two'))).seq, 2)
    const view = await grid.logs.reader(admin).read()
    assert.equal(view.conclusion.state, 'FRESH')
    assert.equal(view.genesis.config.servers.length, 10)
    const read = await snapshotsIn(grid.logs.reader(attenuate(admin, 'LOG-Read')))
    assert.deepEqual(
      read.map(({ device, seq, snapshot }) => [device, seq, snapshot?.label, snapshot?.cap]),
      [
        ['laptop', 1, 'one', cap],
        ['laptop', 2, 'two', cap],
      ],
    )
    assert.deepEqual(read[0].snapshot?.parents, [])
    assert.deepEqual(read[1].snapshot?.parents, [read[0].id])
    const checks = await snapshotsIn(grid.logs.reader(attenuate(admin, 'LOG-Verify')))
    assert.deepEqual(checks[0].check?.cap, attenuate(cap, 'DIR-CHK-Verifier'))
    assert.equal(checks[0].snapshot, undefined)
  })

  it('give devices keys of their own, and the secret that lets them dedupe', async () => {
    const { grid } = await MemoryGrid.of(4)
    const { admin, append } = await grid.logs.create({ device: 'laptop' })
    const phone = await grid.logs.grant(admin, { label: 'phone' })
    assert.notDeepEqual(phone.deviceSeed, append.deviceSeed)
    assert.deepEqual(phone.convergenceSecret, append.convergenceSecret)
    await grid.logs.append(phone, facts('from the phone'))
    await grid.logs.append(append, facts('from the laptop'))
    const devices = (await snapshotsIn(grid.logs.reader(admin))).map(({ device }) => device)
    assert.deepEqual(devices.sort(), ['laptop', 'phone'])
    await grid.logs.revoke(admin, publicKeyOfSeed(phone.deviceSeed))
    await assert.rejects(grid.logs.append(phone, facts('more')), hasCode('E_REVOKED'))
    await assert.rejects(grid.logs.append(phone, facts('more')), hasCode('E_REVOKED'))
    assert.equal((await snapshotsIn(grid.logs.reader(admin))).length, 2)
  })

  it('go on in another process, from where the one before was', async () => {
    const memory = await MemoryGrid.of(4)
    const records = memoryRecords()
    const first = memory.another({ records })
    const { admin, append } = await first.logs.create({ device: 'laptop' })
    await first.logs.append(append, facts('one'))
    const second = memory.another({ records })
    await assert.rejects(second.logs.append(append, facts('two')), hasCode('E_LOCKED'))
    await first.close()
    assert.equal((await second.logs.append(append, facts('two'))).seq, 2)
    const [one, two] = await snapshotsIn(second.logs.reader(admin))
    assert.deepEqual(two.snapshot?.parents, [one.id])
  })

  it('need no more than a quorum, and wait for no server that has stopped', async () => {
    const memory = await MemoryGrid.of(10)
    const { logs } = memory.grid
    const { admin, append } = await logs.create({ device: 'laptop' })
    await logs.append(append, facts('one'))
    for (const i of [1, 4, 7]) memory.wrap(i, () => ({ appendEntries: never, readLog: never }))
    const startMs = clock.monotonicMs()
    assert.equal((await logs.append(append, facts('two'))).seq, 2)
    assert.ok(clock.monotonicMs() - startMs < 1000)
    const other = memory.another()
    const reader = other.logs.reader(admin)
    assert.equal((await reader.read()).conclusion.state, 'FRESH')
    assert.equal((await snapshotsIn(reader)).length, 2)
    const created = memory.another().logs.create({ device: 'laptop' })
    await created
    assert.ok(clock.monotonicMs() - startMs < 8000)
  }).timeout(20_000)

  it('say that an entry is not durable, and offer the same again', async () => {
    const memory = await MemoryGrid.of(4)
    const { logs } = memory.grid
    const { admin, append } = await logs.create({ device: 'laptop' })
    const fails = (): Promise<never> => Promise.reject(new GridError('E_CLOSED', 'reset'))
    const before = [...memory.candidates]
    for (const i of [0, 1]) memory.wrap(i, () => ({ appendEntries: fails, readLog: fails }))
    await assert.rejects(logs.append(append, facts('one')), hasCode('E_NOT_ENOUGH_SERVERS'))
    memory.candidates.splice(0, 4, ...before)
    await logs.device(append)
    for (const i of [0, 1]) memory.wrap(i, () => ({ appendEntries: fails }))
    await assert.rejects(logs.append(append, facts('one')), hasCode('E_NOT_DURABLE'))
    await assert.rejects(logs.append(append, facts('two')), hasCode('E_NOT_DURABLE'))
    memory.candidates.splice(0, 4, ...before)
    const { seq } = await logs.append(append, facts('three'))
    assert.equal(seq, 2)
    const labels = (await snapshotsIn(logs.reader(admin))).map(({ snapshot }) => snapshot?.label)
    assert.deepEqual(labels, ['one', 'three'])
  })

  it('put others in the place of servers that keep no logs, and refuse if too few do', async () => {
    const memory = await MemoryGrid.of(12)
    const refuses = () => Promise.reject(new GridError('E_FORBIDDEN', 'no logs here'))
    for (const i of [0, 5]) memory.wrap(i, () => ({ appendEntries: refuses }))
    const { admin } = await memory.grid.logs.create({ device: 'laptop' })
    const { rules, servers } = await memory.grid.logs.reader(admin).read()
    assert.equal(rules.config.servers.length, 10)
    assert.equal(servers.filter(({ verdict }) => verdict === 'current').length, 10)
    for (let i = 0; i < 6; i++) memory.wrap(i, () => ({ appendEntries: refuses }))
    await assert.rejects(
      memory.another().logs.create({ device: 'laptop' }),
      hasCode('E_NOT_ENOUGH_SERVERS'),
    )
    const nobody = await MemoryGrid.of(0)
    await assert.rejects(nobody.grid.logs.create({ device: 'x' }), hasCode('E_NOT_ENOUGH_SERVERS'))
  })

  it('count what is in a directory', async () => {
    const { trees } = (await MemoryGrid.of(3)).grid
    const ref = await trees.write(async (writer) => {
      const inner = await writeDirectory(writer, [lit('a'), lit('b')])
      const { mode, mtime, meta } = lit('x')
      const directory = (name: string) =>
        ({ name: utf8(name), mode, mtime, meta, kind: 'directory', content: inner }) as const
      return writeDirectory(writer, [directory('one'), directory('two'), lit('z')])
    })
    assert.deepEqual(await totalsOf(trees, ref), {
      bytes: 20,
      files: 5,
      directories: 3,
      objects: 1,
    })
    assert.equal(toHex(capOfDirectory(ref).root), toHex(ref.object.root))
  })
})
