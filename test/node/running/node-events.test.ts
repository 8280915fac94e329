import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemDisk } from '../../../src/base/disk.ts'
import { isPlainText } from '../../../src/base/plain-text.ts'
import { noTrace } from '../../../src/base/trace.ts'
import { EventFile } from '../../../src/node/running/event-file.ts'
import { formatEvent, type NodeEvent, parseEvent } from '../../../src/node/running/node-event.ts'
import { NodeEvents } from '../../../src/node/running/node-events.ts'
import { SimClock } from '../../sim/sim-clock.ts'
import { SimRandom } from '../../sim/sim-random.ts'

const cap =
  'URI:CHK:gcu6uftl422kn6n562zydmfcgaxczad7qire7qw3sgfxriixcblq:' +
  'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j5aq72mzitk5zfjyeltta:3:10:2000:gcybiw'
const key = 'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j5aq72mzitk5zfjyeltta'

describe('node events', () => {
  let directory: string
  let clock: SimClock

  beforeEach(async () => {
    directory = path.join(await mkdtemp(path.join(tmpdir(), 'grid-events-')), 'events')
    clock = new SimClock(new SimRandom('events').fork('clock'))
  })

  afterEach(() => rm(path.dirname(directory), { recursive: true }))

  function open(): Promise<NodeEvents> {
    const file = new EventFile(new SystemDisk(), directory)
    return NodeEvents.open({ clock, file, trace: noTrace })
  }

  async function wholeText(): Promise<string> {
    const names = (await readdir(directory)).sort((a, b) => Number(a) - Number(b))
    const texts = names.map((name) => readFile(path.join(directory, name), 'utf8'))
    return (await Promise.all(texts)).join('')
  }

  it('keep what is for the operator, in order, and pass everything on', async () => {
    const passed: string[] = []
    const events = await NodeEvents.open({ clock, trace: { event: (name) => passed.push(name) } })
    for (const name of ['node.started', 'storage.stored', 'share.damaged', 'storage.read-only'])
      events.event(name, { n: 1 })
    assert.equal(passed.length, 4)
    const names = events.after(0, 10).map(({ seq, name }) => `${seq} ${name}`)
    assert.deepEqual(names, ['1 node.started', '2 share.damaged', '3 storage.read-only'])
    assert.deepEqual(events.after(2, 10).length, 1)
    assert.deepEqual(events.after(0, 1)[0].seq, 3)
  })

  it('survive restarts, and go on counting', async () => {
    for (let run = 1; run <= 30; run++) {
      const events = await open()
      events.event('node.started', { run })
      await events.close()
    }
    const events = await open()
    const all = events.after(0, 100)
    assert.deepEqual(
      all.map(({ facts }) => facts.run),
      Array.from({ length: 30 }, (_, i) => i + 1),
    )
    assert.equal(all[29].seq, 30)
    assert.equal((await readdir(directory)).length, 1, 'restarts heap up no files')
  })

  it('hold no cap, no key and no control, in memory or on disk', async () => {
    const events = await open()
    const nasty = '\u001b[31m\u202eevil\r\n'
    events.event('put.refused', {
      cause: `${nasty} ${cap}`,
      [nasty]: key,
      deep: { cap },
      list: [key],
    })
    events.event('share.damaged', { share: 'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j.9' })
    await events.close()
    const [first, second] = events.after(0, 10)
    const text = JSON.stringify(first) + (await wholeText())
    // the first half of a root is what servers call an object, and no secret
    for (const secret of [key.slice(33), 'gcu6uftl422kn6n562zydmfcgaxczad7'])
      assert.ok(cap.includes(secret) && !text.includes(secret), text)
    for (const line of (await wholeText()).trimEnd().split('\n')) assert.ok(isPlainText(line))
    assert.equal(second.facts.share, 'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j.9')
  })

  it('are at most so many a second, and say how many were left out', async () => {
    const events = await NodeEvents.open({ clock, trace: noTrace })
    for (let i = 0; i < 10_000; i++) events.event('put.refused', { i })
    assert.equal(events.after(0, 10_000).length, 200)
    clock.after(1000, () => undefined)
    await clock.run()
    events.event('node.stopped')
    const [dropped, stopped] = events.after(200, 10)
    assert.deepEqual([dropped.name, dropped.facts], ['events.dropped', { count: 9800 }])
    assert.equal(stopped.name, 'node.stopped')
  })

  it('take at most ten files of a megabyte', async () => {
    const file = new EventFile(new SystemDisk(), directory)
    const facts = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`fact ${i}`, 'x'.repeat(200)]),
    )
    for (let round = 0; round < 130; round++) {
      const events = Array.from({ length: 60 }, (_, i): NodeEvent => {
        return { seq: round * 60 + i + 1, atMs: 1, name: 'node.test', facts }
      })
      await file.add(events)
    }
    await file.close()
    const names = await readdir(directory)
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(path.join(directory, name))).size),
    )
    const total = sizes.reduce((sum, size) => sum + size, 0)
    assert.ok(total < 10.5 * 2 ** 20 && total > 8 * 2 ** 20, `${total} bytes`)
    const last = await new EventFile(new SystemDisk(), directory).read(1000)
    assert.equal(last.length, 1000)
    assert.equal(last[999].seq, 130 * 60)
  })

  it('are read past lines that are torn or nonsense', async () => {
    const events = await open()
    events.event('node.started')
    await events.close()
    const [name] = await readdir(directory)
    const text = await readFile(path.join(directory, name), 'utf8')
    await writeFile(
      path.join(directory, name),
      `${text}[1,2\n{"a":1}\n[9,1,1,"x",{}]\nnull\n[1,7,1,"node.x",{"__proto__":1,"a":{}}]\n[1,8`,
    )
    const read = (await open()).after(0, 10)
    assert.deepEqual(
      read.map(({ seq }) => seq),
      [1, 7],
    )
    assert.equal(Object.getPrototypeOf(read[1].facts), Object.prototype)
  })

  it('come back from their lines as they were', () => {
    const event = {
      seq: 3,
      atMs: 5,
      name: 'peer.lost',
      facts: { peer: 'attic', left: 2, ok: false },
    }
    assert.deepEqual(parseEvent(formatEvent(event)), event)
  })
})
