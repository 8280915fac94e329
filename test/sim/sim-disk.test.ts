import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { isDiskError, type Disk } from '../../src/base/disk.ts'
import { SimClock } from './sim-clock.ts'
import { rots, SimDisk } from './sim-disk.ts'
import { SimRandom } from './sim-random.ts'

/** A machine with a disk, and a way to run asynchronous work on its virtual time. */
class Machine {
  readonly random: SimRandom
  readonly clock: SimClock
  readonly disk: SimDisk
  port: Disk

  constructor(seed: string, totalBytes?: number) {
    this.random = new SimRandom(seed)
    this.clock = new SimClock(this.random.fork('clock'))
    this.disk = new SimDisk({
      random: this.random.fork('disk'),
      ...(totalBytes === undefined ? {} : { totalBytes }),
    })
    this.port = this.disk.mount(this.clock)
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const outcome = work()
    outcome.catch(() => {})
    await this.clock.run()
    return outcome
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    try {
      return await this.run(async () => {
        const file = await this.port.openRead(path)
        return file.read(0, 1e9)
      })
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw error
    }
  }
}

/** What a careful writer does before it says that a file is stored, and what a careless one leaves out. */
interface Habits {
  syncFile: boolean
  syncDirectory: boolean
  syncParent: boolean
  /** Says so first and stores later. */
  boastful: boolean
  /** Takes a second, successful sync for a remedy of the first. */
  stubborn: boolean
}

const careful: Habits = {
  syncFile: true,
  syncDirectory: true,
  syncParent: true,
  boastful: false,
  stubborn: false,
}

async function store(
  disk: Disk,
  name: string,
  bytes: Uint8Array,
  habits: Habits,
  acknowledge: () => void,
): Promise<void> {
  if (habits.boastful) acknowledge()
  await disk.makeDirectory('home/shares')
  if (habits.syncParent) {
    await disk.syncDirectory('')
    await disk.syncDirectory('home')
  }
  const file = await disk.create(`home/shares/${name}.part`)
  for (let at = 0; at < bytes.length; at += 3000) {
    await file.write([bytes.subarray(at, at + 1000), bytes.subarray(at + 1000, at + 3000)], at)
  }
  if (habits.syncFile) {
    await file.sync().catch(async (error: unknown) => {
      if (!habits.stubborn) throw error
      await file.sync()
    })
  }
  await file.close()
  await disk.rename(`home/shares/${name}.part`, `home/shares/${name}`)
  if (habits.syncDirectory) await disk.syncDirectory('home/shares')
  if (!habits.boastful) acknowledge()
}

/** Stores three files, cuts the power at some moment, and counts acknowledged files that are gone or wrong. */
async function losses(seed: string, habits: Habits): Promise<{ lost: number; torn: number }> {
  const machine = new Machine(seed)
  const files = ['a', 'b', 'c'].map((name) => ({
    name,
    bytes: machine.random.bytes(machine.random.between(1, 9000)),
    acknowledged: false,
  }))
  if (machine.random.chance(0.2)) machine.disk.arm({ call: 'sync', code: 'EIO', skip: 0, count: 1 })
  for (const file of files) {
    store(machine.port, file.name, file.bytes, habits, () => {
      file.acknowledged = true
    }).catch(() => {})
  }
  await machine.clock.run({ untilMs: machine.random.unit() * 6 })
  machine.disk.cutPower()
  machine.port = machine.disk.mount(machine.clock)
  let lost = 0
  let torn = 0
  for (const file of files) {
    const found = await machine.readFile(`home/shares/${file.name}`)
    const whole = found !== undefined && equalBytes(found, file.bytes)
    if (file.acknowledged && !whole) lost++
    if (found !== undefined && !whole) torn++
  }
  return { lost, torn }
}

async function lossesOf(seeds: number, habits: Habits): Promise<{ lost: number; torn: number }> {
  const sum = { lost: 0, torn: 0 }
  for (let seed = 0; seed < seeds; seed++) {
    const { lost, torn } = await losses(`power cut ${seed}`, habits)
    sum.lost += lost
    sum.torn += torn
  }
  return sum
}

describe('SimDisk', () => {
  it('never loses what was synced and acknowledged in the right order', async () => {
    assert.deepEqual(await lossesOf(400, careful), { lost: 0, torn: 0 })
  })

  const careless: Record<string, { habits: Partial<Habits>; tears: boolean }> = {
    'does not sync the file': { habits: { syncFile: false }, tears: true },
    'does not sync the directory': { habits: { syncDirectory: false }, tears: false },
    'does not sync the directory above': { habits: { syncParent: false }, tears: false },
    'acknowledges before it stores': { habits: { boastful: true }, tears: false },
    'repeats a sync that failed': { habits: { stubborn: true }, tears: true },
  }
  for (const [name, { habits, tears }] of Object.entries(careless)) {
    it(`finds out a writer that ${name}`, async () => {
      const { lost, torn } = await lossesOf(100, { ...careful, ...habits })
      assert.ok(lost > 0)
      assert.equal(torn > 0, tears)
    })
  }

  it('keeps all that was written when only the process dies', async () => {
    const machine = new Machine('kill')
    const bytes = machine.random.bytes(9000)
    await machine.run(() =>
      store(
        machine.port,
        'a',
        bytes,
        { ...careful, syncFile: false, syncDirectory: false },
        () => {},
      ),
    )
    machine.disk.kill()
    machine.port = machine.disk.mount(machine.clock)
    assert.deepEqual(await machine.readFile('home/shares/a'), bytes)
  })

  it('never answers a process that died', async () => {
    const machine = new Machine('dead')
    let answered = false
    const port = machine.port
    void port.makeDirectory('a').finally(() => (answered = true))
    machine.disk.kill()
    void port.makeDirectory('b').finally(() => (answered = true))
    await machine.clock.run()
    assert.equal(answered, false)
  })

  it('reads a borrowed buffer as late as it may', async () => {
    const machine = new Machine('borrowed')
    const bytes = Uint8Array.of(1, 2, 3)
    await machine.run(async () => {
      const file = await machine.port.create('file')
      const written = file.write([bytes], 0)
      bytes.fill(9)
      await written
    })
    assert.deepEqual(await machine.readFile('file'), Uint8Array.of(9, 9, 9))
  })

  it('ends calls made at once in any order', async () => {
    const firsts = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const machine = new Machine(`order ${seed}`)
      const done: string[] = []
      await machine.run(() =>
        Promise.all(
          ['a', 'b'].map((name) => machine.port.create(name).then(() => done.push(name))),
        ),
      )
      firsts.add(done[0])
    }
    assert.equal(firsts.size, 2)
  })

  it('writes what fits and says ENOSPC for the rest', async () => {
    const machine = new Machine('full', 3 * 4096)
    const outcome = machine.run(async () => {
      const file = await machine.port.create('big')
      await file.write([new Uint8Array(5000), new Uint8Array(20_000)], 0)
    })
    await assert.rejects(outcome, { code: 'ENOSPC' })
    assert.equal((await machine.readFile('big'))?.length, 3 * 4096)
    assert.deepEqual(await machine.run(() => machine.port.space('')), {
      freeBytes: 0,
      totalBytes: 3 * 4096,
    })
    await assert.rejects(
      machine.run(() => machine.port.create('more')),
      { code: 'ENOSPC' },
    )
  })

  it('fails the call that the plan names, and only that', async () => {
    const struck: string[] = []
    const machine = new Machine('armed')
    const disk = new SimDisk({ random: machine.random, onFault: (kind) => struck.push(kind) })
    const port = disk.mount(machine.clock)
    disk.arm({ call: 'create', code: 'EMFILE', skip: 1, count: 1 })
    await machine.run(() => port.create('a'))
    await assert.rejects(
      machine.run(() => port.create('b')),
      { code: 'EMFILE' },
    )
    await machine.run(() => port.create('b'))
    assert.deepEqual(struck, ['EMFILE at create'])
  })

  it('refuses changes once it is read-only, and takes them when healed', async () => {
    const machine = new Machine('read-only')
    machine.disk.readOnly = true
    await assert.rejects(
      machine.run(() => machine.port.create('a')),
      { code: 'EROFS' },
    )
    assert.deepEqual(await machine.run(() => machine.port.readDirectory('')), [])
    machine.disk.readOnly = false
    await machine.run(() => machine.port.create('a'))
  })

  it('answers late while it stalls', async () => {
    const machine = new Machine('stall')
    machine.disk.stalledUntilMs = 5000
    await machine.run(() => machine.port.makeDirectory('a'))
    assert.ok(machine.clock.monotonicMs() >= 5000)
  })

  it('spoils a file at rest in each of its ways', async () => {
    for (const kind of rots) {
      const machine = new Machine(`rot ${kind}`)
      const bytes = machine.random.bytes(9000)
      await machine.run(() => store(machine.port, 'a', bytes, careful, () => {}))
      assert.equal(
        machine.disk.rot(kind, () => false),
        undefined,
      )
      assert.equal(
        machine.disk.rot(kind, () => true),
        '/home/shares/a',
      )
      assert.notDeepEqual(await machine.readFile('home/shares/a'), bytes)
      const spoilt = await machine.readFile('home/shares/a')
      machine.disk.cutPower()
      machine.port = machine.disk.mount(machine.clock)
      assert.deepEqual(await machine.readFile('home/shares/a'), spoilt)
    }
  })

  it('counts the files held open', async () => {
    const machine = new Machine('open')
    const file = await machine.run(() => machine.port.create('a'))
    assert.equal(machine.disk.openFiles, 1)
    await machine.run(() => file.close())
    assert.equal(machine.disk.openFiles, 0)
    await assert.rejects(file.read(0, 1), { code: 'EBADF' })
  })

  it('gives the errors of a real disk', async () => {
    const machine = new Machine('errors')
    const { port } = machine
    await machine.run(() => port.makeDirectory('d/e'))
    await machine.run(() => port.create('d/f'))
    const expected: [() => Promise<unknown>, string][] = [
      [() => port.openRead('d/g'), 'ENOENT'],
      [() => port.openRead('d/e'), 'EISDIR'],
      [() => port.create('d/f'), 'EEXIST'],
      [() => port.create('x/f'), 'ENOENT'],
      [() => port.rename('d/g', 'd/h'), 'ENOENT'],
      [() => port.unlink('d/g'), 'ENOENT'],
      [() => port.readDirectory('d/f'), 'ENOTDIR'],
      [() => port.readDirectory('d/g'), 'ENOENT'],
      [() => port.makeDirectory('d/f'), 'EEXIST'],
    ]
    for (const [call, code] of expected) await assert.rejects(machine.run(call), { code })
    assert.deepEqual((await machine.run(() => port.readDirectory('d'))).sort(), ['e', 'f'])
  })
})
