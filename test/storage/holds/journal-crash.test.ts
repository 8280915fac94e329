/** A journal of holds that begins segments and puts them into one: cut short, or failed by its disk, at any call. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, it } from 'mocha'
import type { Disk, DiskFile } from '../../../src/base/disk.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { applyRecord } from '../../../src/storage/holds/apply-record.ts'
import { holdOf } from '../../../src/storage/holds/held-object.ts'
import type { HoldIndex } from '../../../src/storage/holds/hold-index.ts'
import type { HoldRecord } from '../../../src/storage/holds/hold-record.ts'
import { MemoryHoldIndex } from '../../../src/storage/holds/memory-hold-index.ts'
import { indexOf } from '../../suites/share-store.ts'
import { altered } from '../../sim/altered.ts'
import type { SimRandom } from '../../sim/sim-random.ts'
import { FailingDisk } from '../failing-disk.ts'
import {
  account,
  directory,
  filesOf,
  Keeper,
  machineOf,
  objectCount,
  releaseOf,
  smallLimits as limits,
  touchMuch,
  touchOf,
  touchUntil,
  watched,
} from './journal-keeper.ts'

/** `disk`, and whatever it opens, tells of each call before it is made. */
function heard<T extends object>(disk: T, onCall: (name: string) => void): T {
  return new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        onCall(String(name))
        const answer: unknown = Reflect.apply(value, target, args)
        if (name !== 'create' && name !== 'openRead') return answer
        return (answer as Promise<DiskFile>).then((file) => heard(file, onCall))
      }
    },
  })
}

/** Changes one after another, and what must be so after each: all that was acknowledged, and maybe the one under way. */
class Acknowledged {
  readonly #index = new MemoryHoldIndex()
  #underWay: HoldRecord | undefined

  /** Starts from what a process has found. */
  constructor(found: HoldIndex) {
    copyInto(this.#index, found)
  }

  async work(keeper: Keeper, random: SimRandom, startMs: number, steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      const atMs = startMs + 10 * step
      const number = random.below(objectCount)
      const numbers = [number, random.below(objectCount)]
      const way = random.below(6)
      if (way === 0) await this.#do(keeper, releaseOf(atMs, atMs, numbers), true)
      else if (way === 1) await this.#do(keeper, releaseOf(atMs, atMs, numbers, 0), true)
      else if (way === 2) await this.#do(keeper, goneOf(atMs, number), true)
      else await this.#do(keeper, touchOf(number, atMs), false)
    }
  }

  async #do(keeper: Keeper, record: HoldRecord, isFirst: boolean): Promise<void> {
    this.#underWay = record
    await (isFirst ? keeper.addFirst(record) : keeper.add(record))
    await this.#index.change((writer) => applyRecord(writer, record))
    this.#underWay = undefined
  }

  async check(found: HoldIndex): Promise<void> {
    const after = new MemoryHoldIndex()
    copyInto(after, this.#index)
    const record = this.#underWay
    if (record !== undefined) await after.change((writer) => applyRecord(writer, record))
    for (let number = 0; number < objectCount; number++) {
      const [is, before, then] = [found, this.#index, after].map((index) => holdIn(index, number))
      // what is gone may be held once more
      if (before === undefined || then === undefined) continue
      const isRight = [before, then].includes(is ?? 'not held')
      assert.ok(isRight, `${number} is ${is}, and should be ${before} or ${then}`)
    }
  }
}

function holdIn(index: HoldIndex, number: number): string | undefined {
  const object = index.object(indexOf(number))
  return object && JSON.stringify(holdOf(object, account))
}

function goneOf(atMs: number, number: number): HoldRecord {
  return { kind: 'gone', atMs, storageIndexes: [indexOf(number)] }
}

function copyInto(to: MemoryHoldIndex, from: HoldIndex): void {
  for (const { storageIndex, object } of from.page({ after: undefined, limit: 1000 }).objects) {
    to.setObject(storageIndex, object)
  }
}

describe('merged journal of holds, cut short', () => {
  it('loses nothing that was acknowledged, at whichever call the power goes or the process dies', async () => {
    const attempt = async (cutAt: number, isPower: boolean, only?: string): Promise<boolean> => {
      const machine = await machineOf(`call ${cutAt} ${isPower}`)
      let [calls, isOver] = [0, false]
      const around = (disk: Disk): Disk =>
        heard(disk, (name) => {
          if ((only ?? name) !== name || calls++ !== cutAt) return
          isOver = true
          if (isPower) machine.disk.cutPower()
          else machine.disk.kill()
        })
      const first = await Keeper.start(machine, { limits, around })
      const acknowledged = new Acknowledged(first.index)
      void acknowledged.work(first, machine.random, 1000, 60)
      await machine.clock.run()
      await acknowledged.check((await Keeper.start(machine, { limits })).index)
      machine.disk.cutPower()
      await acknowledged.check((await Keeper.start(machine, { limits })).index)
      return isOver
    }
    for (const isPower of [true, false]) {
      let cutAt = 8
      while (await attempt(cutAt, isPower)) cutAt += isPower ? 1 : 3
      assert.ok(cutAt > 250, `${cutAt} calls`)
    }
    for (let cutAt = 1; cutAt < 12; cutAt++) await attempt(cutAt, true, 'unlink')
  })

  it('takes nothing away before what replaces it would survive a power cut', async () => {
    const machine = await machineOf('in order')
    const calls: string[] = []
    const around = (disk: Disk): Disk => heard(disk, (name) => calls.push(name))
    const keeper = await Keeper.start(machine, { limits, around })
    await machine.run(touchMuch(keeper, 1000, 100))
    const steps = calls.filter((name) => ['rename', 'syncDirectory', 'unlink'].includes(name))
    const renames = steps.flatMap((name, i) => (name === 'rename' ? [i] : []))
    assert.ok(renames.length > 3)
    for (const i of renames) assert.equal(steps[i + 1], 'syncDirectory')
    const unlinks = steps.flatMap((name, i) => (name === 'unlink' ? [i] : []))
    const shown = unlinks.filter((i) => ['syncDirectory', 'unlink'].includes(steps[i - 1]))
    assert.equal(shown.length, unlinks.length)
  })

  it('loses nothing over many lives, each cut short at a moment drawn from a seed', async () => {
    for (let seed = 0; seed < 25; seed++) {
      const machine = await machineOf(`lives ${seed}`)
      const { random } = machine
      let keeper = await Keeper.start(machine, { limits })
      for (let life = 0; life < 12; life++) {
        const acknowledged = new Acknowledged(keeper.index)
        void acknowledged.work(keeper, random, 1000 + 10_000 * life, 100)
        machine.clock.after(random.below(120), () => {
          if (random.below(2) === 0) machine.disk.cutPower()
          else machine.disk.kill()
        })
        await machine.clock.run()
        keeper = await Keeper.start(machine, { limits })
        await acknowledged.check(keeper.index)
      }
    }
  })

  it('loses nothing when call after call of the disk fails, and goes on', async () => {
    for (const code of ['EIO', 'ENOSPC']) {
      for (const persisted of [false, true]) {
        let call = 8
        for (let isOver = false; !isOver; call += 3) {
          const machine = await machineOf(`fails ${call}`)
          let failing: FailingDisk | undefined
          const around = (disk: Disk): Disk =>
            (failing = new FailingDisk(disk, { call, code, persisted }))
          const keeper = await Keeper.start(machine, { limits, around })
          const acknowledged = new Acknowledged(keeper.index)
          const work = acknowledged.work(keeper, machine.random, 1000, 60)
          await machine.run(
            work.catch((error: unknown) => assert.ok(isGridError(error), String(error))),
          )
          isOver = failing?.failed === undefined
          machine.disk.cutPower()
          await acknowledged.check((await Keeper.start(machine, { limits })).index)
        }
        assert.ok(call > 250, `${call} calls`)
      }
    }
  })

  it('says the same beside whatever is left of what it replaces', async () => {
    const left = async (keeps: (i: number) => boolean): Promise<[unknown, unknown, number]> => {
      const machine = await machineOf('left')
      const seen = watched()
      // what is merged is never taken away
      const around = (disk: Disk): Disk => altered(disk, { unlink: () => Promise.reject(eio()) })
      const endedBytes = 3000
      const { trace } = seen
      const keeper = await Keeper.start(machine, {
        limits: { ...limits, endedBytes },
        around,
        trace,
      })
      const change = async (record: HoldRecord): Promise<void> => keeper.addFirst(record)
      const work = async (): Promise<void> => {
        await touchMuch(keeper, 1000, 8)
        await change(releaseOf(1, 2000, [1, 2, 3]))
        await touchMuch(keeper, 2100, 5)
        await change(releaseOf(2, 3000, [1, 2, 3], 0))
        await change(releaseOf(3, 3100, [2], 3100))
        await change(releaseOf(4, 3200, [4, 5]))
        await change(releaseOf(5, 3300, [4, 5], 0))
        await change(releaseOf(6, 3400, [4]))
      }
      await machine.run(work())
      await machine.run(touchUntil(keeper, () => seen.failed > 0))
      const disk = machine.disk.mount(machine.clock)
      const sizes = await filesOf(machine, disk)
      const old = [...sizes.keys()].slice(0, -2)
      for (const [i, name] of old.entries()) {
        if (!keeps(i)) await machine.run(disk.unlink(path.join(directory, name)))
      }
      const again = await Keeper.start(machine, { limits })
      return [keeper.index.page(all), again.index.page(all), old.length]
    }
    const [, , count] = await left(() => true)
    assert.ok(count >= 5 && count < 12, `${count} segments`)
    for (let subset = 0; subset < 2 ** count; subset++) {
      const [before, after] = await left((i) => (subset & (1 << i)) !== 0)
      assert.deepEqual(after, before, `segments ${subset.toString(2)}`)
    }
  })
})

const all = { after: undefined, limit: 1000 }

function eio(): Error {
  return Object.assign(new Error('EIO: planned'), { code: 'EIO' })
}
