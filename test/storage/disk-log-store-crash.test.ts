import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import type { EntryRecord, StoredLog } from '../../src/storage/log-store.ts'
import {
  assertHolds,
  genesis,
  isStoreFailure,
  nameOf,
  recordOf,
  recordsOf,
  shownBy,
} from '../suites/log-store.ts'
import { type DiskFailure, FailingDisk } from './failing-disk.ts'
import { Machine } from './machine.ts'

const logId = nameOf(1000)
const logRoot = 'home/storage'

/** The log store of a machine whose disk outlives its processes. */
class LogMachine extends Machine {
  override async init(): Promise<this> {
    await super.init()
    return this
  }

  /** The log as a new process finds it. */
  async reopen(): Promise<StoredLog | undefined> {
    const store = new DiskLogStore({ disk: this.disk.mount(this.clock), root: logRoot })
    return this.run(store.open().then(() => store.log(logId)))
  }

  /** Files in `logs/incoming`; ends the process. */
  async unfinished(): Promise<string[]> {
    return this.run(this.disk.mount(this.clock).readDirectory(`${logRoot}/logs/incoming`))
  }
}

/** A client that makes a log and appends to it, one batch after the other, until one fails. */
class Appends {
  readonly batches: readonly EntryRecord[][]
  readonly acknowledged: EntryRecord[] = []
  log: StoredLog | undefined
  error: unknown

  constructor(batches: readonly EntryRecord[][]) {
    this.batches = batches
  }

  /** Never rejects. */
  async run(store: DiskLogStore): Promise<void> {
    try {
      this.log = await store.create(logId, genesis)
      for (const batch of this.batches) {
        await this.log.append(batch)
        this.acknowledged.push(...batch)
      }
    } catch (error) {
      this.error = error
    }
  }

  /** Every acknowledged entry is there, and what is there is whole. */
  async check(machine: Machine, log: StoredLog | undefined): Promise<void> {
    assert.ok(log !== undefined || this.log === undefined, 'the log is gone')
    if (log === undefined) return
    assert.deepEqual(log.genesis, genesis)
    for (const record of this.acknowledged) await machine.run(assertHolds(log, record))
    const all = this.batches.flat()
    for (const author of log.authors()) {
      for (const { id } of [...log.chain(author), ...log.forks(author)]) {
        const record = all.find((each) => equalBytes(each.id, id))
        assert.ok(record !== undefined)
        await machine.run(assertHolds(log, record))
      }
    }
  }
}

function batches(): EntryRecord[][] {
  return [
    recordsOf(1, 1, 2),
    [recordOf(1, 3, { bodyBytes: 9000 })],
    [...recordsOf(2, 1, 3), recordOf(1, 2, { fork: true, variant: 1, body: false })],
    [recordOf(1, 4), recordOf(2, 4)],
  ]
}

describe('DiskLogStore, when call after call of the disk fails', () => {
  async function attempt(failure: DiskFailure): Promise<string | undefined> {
    const machine = await new LogMachine('nth call').init()
    const appends = new Appends(batches())
    const disk = new FailingDisk(machine.disk.mount(machine.clock), failure)
    const store = new DiskLogStore({ disk, root: logRoot })
    await machine.run(store.open().then(() => appends.run(store))).catch((error: unknown) => {
      assert.ok(isStoreFailure(error), `open failed with ${String(error)}`)
    })
    assert.ok(appends.error === undefined || isStoreFailure(appends.error), String(appends.error))
    if (appends.log !== undefined) {
      const shown = shownBy(appends.log).length
      assert.equal(shown, appends.acknowledged.length)
    }
    const leaks = failure.persisted ? ['create', 'openRead'] : ['close']
    if (machine.disk.openFiles > 0) assert.ok(leaks.includes(disk.failed ?? ''))

    const reopened = await machine.reopen()
    await appends.check(machine, reopened)
    if (!failure.persisted && disk.failed !== 'unlink' && reopened !== undefined) {
      assert.equal(shownBy(reopened).length, appends.acknowledged.length)
    }
    assert.deepEqual(await machine.unfinished(), [])
    return disk.failed
  }

  for (const code of ['EIO', 'ENOSPC', 'EMFILE']) {
    for (const persisted of [false, true]) {
      it(`loses and leaves nothing on ${code}${persisted ? ' of a call that took effect' : ''}`, async () => {
        const failed = new Set<string>()
        for (let call = 0; ; call++) {
          const name = await attempt({ call, code, persisted })
          if (name === undefined) break
          failed.add(name)
        }
        for (const name of ['create', 'write', 'sync', 'close', 'rename', 'syncDirectory']) {
          assert.ok(failed.has(name), `${name} was never made to fail`)
        }
      })
    }
  }

  it('appends again what failed, once the disk is well', async () => {
    for (const call of ['create', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
      const machine = await new LogMachine(`again ${call}`).init()
      await machine.reopen()
      const store = new DiskLogStore({ disk: machine.disk.mount(machine.clock), root: logRoot })
      const log = await machine.run(store.open().then(() => store.create(logId, genesis)))
      machine.disk.arm({ call, code: 'ENOSPC', skip: 0, count: 1 })
      await assert.rejects(machine.run(log.append(recordsOf(1, 1, 2))), isStoreFailure)
      assert.deepEqual(shownBy(log), [])
      await machine.run(log.append(recordsOf(1, 1, 2)))
      machine.disk.cutPower()
      const reopened = await machine.reopen()
      assert.equal(reopened?.chain(nameOf(1)).length, 2)
    }
  })

  it('hides a name that is neither durable nor can be taken away', async () => {
    const machine = await new LogMachine('stuck').init()
    const store = new DiskLogStore({ disk: machine.disk.mount(machine.clock), root: logRoot })
    const log = await machine.run(store.open().then(() => store.create(logId, genesis)))
    machine.disk.arm({ call: 'syncDirectory', code: 'EIO', skip: 0, count: 1 })
    machine.disk.arm({ call: 'unlink', code: 'EIO', skip: 0, count: 2 })
    await assert.rejects(machine.run(log.append([recordOf(1, 1)])), isStoreFailure)
    const again = await machine.run(store.log(logId))
    assert.deepEqual(again && shownBy(again), [])
    assert.equal(await machine.run(log.refresh()), false)
    await machine.run(log.append([recordOf(1, 1)]))
    await machine.run(assertHolds(log, recordOf(1, 1)))
  })
})

describe('DiskLogStore, when the power goes', () => {
  /** Runs appends for a while drawn from the seed. */
  async function begin(seed: string): Promise<{ machine: LogMachine; appends: Appends }> {
    const machine = await new LogMachine(seed).init()
    const appends = new Appends(batches())
    const store = new DiskLogStore({ disk: machine.disk.mount(machine.clock), root: logRoot })
    const startMs = machine.clock.monotonicMs()
    void store.open().then(() => appends.run(store))
    const longMs = machine.random.pick([3, 12])
    await machine.clock.run({ untilMs: startMs + machine.random.unit() * longMs })
    return { machine, appends }
  }

  it('keeps every entry that was acknowledged, and shows none that is torn', async () => {
    let some = 0
    let all = 0
    for (let seed = 0; seed < 200; seed++) {
      const { machine, appends } = await begin(`power cut ${seed}`)
      machine.disk.cutPower()
      await appends.check(machine, await machine.reopen())
      assert.deepEqual(await machine.unfinished(), [])
      const { length } = appends.acknowledged
      if (length === appends.batches.flat().length) all++
      else if (length > 0) some++
    }
    assert.ok(some > 20 && all > 0, `${some} cut in the midst, ${all} after the end`)
  })

  it('shows after a crash only what a power cut right then would not take away', async () => {
    let shown = 0
    for (let seed = 0; seed < 200; seed++) {
      const { machine, appends } = await begin(`kill, then power cut ${seed}`)
      machine.disk.kill()
      const before = await machine.reopen()
      machine.disk.cutPower()
      const after = await machine.reopen()
      assert.deepEqual(after && shownBy(after), before && shownBy(before))
      await appends.check(machine, after)
      shown += before === undefined ? 0 : shownBy(before).length
    }
    assert.ok(shown > 200)
  })

  it('shows while it runs only what a power cut right then would not take away', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const { machine, appends } = await begin(`look, then power cut ${seed}`)
      const before = appends.log === undefined ? [] : shownBy(appends.log)
      machine.disk.cutPower()
      const reopened = await machine.reopen()
      const after = reopened === undefined ? [] : shownBy(reopened)
      assert.deepEqual(
        before.filter((entry) => !after.includes(entry)),
        [],
      )
    }
  })
})
