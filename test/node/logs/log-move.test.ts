import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { GridError } from '../../../src/base/errors.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { attenuate } from '../../../src/caps/attenuate.ts'
import type { CreatedLog } from '../../../src/node/logs/logs.ts'
import { refused } from '../../suites/storage-peer.ts'
import { MemoryGrid } from '../memory-grid.ts'

describe('moving a log', () => {
  async function begun(servers: number): Promise<{ memory: MemoryGrid; log: CreatedLog }> {
    const memory = await MemoryGrid.of(servers)
    return { memory, log: await memory.grid.logs.create({ device: 'laptop' }) }
  }

  /** Peer ids of the servers that the log counts on, as anybody reads it. */
  async function serversOf(memory: MemoryGrid, { admin }: CreatedLog): Promise<string[]> {
    const view = await memory.another().logs.reader(attenuate(admin, 'LOG-Read')).read()
    return view.rules.config.servers.map(peerIdOf)
  }

  function stopTaking(memory: MemoryGrid, i: number): string {
    memory.candidates[i] = { ...memory.candidates[i], accepts: false }
    return memory.candidates[i].id
  }

  it('lets go of servers that take nothing any more, and takes others in their place', async () => {
    const { memory, log } = await begun(10)
    const left = [stopTaking(memory, 3), stopTaking(memory, 7)]
    await memory.add()
    await memory.add()
    const { came, gone, servers } = await memory.another().logs.move(log.admin)
    assert.deepEqual([new Set(gone), servers], [new Set(left), 10])
    assert.deepEqual(new Set(came), new Set(memory.candidates.slice(10).map(({ id }) => id)))
    const now = await serversOf(memory, log)
    assert.ok(!left.some((id) => now.includes(id)))
    const again = await memory.another().logs.move(log.admin)
    assert.deepEqual([again.came, again.gone, again.report], [[], [], undefined])
  })

  it('loses nothing: without the old servers all of it is there, and a device goes on', async () => {
    const { memory, log } = await begun(4)
    const second = await memory.grid.logs.grant(log.admin, { label: 'second' })
    stopTaking(memory, 0)
    await memory.add()
    await memory.another().logs.move(log.admin)
    memory.candidates.splice(0, 1)
    const view = await memory.another().logs.reader(attenuate(log.admin, 'LOG-Read')).read()
    assert.equal(view.conclusion.state, 'FRESH')
    assert.deepEqual(
      view.rules.certificates.map(({ label }) => label),
      ['laptop', 'second'],
    )
    await memory.another().logs.device(second)
  })

  it('keeps a server that is only silent where no other would take its place', async () => {
    const { memory, log } = await begun(4)
    const silent = (): Promise<never> => Promise.reject(new GridError('E_CLOSED', 'reset'))
    memory.wrap(2, () => ({ readLog: silent, appendEntries: silent }))
    const kept = await memory.another().logs.move(log.admin)
    assert.deepEqual([kept.gone, kept.servers], [[], 4])
    await memory.add()
    const moved = await memory.another().logs.move(log.admin)
    assert.deepEqual([moved.gone, moved.came.length, moved.servers], [[], 1, 5])
  })

  it('says so where no server is left', async () => {
    const { memory, log } = await begun(1)
    stopTaking(memory, 0)
    await refused(memory.another().logs.move(log.admin), 'E_NOT_ENOUGH_SERVERS')
  })

  it('moves off the only server, which is being emptied and takes nothing new', async () => {
    const { memory, log } = await begun(1)
    const { peer } = memory.candidates[0]
    ;(peer as unknown as { stopTaking: () => void }).stopTaking()
    const [id] = [stopTaking(memory, 0)]
    await refused(memory.grid.logs.create({ device: 'x' }), 'E_NOT_ENOUGH_SERVERS')
    await memory.add()
    const { gone } = await memory.another().logs.move(log.admin)
    assert.deepEqual(gone, [id])
    memory.candidates.splice(0, 1)
    assert.deepEqual(await serversOf(memory, log), [memory.candidates[0].id])
  })
})
