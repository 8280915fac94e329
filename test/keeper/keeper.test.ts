import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemDisk } from '../../src/base/disk.ts'
import { GridError } from '../../src/base/errors.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import { Keeper, type KeeperEvent } from '../../src/keeper/keeper.ts'
import { KeeperCaps } from '../../src/keeper/keeper-caps.ts'
import { KeeperState } from '../../src/keeper/keeper-state.ts'
import { RecordFolder } from '../../src/node/home/record-folder.ts'
import { ManualClock } from '../cli/fake-world.ts'
import { content, MemoryGrid } from '../node/memory-grid.ts'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

const redundancy = { k: 3, happy: 7, n: 10 }
const dayMs = 24 * 3_600_000

let directory: string
let memory: MemoryGrid
let clock: ManualClock
let events: KeeperEvent[]
let put: string[]

function folder(name: string): RecordFolder {
  const parts = { disk: new SystemDisk(), random: new SystemRandom() }
  return new RecordFolder({ ...parts, path: path.join(directory, name) })
}

async function keeper(): Promise<Keeper> {
  return new Keeper({
    clock,
    upkeep: memory.grid.upkeep,
    caps: new KeeperCaps(folder('private')),
    state: await KeeperState.open(folder('keeper')),
    everyMs: 7 * dayMs,
    depth: { sample: 0.01, whole: false },
    onEvent: (event) => void events.push(event),
  })
}

/** Renews as a server does that keeps leases. */
function renews(): { renewed: number } {
  const count = { renewed: 0 }
  for (let i = 0; i < memory.candidates.length; i++) {
    memory.wrap(i, (peer) => ({
      renew: async (indexes) => {
        const held = await peer.have(indexes)
        return held.map((numbers) => {
          if (numbers.length > 0) count.renewed++
          return numbers.length > 0 ? 'held' : 'absent'
        })
      },
    }))
  }
  return count
}

describe('keeper', () => {
  beforeEach(async () => {
    directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-keeper-'))
    memory = await MemoryGrid.of(12)
    clock = new ManualClock()
    clock.advance(100 * dayMs)
    events = []
    put = []
    for (const salt of [1, 2, 3])
      put.push((await memory.put(content(5000, salt), { redundancy })).cap)
    await new KeeperCaps(folder('private')).add(put.map((cap) => parseCap(cap)))
  })
  afterEach(() => fs.rm(directory, { recursive: true }))

  it('keeps no cap that reads, each once, for its owner alone', async () => {
    const caps = new KeeperCaps(folder('private'))
    assert.equal(await caps.add(put.map((cap) => parseCap(cap))), 0)
    const file = path.join(directory, 'private', 'keeper.caps')
    const text = await fs.readFile(file, 'utf8')
    assert.match(text, /^(URI:CHK-Verifier:\S+\n){3}$/)
    assert.equal((await fs.stat(file)).mode & 0o777, 0o600)
    for (const cap of put) assert.ok(!text.includes(cap.split(':')[2]))
    assert.equal(await caps.remove([parseCap(put[1])]), 1)
    assert.equal((await caps.list()).length, 2)
    const { append } = await memory.grid.logs.create({ device: 'one' })
    await assert.rejects(caps.add([append]), { code: 'E_CAP_WEAK' })
  })

  it('renews all, repairs what has seven shares or fewer, and leaves the rest alone', async () => {
    for (let i = 0; i < 3; i++) await memory.lose(i)
    const count = renews()
    const visits = await (await keeper()).runOnce()
    assert.equal(visits.length, 3)
    for (const visit of visits) {
      assert.equal(visit?.objects, 1)
      assert.equal(visit.healthy + visit.degraded, 1)
    }
    const objects = events.filter((event) => event.event === 'object')
    for (const { before, servers } of objects) assert.ok(before <= 7 && servers === 10)
    assert.ok(count.renewed >= 24)
    assert.equal(JSON.stringify(events).includes('URI:'), false)
  })

  it('visits each cap once a week, whether or not it was restarted meanwhile', async () => {
    renews()
    assert.equal((await (await keeper()).runOnce()).length, 3)
    clock.advance(6 * dayMs)
    assert.equal((await (await keeper()).runOnce()).length, 0)
    await new KeeperCaps(folder('private')).add([
      parseCap((await memory.put(content(900, 9), { redundancy })).cap),
    ])
    assert.equal((await (await keeper()).runOnce()).length, 1)
    clock.advance(1 * dayMs)
    assert.equal((await (await keeper()).runOnce()).length, 3)
  })

  it('goes on with the others where one fails, and comes back to it sooner', async () => {
    renews()
    const { upkeep } = memory.grid
    const one = await keeper()
    const [bad] = await new KeeperCaps(folder('private')).list()
    const repair = upkeep.repair.bind(upkeep)
    upkeep.repair = (caps, options) => {
      if (formatCap(caps[0]) === formatCap(bad)) throw new GridError('E_NODE', 'broken')
      return repair(caps, options)
    }
    const visits = await one.runOnce()
    assert.deepEqual(visits.map((visit) => visit?.healthy).sort(), [1, 1, undefined])
    clock.advance(dayMs)
    assert.equal((await one.runOnce()).length, 1)
  })

  it('says which server did not renew, and tries again', async () => {
    const visits = await (await keeper()).runOnce()
    assert.ok(visits.every((visit) => visit?.healthy === 1))
    const failed = events.filter((event) => event.event === 'renewal-failed')
    assert.equal(failed.length, 36)
    clock.advance(dayMs)
    assert.equal((await (await keeper()).runOnce()).length, 3)
  })

  it('asks a server that did not renew no more in that visit', async () => {
    let asked = 0
    for (let i = 0; i < 12; i++) {
      memory.wrap(i, () => ({
        renew: async (indexes) => {
          if (i > 0) return indexes.map(() => 'held' as const)
          asked++
          throw new GridError('E_TIMEOUT', 'late')
        },
      }))
    }
    const { upkeep } = memory.grid
    const repair = upkeep.repair.bind(upkeep)
    upkeep.repair = async function* (...args) {
      for await (const batch of repair(...args)) yield* [batch, batch]
    }
    await (await keeper()).runOnce()
    assert.equal(asked, 3)
    assert.equal(events.filter((event) => event.event === 'renewal-failed').length, 3)
  })

  it('calls nothing well of which it does not know', async () => {
    renews()
    for (let i = 0; i < 11; i++)
      memory.wrap(i, () => ({ have: () => Promise.reject(new GridError('E_TIMEOUT', 'late')) }))
    const visits = await (await keeper()).runOnce()
    assert.ok(visits.every((visit) => visit?.healthy === 0 && visit.unknown > 0))
  })

  it('takes what it remembers for nothing where the file is damaged, or from the future', async () => {
    renews()
    await (await keeper()).runOnce()
    const file = path.join(directory, 'keeper', 'state.json')
    const text = await fs.readFile(file, 'utf8')
    for (const spoilt of ['', '{', '[]', '{"caps":{"x":3}}', text.replaceAll(/:\d+/g, ':-1')]) {
      await fs.writeFile(file, spoilt)
      assert.equal((await (await keeper()).runOnce()).length, 3, spoilt)
    }
    clock = new ManualClock()
    assert.equal((await (await keeper()).runOnce()).length, 3)
  })
})
