import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import type { DiskStore } from '../../src/storage/disk-store.ts'
import type { SimRandom } from '../sim/sim-random.ts'
import { entriesOf, indexOf, readBytes, setAside } from '../suites/share-store.ts'
import { type DiskFailure, FailingDisk } from './failing-disk.ts'
import { Machine } from './machine.ts'

/** A share on its way to a store, and what its writer was told. */
class Put {
  readonly number: number
  readonly bytes: Uint8Array
  acknowledged = false
  error: unknown

  constructor(number: number, bytes: Uint8Array) {
    this.number = number
    this.bytes = bytes
  }

  /** Writes in two pieces, and aborts on a failure, as a peer does. Never rejects. */
  async run(store: DiskStore): Promise<void> {
    const half = this.bytes.length >> 1
    try {
      const writer = await store.create(indexOf(this.number), this.number, this.bytes.length)
      try {
        await writer.write([this.bytes.subarray(0, half)])
        await writer.write([this.bytes.subarray(half)])
        await writer.commit()
        this.acknowledged = true
      } finally {
        await writer.abort()
      }
    } catch (error) {
      this.error = error
    }
  }
}

function puts(random: SimRandom, count: number): Put[] {
  return Array.from({ length: count }, (_, i) => new Put(i, random.bytes(random.between(1, 9000))))
}

/** Every acknowledged share is there, and whatever is there is whole. */
async function checkShares(machine: Machine, store: DiskStore, shares: Put[]): Promise<void> {
  for (const { number, bytes, acknowledged } of shares) {
    const found = await machine.run(readBytes(store, indexOf(number), number))
    assert.ok(found !== undefined || !acknowledged, `acknowledged share ${number} is gone`)
    if (found !== undefined) assert.deepEqual(found, bytes)
  }
}

/** Numbers of the shares that a store shows, each looked for in one of its two ways. */
async function shownBy(store: DiskStore, shares: Put[]): Promise<number[]> {
  const found = await Promise.all(
    shares.map(async ({ number }) => {
      if (number % 2 === 0) return store.list(indexOf(number))
      return (await store.read(indexOf(number), number)) === undefined ? [] : [number]
    }),
  )
  return found.flat()
}

describe('DiskStore, when call after call of the disk fails', () => {
  /** Opens a store and puts two shares one after the other while one call fails. */
  async function attempt(failure: DiskFailure): Promise<string | undefined> {
    const machine = await new Machine('nth call').init()
    const shares = puts(machine.random, 2)
    let disk: FailingDisk | undefined
    const store = machine.start((port) => (disk = new FailingDisk(port, failure)))
    const work = async (): Promise<void> => {
      await store.open()
      for (const share of shares) await share.run(store)
    }
    await machine.run(work()).catch((error: unknown) => {
      assert.ok(isGridError(error, 'E_IO', 'E_FULL'), `open failed with ${String(error)}`)
    })
    for (const { error } of shares) {
      assert.ok(error === undefined || isGridError(error, 'E_IO', 'E_FULL'), String(error))
    }
    const shown = await machine.run(entriesOf(store).catch(() => []))
    assert.ok(shown.length <= shares.filter((share) => share.acknowledged).length)
    const leaks = failure.persisted ? ['create', 'openRead'] : ['close']
    assert.equal(machine.disk.openFiles, leaks.includes(disk?.failed ?? '') ? 1 : 0)

    const reopened = await machine.restart()
    await checkShares(machine, reopened, shares)
    if (!failure.persisted) {
      const acknowledged = shares.filter((share) => share.acknowledged)
      const found = await machine.run(entriesOf(reopened))
      if (disk?.failed !== 'unlink') assert.equal(found.length, acknowledged.length)
    }
    assert.deepEqual(await machine.incoming(), [])
    return disk?.failed
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
})

describe('DiskStore, when it fails to replace a share', () => {
  /** Replaces a share of 100 bytes by one of 50 while a call fails; returns the length of what is there. */
  async function replace(call: 'rename' | 'syncDirectory'): Promise<number | undefined> {
    const machine = await new Machine('replace').init()
    const store = await machine.restart()
    await machine.run(new Put(0, machine.random.bytes(100)).run(store))
    machine.disk.arm({ call, code: 'EIO', skip: 0, count: 1 })
    const second = new Put(0, machine.random.bytes(50))
    await machine.run(second.run(store))
    assert.equal(second.acknowledged, false)
    const shown = await machine.run(readBytes(store, indexOf(0), 0))
    const totals = await machine.run(store.totals())
    const reopened = await machine.restart()
    assert.deepEqual(await machine.run(readBytes(reopened, indexOf(0), 0)), shown)
    assert.deepEqual(await machine.run(reopened.totals()), totals)
    return shown?.length
  }

  it('keeps the one that was there when the rename fails', async () => {
    assert.equal(await replace('rename'), 100)
  })

  it('has neither when the new name cannot be made durable', async () => {
    assert.equal(await replace('syncDirectory'), undefined)
  })

  it('hides a name that is neither durable nor can be taken away', async () => {
    const machine = await new Machine('stuck').init()
    const [share] = puts(machine.random, 1)
    const store = await machine.restart()
    machine.disk.arm({ call: 'syncDirectory', code: 'EIO', skip: 1, count: 1 })
    machine.disk.arm({ call: 'unlink', code: 'EIO', skip: 0, count: 1 })
    await machine.run(share.run(store))
    assert.equal(share.acknowledged, false)
    assert.deepEqual(await machine.run(shownBy(store, [share])), [])
    assert.equal(await machine.run(readBytes(store, indexOf(0), 0)), undefined)
    await machine.run(new Put(0, share.bytes).run(store))
    assert.deepEqual(await machine.run(readBytes(store, indexOf(0), 0)), share.bytes)
  })
})

describe('DiskStore, when the power goes', () => {
  it('keeps every share that was acknowledged, and shows none that is torn', async () => {
    let lostSome = false
    for (let seed = 0; seed < 150; seed++) {
      const machine = await new Machine(`power cut ${seed}`).init()
      const store = await machine.restart()
      const shares = puts(machine.random, 4)
      const startMs = machine.clock.monotonicMs()
      for (const share of shares) void share.run(store)
      await machine.clock.run({ untilMs: startMs + machine.random.unit() * 4 })
      machine.disk.cutPower()
      const reopened = await machine.restart()
      await checkShares(machine, reopened, shares)
      assert.deepEqual(await machine.incoming(), [])
      lostSome ||= shares.some((share) => !share.acknowledged)
    }
    assert.ok(lostSome, 'the power never went in time')
  })

  it('loses nothing that was set aside, and takes none back once it said so', async () => {
    let seen = 0
    for (let seed = 0; seed < 100; seed++) {
      const machine = await new Machine(`set aside ${seed}`).init()
      const store = await machine.restart()
      const [share] = puts(machine.random, 1)
      await machine.run(share.run(store))
      const startMs = machine.clock.monotonicMs()
      let isDone = false
      void setAside(store, indexOf(0), 0).then(() => (isDone = true))
      await machine.clock.run({ untilMs: startMs + machine.random.unit() * 3 })
      machine.disk.cutPower()
      const reopened = await machine.restart()
      const found = await machine.run(readBytes(reopened, indexOf(0), 0))
      const damaged = await machine.run(reopened.damaged())
      assert.equal(damaged.length, found === undefined ? 1 : 0)
      assert.ok(!isDone || found === undefined, `seed ${seed}: it came back`)
      seen += damaged.length
    }
    assert.ok(seen > 10 && seen < 100, `${seen} of 100 were gone in time`)
  })

  it('shows after a crash only what a power cut right then would not take away', async () => {
    let shown = 0
    for (let seed = 0; seed < 150; seed++) {
      const machine = await new Machine(`kill, then power cut ${seed}`).init()
      const store = await machine.restart()
      const shares = puts(machine.random, 4)
      const startMs = machine.clock.monotonicMs()
      for (const share of shares) void share.run(store)
      await machine.clock.run({ untilMs: startMs + machine.random.unit() * 4 })
      machine.disk.kill()
      const before = await machine.run(entriesOf(await machine.restart()))
      machine.disk.cutPower()
      const after = await machine.run(entriesOf(await machine.restart()))
      assert.deepEqual(after, before)
      shown += before.length
    }
    assert.ok(shown > 50)
  })

  it('shows while it runs only what a power cut right then would not take away', async () => {
    let hidden = 0
    for (let seed = 0; seed < 150; seed++) {
      const machine = await new Machine(`look, then power cut ${seed}`).init()
      const store = await machine.restart()
      const shares = puts(machine.random, 4)
      const startMs = machine.clock.monotonicMs()
      for (const share of shares) void share.run(store)
      await machine.clock.run({ untilMs: startMs + 1 + machine.random.unit() * 2 })
      let before: string[] | undefined
      void entriesOf(store).then((entries) => (before = entries))
      await machine.clock.run({ done: () => before !== undefined })
      machine.disk.cutPower()
      const after = await machine.run(entriesOf(await machine.restart()))
      assert.deepEqual(
        before?.filter((entry) => !after.includes(entry)),
        [],
      )
      if (after.length > (before?.length ?? 0)) hidden++
    }
    assert.ok(hidden > 0)
  })
})
