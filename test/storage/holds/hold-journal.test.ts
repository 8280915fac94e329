import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../../src/base/errors.ts'
import { DiskHoldJournal } from '../../../src/storage/holds/disk-hold-journal.ts'
import { holdOf } from '../../../src/storage/holds/held-object.ts'
import type { HoldIndex } from '../../../src/storage/holds/hold-index.ts'
import type { Disk } from '../../../src/base/disk.ts'
import { type DiskFailure, FailingDisk } from '../failing-disk.ts'
import { indexOf } from '../../suites/share-store.ts'
import type { SimRandom } from '../../sim/sim-random.ts'
import {
  account,
  directory,
  Keeper,
  machineOf,
  releaseOf,
  stateOf,
  touchOf,
} from './journal-keeper.ts'

/** What a client was told: what is lost must not be among it. */
class Promises {
  readonly #touchedMs = new Map<number, number>()
  /** Of releases that were asked for, when, whether or not they were acknowledged. */
  readonly #releasedMs = new Map<number, number>()

  touched(number: number, atMs: number): void {
    this.#touchedMs.set(number, Math.max(atMs, this.#touchedMs.get(number) ?? 0))
  }

  releasing(numbers: readonly number[], atMs: number): void {
    for (const number of numbers) this.#releasedMs.set(number, atMs)
  }

  check(index: HoldIndex): void {
    for (const [number, touchedMs] of this.#touchedMs) {
      const object = index.object(indexOf(number))
      const hold = object && holdOf(object, account)
      assert.ok(hold !== undefined, `the hold of ${number} is gone`)
      assert.ok(hold.touchedMs >= touchedMs, `the touch of ${number} is gone`)
      const wasReleasedMs = this.#releasedMs.get(number) ?? 0
      if (wasReleasedMs <= touchedMs) assert.equal(hold.releasedMs, 0, `${number} is released`)
    }
  }
}

async function work(
  keeper: Keeper,
  random: SimRandom,
  promises: Promises,
  startMs: number,
): Promise<void> {
  for (let step = 0; step < 30; step++) {
    const atMs = startMs + 10 * step + 1
    const number = random.below(12)
    if (random.below(8) === 0) {
      const numbers = [number, random.below(12)]
      promises.releasing(numbers, atMs)
      await keeper.add(releaseOf(startMs + step, atMs, numbers))
    } else if (random.below(3) === 0) {
      void keeper.add(touchOf(number, atMs), false).catch(() => {})
    } else {
      await keeper.add(touchOf(number, atMs))
      promises.touched(number, atMs)
    }
  }
}

describe('DiskHoldJournal', () => {
  it('gives back what was added, after an orderly end and after none', async () => {
    for (const isOrderly of [true, false]) {
      const machine = await machineOf('back')
      const keeper = await Keeper.start(machine)
      const adding = [
        keeper.add(touchOf(1, 100)),
        keeper.add(touchOf(2, 110)),
        keeper.add(releaseOf(3, 120, [1, 2])),
        keeper.add(touchOf(2, 130)),
      ]
      await machine.run(Promise.all(adding))
      const before = stateOf(keeper.index)
      if (isOrderly) await machine.run(keeper.journal.close(keeper.index))
      const again = await Keeper.start(machine)
      assert.equal(again.journal.isIndexSound, isOrderly)
      assert.deepEqual(stateOf(again.index), before)
    }
  })

  it('writes and syncs once what has come together', async () => {
    const machine = await machineOf('together')
    let calls: string[] = []
    const around = (disk: Disk): Disk => {
      const failing = new FailingDisk(disk, { call: -1, code: 'EIO', persisted: false })
      calls = failing.calls
      return failing
    }
    const keeper = await Keeper.start(machine, { around })
    await machine.run(keeper.journal.begin())
    calls.length = 0
    const touches = Array.from({ length: 100 }, (_, i) => keeper.add(touchOf(i, 100 + i)))
    await machine.run(Promise.all(touches))
    const count = (name: string): number => calls.filter((call) => call === name).length
    assert.ok(count('write') <= 2 && count('sync') <= 2, calls.join(' '))
  })

  it('leaves alone what another process writes that runs', async () => {
    const machine = await machineOf('others')
    const first = await Keeper.start(machine, { writer: '1' })
    await machine.run(first.add(touchOf(1, 100)))
    const second = await Keeper.start(machine, { writer: '2', running: ['1', '2'] })
    assert.equal(second.index.object(indexOf(1)), undefined)
    assert.equal(second.journal.isIndexSound, true)
    const third = await Keeper.start(machine, { writer: '3', running: ['3'] })
    assert.ok(third.index.object(indexOf(1)))
    assert.equal(third.journal.isIndexSound, false)
  })

  it('is alone until another process begins a segment', async () => {
    const machine = await machineOf('alone')
    await machine.run((await Keeper.start(machine, { writer: '1' })).add(touchOf(1, 100)))
    const disk = machine.disk.mount(machine.clock)
    const journalOf = (own: string): Promise<DiskHoldJournal> => {
      const writers = { own, isRunning: (name: string) => name !== '1' }
      return DiskHoldJournal.open({ disk, directory, clock: machine.clock, writers })
    }
    const first = await machine.run(journalOf('2'))
    await machine.run(first.append([touchOf(2, 200)], { durable: true }))
    assert.equal(await machine.run(first.isAlone()), true)
    const second = await machine.run(journalOf('3'))
    assert.equal(await machine.run(first.isAlone()), true)
    await machine.run(second.begin())
    assert.equal(await machine.run(first.isAlone()), false)
    assert.equal(await machine.run(second.isAlone()), false)
  })

  it('puts many segments into one, and says the same then', async () => {
    const machine = await machineOf('many')
    let before: unknown
    for (let run = 0; run < 40; run++) {
      const keeper = await Keeper.start(machine)
      if (before !== undefined) assert.deepEqual(stateOf(keeper.index), before)
      await machine.run(keeper.add(touchOf(run % 7, 1000 + run)))
      if (run % 5 === 0) await machine.run(keeper.add(releaseOf(run + 1, 1001 + run, [run % 7, 3])))
      await machine.run(keeper.journal.close(keeper.index))
      before = stateOf(keeper.index)
    }
    const disk = machine.disk.mount(machine.clock)
    const names = await machine.run(disk.readDirectory(directory))
    assert.ok(names.length <= 20, `${names.length} segments`)
  })

  it('loses nothing that was acknowledged, whenever the power goes or the process dies', async () => {
    for (let seed = 0; seed < 25; seed++) {
      const machine = await machineOf(`crash ${seed}`)
      const { random } = machine
      const promises = new Promises()
      for (let life = 0; life < 22; life++) {
        const keeper = await Keeper.start(machine)
        promises.check(keeper.index)
        const startMs = 1000 * (life + 1)
        void work(keeper, random, promises, startMs)
        let cut = false
        machine.clock.after(random.below(40), () => {
          cut = true
          if (random.below(2) === 0) machine.disk.cutPower()
          else machine.disk.kill()
        })
        await machine.clock.run()
        assert.ok(cut)
      }
      promises.check((await Keeper.start(machine)).index)
    }
  })

  it('loses nothing that was acknowledged when call after call of the disk fails', async () => {
    const attempt = async (failure: DiskFailure): Promise<boolean> => {
      const machine = await machineOf('nth call')
      let failing: FailingDisk | undefined
      const around = (disk: Disk): Disk => (failing = new FailingDisk(disk, failure))
      const promises = new Promises()
      const keeper = await Keeper.start(machine, { around }).catch(() => undefined)
      for (let i = 0; keeper !== undefined && i < 6; i++) {
        try {
          await machine.run(keeper.add(touchOf(i, 100 + i)))
          promises.touched(i, 100 + i)
        } catch (error) {
          assert.ok(isGridError(error, 'E_IO', 'E_FULL'), String(error))
        }
      }
      const failed = failing?.failed !== undefined
      machine.disk.cutPower()
      promises.check((await Keeper.start(machine)).index)
      return failed
    }
    for (const code of ['EIO', 'ENOSPC']) {
      for (const persisted of [false, true]) {
        let call = 0
        while (await attempt({ call, code, persisted })) call++
        assert.ok(call > 5, `${call} calls`)
      }
    }
  })

  it('makes durable what a process left that was killed, before it believes it', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const machine = await machineOf(`killed ${seed}`)
      const first = await Keeper.start(machine)
      await machine.run(first.journal.begin())
      await machine.run(first.add(touchOf(1, 100), false))
      machine.disk.kill()
      assert.ok((await Keeper.start(machine)).index.object(indexOf(1)))
      machine.disk.cutPower()
      const { index } = await Keeper.start(machine)
      assert.ok(index.object(indexOf(1)), 'it was believed, and is gone')
    }
  })

  it('goes on in another segment after a write that failed', async () => {
    const machine = await machineOf('on')
    const keeper = await Keeper.start(machine)
    await machine.run(keeper.add(touchOf(1, 100)))
    machine.disk.arm({ call: 'write', code: 'ENOSPC', skip: 0, count: 1 })
    await assert.rejects(machine.run(keeper.add(touchOf(2, 200))), (error) =>
      isGridError(error, 'E_FULL'),
    )
    await machine.run(keeper.add(touchOf(3, 300)))
    machine.disk.cutPower()
    const { index } = await Keeper.start(machine)
    assert.ok(index.object(indexOf(1)))
    assert.ok(index.object(indexOf(3)))
  })

  it('believes nothing behind a record that is damaged', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const machine = await machineOf(`rot ${seed}`)
      const keeper = await Keeper.start(machine)
      for (let i = 1; i <= 5; i++) await machine.run(keeper.add(touchOf(i, 100 * i)))
      machine.disk.kill()
      machine.disk.rot('bit-flip', (name) => name.endsWith('.journal'))
      const { index } = await Keeper.start(machine)
      const held = [1, 2, 3, 4, 5].filter((i) => index.object(indexOf(i)) !== undefined)
      assert.deepEqual(
        held,
        held.map((_, i) => i + 1),
      )
      assert.ok(held.length < 5)
      for (const i of held) {
        assert.equal(holdOf(index.object(indexOf(i))!, account)?.touchedMs, 100 * i)
      }
    }
  })
})
