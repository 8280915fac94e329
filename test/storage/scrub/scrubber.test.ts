import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { GridError } from '../../../src/base/errors.ts'
import { Pacer } from '../../../src/base/pacer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { shareName } from '../../../src/storage/share-name.ts'
import type { ShareKey, ShareStore } from '../../../src/storage/share-store.ts'
import { dayMs } from '../../../src/storage/scrub/schedule.ts'
import { memoryScrubRecord, type ScrubRecord } from '../../../src/storage/scrub/scrub-state.ts'
import { Scrubber, type ScrubberOptions } from '../../../src/storage/scrub/scrubber.ts'
import { SimClock } from '../../sim/sim-clock.ts'
import { SimRandom } from '../../sim/sim-random.ts'
import { makeObject, type TestObject } from '../../suites/objects.ts'
import { putBytes } from '../../suites/share-store.ts'
import { hookedStore } from '../hooked-store.ts'

/** A server's store with `count` shares in it, and time that passes when it is told to. */
class Shelf {
  readonly random: SimRandom
  readonly clock: SimClock
  readonly memory = new MemoryStore()
  readonly objects: TestObject[] = []
  readonly events: string[] = []
  record: ScrubRecord = memoryScrubRecord()

  constructor(seed: string) {
    this.random = new SimRandom(seed)
    this.clock = new SimClock(this.random.fork('clock'))
  }

  async fill(count: number): Promise<this> {
    for (let i = 0; i < count; i++) {
      const object = makeObject({ ciphertextBytes: 1024, k: 1, n: 2, seed: `${i}` })
      this.objects.push(object)
      await putBytes(this.memory, object.storageIndex, 0, object.shares[0])
    }
    return this
  }

  /** Puts other bytes in the place of share 0 of object `i`. */
  async replace(i: number, bytes: Uint8Array): Promise<void> {
    await putBytes(this.memory, this.objects[i].storageIndex, 0, bytes)
  }

  async flip(i: number, bit: number): Promise<void> {
    const share = this.objects[i].shares[0].slice()
    share[bit >> 3] ^= 1 << (bit & 7)
    await this.replace(i, share)
  }

  nameOf(i: number): string {
    return shareName(this.objects[i].storageIndex, 0)
  }

  scrubber(options: Partial<ScrubberOptions> = {}): Scrubber {
    const { clock, memory: store, record } = this
    const trace = {
      event: (name: string, facts: Readonly<Record<string, unknown>> = {}) => {
        const { share } = facts
        this.events.push(typeof share === 'string' ? `${name} ${share}` : name)
      },
    }
    const pacer = new Pacer({ clock, bytesPerSecond: 1e9 })
    return new Scrubber({ id: 'server', store, record, clock, pacer, trace, ...options })
  }

  /** Lets time pass until nothing is left to happen, and gives what came of `work`. */
  async run<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {})
    await this.clock.run()
    return work
  }

  async damagedNames(): Promise<string[]> {
    const damaged = await this.memory.damaged()
    return damaged.map(({ storageIndex, shareNumber }) => shareName(storageIndex, shareNumber))
  }
}

async function forced(shelf: Shelf, scrubber: Scrubber) {
  scrubber.force()
  return shelf.run(scrubber.pass())
}

describe('scrubber', () => {
  it('finds every flipped bit among a thousand shares in one pass, and nothing else', async () => {
    const shelf = await new Shelf('flips').fill(1000)
    const bad = shelf.random.shuffled(shelf.objects.map((_, i) => i)).slice(0, 25)
    for (const i of bad)
      await shelf.flip(i, shelf.random.below(shelf.objects[i].shares[0].length * 8))
    const found = await forced(shelf, shelf.scrubber())
    assert.equal(found.checked, 1000)
    assert.equal(found.damaged, bad.length)
    assert.deepEqual((await shelf.damagedNames()).sort(), bad.map((i) => shelf.nameOf(i)).sort())
    assert.equal((await shelf.memory.totals()).shareCount, 975)
    assert.equal(shelf.events.filter((event) => event.startsWith('share.damaged')).length, 25)
    const again = await forced(shelf, shelf.scrubber())
    assert.deepEqual([again.checked, again.damaged, again.lost], [975, 0, 0])
  })

  it('finds one of a thousand', async () => {
    const shelf = await new Shelf('one flip').fill(1000)
    await shelf.flip(123, 4567)
    assert.equal((await forced(shelf, shelf.scrubber())).damaged, 1)
    assert.deepEqual(await shelf.damagedNames(), [shelf.nameOf(123)])
  })

  it('finds a flip of any bit of a share, also of those that say its version', async () => {
    const shelf = await new Shelf('each bit').fill(1)
    const bits = (8 + 48 + 2 * 32 + 2 * 32 + 8) * 8
    for (let bit = 0; bit < bits; bit++) {
      await shelf.flip(0, bit)
      assert.equal((await forced(shelf, shelf.scrubber())).damaged, 1, `bit ${bit}`)
    }
  })

  it('finds shares that are cut, longer, of another object, or zeroed', async () => {
    const shelf = await new Shelf('other damage').fill(6)
    const [share] = shelf.objects[0].shares
    await shelf.replace(0, share.subarray(0, share.length - 1))
    await shelf.replace(1, Uint8Array.from([...shelf.objects[1].shares[0], 0]))
    await shelf.replace(2, share)
    await shelf.replace(3, new Uint8Array(share.length))
    await shelf.replace(4, new Uint8Array(0))
    assert.equal((await forced(shelf, shelf.scrubber())).damaged, 5)
  })

  it('takes a share of a newer format neither for damaged nor for sound', async () => {
    const shelf = await new Shelf('newer').fill(3)
    for (const [i, [at, byte]] of [
      [3, 0x32],
      [8 + 3, 0x32],
      [8 + 4, 2],
    ].entries()) {
      const share = shelf.objects[i].shares[0].slice()
      share[at] = byte
      // another version hashes in another way, so that nothing of it can match
      share.fill(7, 8 + 48)
      await shelf.replace(i, share)
    }
    const found = await forced(shelf, shelf.scrubber())
    assert.deepEqual([found.newer, found.damaged], [3, 0])
    assert.equal((await shelf.memory.totals()).shareCount, 3)
  })

  it('is healed by a sound copy', async () => {
    const shelf = await new Shelf('heal').fill(2)
    await shelf.flip(0, 3000)
    await forced(shelf, shelf.scrubber())
    assert.equal((await shelf.damagedNames()).length, 1)
    await shelf.replace(0, shelf.objects[0].shares[0])
    assert.deepEqual(await shelf.damagedNames(), [])
    assert.equal((await forced(shelf, shelf.scrubber())).damaged, 0)
  })

  /** A store of which reads fail as long as `fails` says so. */
  function failing(store: ShareStore, fails: () => boolean): ShareStore {
    return hookedStore(store, {
      read: async () => {
        if (fails()) throw new GridError('E_IO', 'the disk failed to read (EIO)')
      },
    })
  }

  it('tries what cannot be read once more, and then tells of it, and leaves it', async () => {
    const shelf = await new Shelf('EIO').fill(1)
    let reads = 0
    const passing = failing(shelf.memory, () => ++reads === 1)
    assert.equal((await forced(shelf, shelf.scrubber({ store: passing }))).damaged, 0)
    assert.equal(reads, 2)
    const lasting = failing(shelf.memory, () => ++reads > 0)
    reads = 0
    assert.equal((await forced(shelf, shelf.scrubber({ store: lasting }))).damaged, 1)
    assert.equal(reads, 2)
    assert.deepEqual(await shelf.damagedNames(), [])
    assert.equal((await shelf.memory.totals()).shareCount, 1)
  })

  it('counts a share that vanished as lost, unless it was deleted on purpose', async () => {
    const shelf = await new Shelf('vanished').fill(3)
    const gone = shelf.nameOf(1)
    const hiding: ShareStore = {
      ...hookedStore(shelf.memory, {}),
      read: async (storageIndex, shareNumber) =>
        shareName(storageIndex, shareNumber) === gone
          ? undefined
          : shelf.memory.read(storageIndex, shareNumber),
    }
    const found = await forced(shelf, shelf.scrubber({ store: hiding }))
    assert.deepEqual([found.checked, found.lost, found.damaged], [2, 1, 0])
    assert.deepEqual(shelf.events, [`share.lost ${gone}`, 'scrub.done'])
    const nothing = async function* (): AsyncGenerator<ShareKey> {}
    const deleted = await forced(shelf, shelf.scrubber({ store: hiding, expected: nothing }))
    assert.equal(deleted.lost, 0)
  })

  it('misses a share that should be here and was gone before it looked', async () => {
    const shelf = await new Shelf('gone').fill(3)
    const expected = async function* (): AsyncGenerator<ShareKey> {
      for (const { storageIndex } of shelf.objects) yield { storageIndex, shareNumber: 0 }
    }
    const { storageIndex } = shelf.objects[1]
    await shelf.memory.remove(storageIndex, 0)
    const found = await forced(shelf, shelf.scrubber({ expected }))
    assert.deepEqual([found.checked, found.lost], [2, 1])
    assert.deepEqual(shelf.events, [`share.lost ${shelf.nameOf(1)}`, 'scrub.done'])
  })

  it('goes on where it was when it is cut short, and reads nothing twice', async () => {
    const shelf = await new Shelf('resumed').fill(200)
    await shelf.flip(17, 2000)
    let reads = 0
    const stop = new AbortController()
    const counting = hookedStore(shelf.memory, {
      read: async () => {
        if (++reads === 80) stop.abort(new Error('the node ends'))
      },
    })
    const first = shelf.scrubber({ store: counting })
    first.force()
    await assert.rejects(shelf.run(first.pass({ signal: stop.signal })), /the node ends/)
    const second = shelf.scrubber({ store: counting })
    const found = await shelf.run(second.pass())
    assert.deepEqual([found.checked, found.damaged], [200, 1])
    assert.equal(reads, 200)
    assert.equal((await second.report()).lastFull?.checked, 200)
  })

  it('begins anew where its record is damaged', async () => {
    const shelf = await new Shelf('no record').fill(2)
    shelf.record = { load: async () => undefined, save: async () => {} }
    assert.equal((await forced(shelf, shelf.scrubber())).checked, 2)
  })

  it('reads every share once in 25 to 35 days, a part each day, on its own', async () => {
    const shelf = await new Shelf('a season').fill(300)
    const readAt = new Map<string, number[]>()
    const watching: ShareStore = {
      ...hookedStore(shelf.memory, {}),
      read: async (storageIndex, shareNumber) => {
        const name = shareName(storageIndex, shareNumber)
        readAt.set(name, [...(readAt.get(name) ?? []), shelf.clock.monotonicMs()])
        return shelf.memory.read(storageIndex, shareNumber)
      },
    }
    const stop = new AbortController()
    const scrubber = shelf.scrubber({ store: watching })
    scrubber.run({ signal: stop.signal }).catch(() => {})
    await shelf.clock.run({ untilMs: 120 * dayMs })
    stop.abort(new Error('over'))
    assert.equal(readAt.size, 300)
    for (const times of readAt.values()) {
      const gaps = times.map((at, i) => (at - (times[i - 1] ?? 0)) / dayMs)
      assert.ok(gaps[0] <= 36, `first read after ${gaps[0]} days`)
      for (const gap of gaps.slice(1)) assert.ok(gap >= 24 && gap <= 36, `read after ${gap} days`)
    }
    const days = [...readAt.values()].flat().map((at) => Math.floor(at / dayMs))
    const busiest = Math.max(...days.map((day) => days.filter((other) => other === day).length))
    assert.ok(busiest < 40, `${busiest} of 300 in one day`)
    const { lastFull } = await scrubber.report()
    assert.ok(lastFull !== undefined && lastFull.checked >= 300 && lastFull.checked < 600)
  })

  it('is not held up by a clock that was put back', async () => {
    const shelf = await new Shelf('clock').fill(50)
    const clock = shelf.clock
    let offsetMs = 400 * dayMs
    const skewed = {
      nowMs: () => clock.nowMs() + offsetMs,
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs: number, action: () => void) => clock.after(delayMs, action),
    }
    const scrubber = shelf.scrubber({ clock: skewed })
    await shelf.run(scrubber.pass())
    offsetMs = 0
    await shelf.run(scrubber.pass())
    offsetMs = 36 * dayMs
    assert.equal((await shelf.run(scrubber.pass())).checked, 50)
  })

  it('reads five megabytes a second, and less while the server is busy', async () => {
    const shelf = new Shelf('pace')
    const object = makeObject({ ciphertextBytes: 2 ** 22, k: 1, n: 1 })
    await putBytes(shelf.memory, object.storageIndex, 0, object.shares[0])
    let busyUntilMs = 0
    const isBusy = (): boolean => shelf.clock.monotonicMs() < busyUntilMs
    const timed = async (): Promise<number> => {
      const startMs = shelf.clock.monotonicMs()
      const scrubber = shelf.scrubber({ pacer: undefined, isBusy })
      assert.equal((await forced(shelf, scrubber)).checked, 1)
      return shelf.clock.monotonicMs() - startMs
    }
    const freeMs = await timed()
    assert.ok(freeMs > 700 && freeMs < 1000, `${freeMs} ms for 4 MiB`)
    busyUntilMs = Infinity
    const busyMs = await timed()
    assert.ok(busyMs > 16_000 && busyMs < 25_000, `${busyMs} ms for 17 pieces`)
  })
})
