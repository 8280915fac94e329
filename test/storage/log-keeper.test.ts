/** A server that keeps logs on a disk that fails, and through restarts: it forgets nothing that it signed for. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes, utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import type {
  AppendReply,
  AppendRequest,
  AppendVerdict,
  ReadLogReply,
} from '../../src/log/log-peer.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import type { LogLimits } from '../../src/storage/log-limits.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { type TestEntry, TestLog } from '../suites/test-log.ts'
import { Machine } from './machine.ts'

const logRoot = 'home/storage'
const seed = sha256(utf8('a server'))
const dayMs = 24 * 3600 * 1000

/** A server of logs on a machine of its own. */
class LogServer {
  readonly machine: Machine
  readonly events: string[] = []
  readonly #limits: Partial<LogLimits>
  peer!: LocalPeer

  private constructor(machine: Machine, limits: Partial<LogLimits>) {
    this.machine = machine
    this.#limits = limits
  }

  static async start(name: string, limits: Partial<LogLimits> = {}): Promise<LogServer> {
    const server = new LogServer(await new Machine(name).init(), limits)
    await server.restart()
    return server
  }

  async restart(): Promise<void> {
    const { machine } = this
    const store = new DiskLogStore({ disk: machine.disk.mount(machine.clock), root: logRoot })
    await machine.run(store.open())
    this.peer = new LocalPeer({
      ...{ id: 'server', store: new MemoryStore(), clock: machine.clock, reserveBytes: 0 },
      logs: { store, seed, limits: this.#limits },
      trace: { event: (name) => this.events.push(name) },
    })
  }

  append(request: AppendRequest): Promise<AppendReply> {
    return this.machine.run(this.peer.appendEntries(request))
  }

  /** Outcomes, with the codes of refusals; or the code of what was thrown. */
  async outcomes(request: AppendRequest): Promise<string[]> {
    try {
      const { verdicts } = await this.append(request)
      return verdicts.map((each) => (each.outcome === 'refused' ? each.code : each.outcome))
    } catch (error) {
      if (isGridError(error)) return [error.code]
      throw error
    }
  }

  read(log: TestLog): Promise<ReadLogReply> {
    return this.machine.run(this.peer.readLog(log.read()))
  }
}

/** A log of one device on a server, which has three of its snapshots. */
async function begin(name: string, limits?: Partial<LogLimits>) {
  const server = await LogServer.start(name, limits)
  const log = new TestLog()
  const device = log.device('laptop')
  for (let i = 0; i < 3; i++) device.snapshot()
  await server.append(log.append(...log.admin.entries, ...device.entries))
  return { server, log, device }
}

describe('LocalPeer that keeps logs', () => {
  it('comes back from a restart with what it had, receipts and evidence with it', async () => {
    const { server, log, device } = await begin('restart')
    await server.append(log.append(device.make({ seq: 2, clientMs: 1 })))
    const before = await server.read(log)
    assert.equal(before.forks.length, 1)
    await server.restart()
    assert.deepEqual(await server.read(log), before)
    assert.deepEqual(await server.outcomes(log.append(...device.entries)), ['had', 'had', 'had'])
    assert.deepEqual(await server.outcomes(log.append(device.snapshot())), ['stored'])
  })

  it('knows rules and rates after a restart', async () => {
    const server = await LogServer.start('rules')
    const log = new TestLog()
    const slow = log.device('slow', { bytesPer30Days: 2 ** 30, entriesPerDay: 2 })
    const lost = log.device('lost')
    lost.snapshot()
    await server.append(log.append(...log.admin.entries, ...lost.entries, slow.snapshot()))
    await server.append(log.append(log.revoke(lost, 1)))
    await server.restart()
    assert.deepEqual(await server.outcomes(log.append(lost.make({}))), ['E_REVOKED'])
    assert.deepEqual(await server.outcomes(log.append(slow.snapshot())), ['stored'])
    await server.restart()
    assert.deepEqual(await server.outcomes(log.append(slow.make({}))), ['E_RATE'])
    await server.machine.clock.run({ untilMs: server.machine.clock.monotonicMs() + dayMs })
    assert.deepEqual(await server.outcomes(log.append(slow.make({}))), ['stored'])
  })

  for (const call of ['create', 'write', 'sync', 'rename', 'syncDirectory'] as const) {
    it(`takes nothing any more after EIO at ${call}, and still reads`, async () => {
      const { server, log, device } = await begin(`EIO ${call}`)
      const before = await server.read(log)
      const next = device.snapshot()
      server.machine.disk.arm({ call, code: 'EIO', skip: 0, count: 1 })
      assert.deepEqual(await server.outcomes(log.append(next)), ['E_IO'])
      assert.deepEqual(await server.outcomes(log.append(next)), ['E_READ_ONLY'])
      assert.deepEqual(await server.outcomes(new TestLog('other').append()), ['E_READ_ONLY'])
      assert.deepEqual(await server.outcomes(log.append(device.entries[0])), ['had'])
      assert.deepEqual(await server.read(log), before)
      assert.equal((await server.machine.run(server.peer.status())).readOnly, true)
      assert.deepEqual(server.events, ['storage.log-begun', 'storage.read-only'])
      await server.restart()
      assert.deepEqual(await server.read(log), before)
      assert.deepEqual(await server.outcomes(log.append(next)), ['stored'])
    })

    it(`refuses on ENOSPC at ${call}, leaves nothing, and takes it when there is room`, async () => {
      const { server, log, device } = await begin(`ENOSPC ${call}`)
      const before = await server.read(log)
      const next = device.snapshot()
      server.machine.disk.arm({ call, code: 'ENOSPC', skip: 0, count: 1 })
      assert.deepEqual(await server.outcomes(log.append(device.entries[2], next)), [
        'had',
        'E_FULL',
      ])
      assert.deepEqual(await server.read(log), before)
      assert.equal(server.machine.disk.openFiles, 0)
      assert.deepEqual(await server.outcomes(log.append(next)), ['stored'])
    })
  }

  it('goes on with the logs that it keeps while it is being emptied, and begins no other', async () => {
    const { server, log, device } = await begin('emptied')
    server.peer.stopTaking()
    assert.equal((await server.machine.run(server.peer.status())).readOnly, true)
    assert.deepEqual(await server.outcomes(log.append(device.snapshot())), ['stored'])
    assert.deepEqual(await server.outcomes(log.append(log.revoke(device, 4))), ['stored'])
    assert.deepEqual(await server.outcomes(new TestLog('other').append()), ['E_READ_ONLY'])
    server.machine.disk.arm({ call: 'write', code: 'EIO', skip: 0, count: 1 })
    log.device('another')
    const next = log.admin.entries[log.admin.entries.length - 1]
    assert.deepEqual(await server.outcomes(log.append(next)), ['E_IO'])
    assert.deepEqual(await server.outcomes(log.append(next)), ['E_READ_ONLY'])
  })

  it('serves a file system that is mounted read-only', async () => {
    const { server, log, device } = await begin('mounted read-only')
    const before = await server.read(log)
    server.machine.disk.readOnly = true
    await server.restart()
    assert.deepEqual(await server.read(log), before)
    assert.deepEqual(await server.outcomes(log.append(device.entries[0])), ['had'])
    assert.deepEqual(await server.outcomes(log.append(device.snapshot())), ['E_IO'])
    assert.deepEqual(await server.outcomes(log.append(device.entries[3])), ['E_READ_ONLY'])
  })

  it('keeps room in which the admin revokes a device that has filled the log', async () => {
    const { server, log, device } = await begin('full log', { maxLogEntries: 16 })
    let outcome = ['stored']
    while (outcome[0] === 'stored') outcome = await server.outcomes(log.append(device.snapshot()))
    assert.deepEqual(outcome, ['E_FULL'])
    const revocation = log.revoke(device, 1)
    assert.deepEqual(await server.outcomes(log.append(revocation)), ['stored'])
  })

  it('answers no request by an entry of another that did not become durable', async () => {
    const { server, log, device } = await begin('together')
    const next = device.snapshot()
    const rival = device.make({ seq: 4, clientMs: 1 })
    const first = log.revoke(log.stranger('lost'), 0)
    // the first goes alone, and what waits meanwhile goes together, and fails
    server.machine.disk.arm({ call: 'sync', code: 'ENOSPC', skip: 1, count: 1 })
    const asked = [first, next, next, rival, device.entries[0]].map(async (entry) => {
      const { verdicts } = await server.peer.appendEntries(log.append(entry))
      return verdicts.map((each) => (each.outcome === 'refused' ? each.code : each.outcome))
    })
    assert.deepEqual(await server.machine.run(Promise.all(asked)), [
      ...[['stored'], ['E_FULL'], ['E_FULL'], ['E_FULL'], ['had']],
    ])
    const { heads, forks } = await server.read(log)
    assert.deepEqual([heads[1].seq, forks], [3, []])
    assert.deepEqual(await server.outcomes(log.append(next)), ['stored'])
  })

  it('keeps 8 pieces of evidence of a chain, and writes no more of them', async () => {
    const { server, log, device } = await begin('evidence')
    const fileCounts: number[] = []
    for (let i = 0; i < 12; i++) {
      await server.append(log.append(device.make({ seq: 1 + (i % 3), clientMs: i })))
      fileCounts.push([...server.machine.disk.image.files()].length)
    }
    assert.equal(fileCounts[7], fileCounts[0] + 7)
    assert.equal(fileCounts[11], fileCounts[7])
    assert.equal((await server.read(log)).forks.length, 8)
  })

  it('keeps 64 pieces of evidence of a log', async () => {
    const server = await LogServer.start('evidence of many')
    const log = new TestLog()
    const devices = Array.from({ length: 9 }, (_, i) => log.device(`device ${i}`))
    const firsts = devices.map((device) => device.snapshot())
    await server.append(log.append(...log.admin.entries, ...firsts))
    for (const device of devices) {
      const rivals = Array.from({ length: 8 }, (_, i) => device.make({ seq: 1, clientMs: i }))
      const appends = rivals.map((rival) => server.peer.appendEntries(log.append(rival)))
      await server.machine.run(Promise.all(appends))
    }
    assert.equal((await server.read(log)).forks.length, 64)
  })

  it('makes appends that wait durable together', async () => {
    const server = await LogServer.start('together')
    const log = new TestLog()
    const devices = Array.from({ length: 20 }, (_, i) => log.device(`device ${i}`))
    await server.append(log.append(...log.admin.entries))
    const startMs = server.machine.clock.monotonicMs()
    // how long one takes is up to the disk
    for (let i = 0; i < 10; i++) await server.append(log.append(devices[0].snapshot()))
    const oneMs = (server.machine.clock.monotonicMs() - startMs) / 10
    const appends = devices.map((device) =>
      server.peer.appendEntries(log.append(device.snapshot())),
    )
    const next = server.machine.clock.monotonicMs()
    await server.machine.run(Promise.all(appends))
    const allMs = server.machine.clock.monotonicMs() - next
    assert.ok(allMs < 10 * oneMs, `${allMs} ms for twenty, ${oneMs} ms for one`)
  })

  it('keeps every entry that it signed for, wherever the power goes', async () => {
    let cut = 0
    for (let round = 0; round < 60; round++) {
      const server = await LogServer.start(`power ${round}`)
      const { machine } = server
      const log = new TestLog()
      const device = log.device('laptop')
      const signed: { entry: TestEntry; verdict: AppendVerdict }[] = []
      const work = async (): Promise<void> => {
        for (const entry of [
          ...log.admin.entries,
          ...Array(5)
            .fill(0)
            .map(() => device.snapshot()),
        ]) {
          const { verdicts } = await server.peer.appendEntries(log.append(entry))
          signed.push({ entry, verdict: verdicts[0] })
        }
      }
      void work()
      await machine.clock.run({ untilMs: machine.clock.monotonicMs() + machine.random.unit() * 12 })
      machine.disk.cutPower()
      await server.restart()
      if (signed.length > 0 && signed.length < 6) cut++
      if (signed.length === 0) continue
      const { entries } = await server.read(log)
      for (const { entry, verdict } of signed) {
        assert.ok(verdict.outcome === 'stored')
        const found = entries.find(({ header }) => equalBytes(header, entry.header))
        assert.deepEqual(found?.receipt, verdict.receipt)
      }
      const outcomes = await server.outcomes(log.append(...log.admin.entries, ...device.entries))
      assert.ok(outcomes.every((outcome) => outcome === 'had' || outcome === 'stored'))
      assert.equal(outcomes.length, 6)
    }
    assert.ok(cut > 10, `cut in the midst ${cut} times`)
  })

  it('reads up to an entry that is damaged, and adds nothing to its chain', async () => {
    const { server, log, device } = await begin('rot')
    await server.append(log.append(device.snapshot()))
    const isLast = (path: string): boolean => path.split('/').at(-1)!.split('.')[1] === '4'
    const { disk } = server.machine
    const file = [...disk.image.files()].find(({ path }) => isLast(path))!.file
    file.live[file.size - 1] ^= 1
    const { entries, complete } = await server.read(log)
    assert.deepEqual({ seen: entries.length, complete }, { seen: 4, complete: false })
    file.live[200] ^= 1
    await server.restart()
    const ranges = [{ author: device.key, firstSeq: 4, lastSeq: 4 }]
    const reading = server.peer.readLog(log.read({ others: false, ranges }))
    await assert.rejects(server.machine.run(reading), (error) => isGridError(error, 'E_IO'))
    assert.deepEqual(await server.outcomes(log.append(device.snapshot())), ['gap'])
  })

  it('forgets logs that are not used, and knows them again when they are', async () => {
    const { server, log, device } = await begin('memory', { logsInMemory: 2 })
    const opened: string[] = []
    const others = Array.from({ length: 5 }, (_, i) => new TestLog(`log ${i}`))
    for (let round = 0; round < 3; round++) {
      for (const other of others) {
        const entry = other.admin.make({ kind: 'revocation' }, new Uint8Array(3))
        opened.push(...(await server.outcomes(other.append(entry))))
      }
      assert.deepEqual(await server.outcomes(log.append(device.snapshot())), ['stored'])
    }
    assert.deepEqual(new Set(opened), new Set(['E_ENTRY']))
    assert.equal((await server.read(log)).entries.length, 7)
  })

  it('uses one log once, however many ask while it is forgotten', async () => {
    const { server, log, device } = await begin('at once', { entriesInMemory: 0, logsInMemory: 0 })
    const entry = device.snapshot()
    const asked = Array.from({ length: 10 }, (_, i) =>
      i % 2 === 0
        ? server.outcomes(log.append(entry))
        : server.outcomes(new TestLog(`${i}`).append()),
    )
    const seen = (await Promise.all(asked)).flat()
    assert.equal(seen.filter((outcome) => outcome === 'stored').length, 1, String(seen))
    assert.equal(seen.filter((outcome) => outcome === 'had').length, 4)
  })
})
