/** A server on a disk that fails: it promises nothing that it does not keep, and says what is wrong. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Disk } from '../../src/base/disk.ts'
import { isGridError } from '../../src/base/errors.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import type { DiskStore } from '../../src/storage/disk-store.ts'
import type { DiskCall, DiskFault } from '../sim/sim-disk.ts'
import { makeObject } from '../suites/objects.ts'
import { getShare, putObjectShare } from '../suites/storage-peer.ts'
import { FailingDisk } from './failing-disk.ts'
import { Machine } from './machine.ts'

const object = makeObject()
const { storageIndex, shares } = object

/** A server on a machine of its own. */
class Server {
  readonly machine: Machine
  peer: LocalPeer
  readonly events: string[] = []

  private constructor(machine: Machine, store: DiskStore) {
    this.machine = machine
    this.peer = this.#peerOver(store)
  }

  static async start(seed: string, totalBytes?: number): Promise<Server> {
    const machine = await new Machine(seed, totalBytes).init()
    return new Server(machine, await machine.restart())
  }

  static async startOn(machine: Machine, around: (disk: Disk) => Disk): Promise<Server> {
    const store = machine.start(around)
    await machine.run(store.open())
    return new Server(machine, store)
  }

  async restart(): Promise<void> {
    this.peer = this.#peerOver(await this.machine.restart())
  }

  /** What came of a put: its outcome or its error's code. */
  async put(shareNumber: number): Promise<string> {
    const put = putObjectShare(this.peer, object, shareNumber)
    return this.machine.run(put).catch((error: unknown) => {
      if (isGridError(error)) return error.code
      throw error
    })
  }

  async holds(shareNumber: number): Promise<boolean> {
    const [numbers] = await this.machine.run(this.peer.have([storageIndex]))
    if (!numbers.includes(shareNumber)) return false
    const share = await this.machine.run(getShare(this.peer, storageIndex, shareNumber))
    assert.deepEqual(share, shares[shareNumber])
    return true
  }

  #peerOver(store: DiskStore): LocalPeer {
    return new LocalPeer({
      id: 'server',
      store,
      clock: this.machine.clock,
      reserveBytes: 0,
      trace: { event: (name) => this.events.push(name) },
    })
  }
}

function fault(call: DiskCall, code: DiskFault['code']): DiskFault {
  return { call, code, skip: 0, count: 1 }
}

describe('LocalPeer on a failing disk', () => {
  for (const call of ['create', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
    for (const code of ['EIO', 'EROFS'] as const) {
      it(`takes no shares any more after ${code} at ${call}, and still reads`, async () => {
        const server = await Server.start(`${code} ${call}`)
        assert.equal(await server.put(0), 'stored')
        assert.equal(await server.put(0), 'had')
        server.machine.disk.arm(fault(call, code))
        assert.equal(await server.put(1), 'E_IO')
        assert.equal(server.machine.disk.openFiles, 0)
        assert.equal(await server.put(1), 'E_READ_ONLY')
        const { readOnly, freeBytes } = await server.machine.run(server.peer.status())
        assert.deepEqual({ readOnly, freeBytes }, { readOnly: true, freeBytes: 0 })
        assert.ok(await server.holds(0))
        assert.equal(await server.holds(1), false)
        assert.deepEqual(server.events, ['storage.stored', 'storage.read-only'])
        await server.restart()
        assert.equal(await server.put(1), 'stored')
      })
    }

    for (const code of ['ENOSPC', 'EDQUOT'] as const) {
      it(`fails a put on ${code} at ${call}, leaves nothing of it, and stores it when tried again`, async () => {
        const server = await Server.start(`${code} ${call}`)
        server.machine.disk.arm(fault(call, code))
        assert.equal(await server.put(0), 'E_FULL')
        assert.equal(await server.holds(0), false)
        assert.equal(await server.put(0), 'stored')
        assert.ok(await server.holds(0))
        assert.deepEqual(await server.machine.incoming(), [])
        await server.restart()
        assert.ok(await server.holds(0))
      })
    }

    it(`stays writable when it runs out of file handles at ${call}`, async () => {
      const server = await Server.start(`EMFILE ${call}`)
      server.machine.disk.arm(fault(call, 'EMFILE'))
      assert.equal(await server.put(0), 'E_IO')
      assert.equal(await server.put(0), 'stored')
    })
  }

  it('never syncs a file again whose sync has failed', async () => {
    const machine = await new Machine('one sync').init()
    let disk: FailingDisk | undefined
    const server = await Server.startOn(
      machine,
      (port) => (disk = new FailingDisk(port, { call: -1, code: '', persisted: false })),
    )
    machine.disk.arm(fault('sync', 'EIO'))
    assert.equal(await server.put(0), 'E_IO')
    assert.equal(disk?.calls.filter((call) => call === 'sync').length, 1)
    assert.deepEqual(disk.calls.slice(-3), ['sync', 'close', 'unlink'])
  })

  it('fails puts on a disk that is really full, and never says it stored what it did not', async () => {
    const server = await Server.start('full', 3 * 4096)
    const outcomes: string[] = []
    for (let number = 0; number < 5; number++) outcomes.push(await server.put(number))
    assert.ok(outcomes.includes('E_FULL') && outcomes.includes('stored'), outcomes.join())
    await server.restart()
    for (const [number, outcome] of outcomes.entries()) {
      assert.equal(await server.holds(number), outcome === 'stored')
    }
  })

  it('acknowledges nothing that is lost, whichever call fails', async () => {
    const failed = new Set<string>()
    for (const code of ['EIO', 'ENOSPC']) {
      for (let call = 0; ; call++) {
        const machine = await new Machine(`${code} ${call}`).init()
        let disk: FailingDisk | undefined
        const around = (port: Disk): Disk =>
          (disk = new FailingDisk(port, { call, code, persisted: false }))
        const server = await Server.startOn(machine, around).catch(() => undefined)
        const outcomes: string[] = []
        if (server !== undefined) {
          for (const number of [0, 1, 0]) outcomes.push(await server.put(number))
        }
        const name = disk?.failed
        const reopened = await Server.startOn(machine, (port) => port)
        for (const [i, number] of [0, 1, 0].entries()) {
          const acknowledged = ['stored', 'had'].includes(outcomes[i])
          if (acknowledged) assert.ok(await reopened.holds(number), `${name}: ${outcomes.join()}`)
        }
        if (name === undefined) break
        failed.add(name)
      }
    }
    for (const name of ['space', 'openRead', 'read', 'create', 'write', 'sync', 'rename']) {
      assert.ok(failed.has(name), `${name} was never made to fail`)
    }
  })

  it('keeps every acknowledged share through power cuts', async () => {
    for (let seed = 0; seed < 40; seed++) {
      const server = await Server.start(`power ${seed}`)
      const { machine } = server
      const acknowledged = new Set<number>()
      for (let round = 0; round < 3; round++) {
        for (const number of shares.keys()) {
          putObjectShare(server.peer, object, number).then(
            () => acknowledged.add(number),
            () => {},
          )
        }
        const nowMs = machine.clock.monotonicMs()
        await machine.clock.run({ untilMs: nowMs + machine.random.unit() * 8 })
        if (round === 1) machine.disk.kill()
        else machine.disk.cutPower()
        await server.restart()
        for (const number of acknowledged) assert.ok(await server.holds(number), `seed ${seed}`)
      }
    }
  })
})
