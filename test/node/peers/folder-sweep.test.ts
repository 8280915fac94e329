import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { GridError } from '../../../src/base/errors.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { sweepFolders } from '../../../src/node/peers/folder-sweep.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import type { ClockLook } from '../../../src/storage/holds/sweep-memory.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { asClient } from '../../suites/as-client.ts'
import { onAccount, releaseOf } from '../../suites/hold-peer.ts'
import { memoryHolds } from '../../suites/memory-holds.ts'
import { MovedClock } from '../../suites/moved-clock.ts'
import { makeObject } from '../../suites/objects.ts'
import { putObjectShare } from '../../suites/storage-peer.ts'
import { TestLog } from '../../suites/test-log.ts'

const hourMs = 3_600_000

describe('sweeps of folders', () => {
  const log = new TestLog()
  const clock = new MovedClock()

  /** A folder whose memory of sweeps outlives its process. */
  function folder(name: string): LocalPeer {
    let seen: ClockLook | undefined
    const memory = {
      lastLook: async () => seen,
      see: async (look: ClockLook) => void (seen = look),
    }
    const open = async (): Promise<OpenHolds> => ({ ...(await memoryHolds()), memory })
    const holds = { open, random: new SystemRandom() }
    return new LocalPeer({ id: name, store: new MemoryStore(), clock, reserveBytes: 0, holds })
  }

  /** A folder with an object that nobody holds, and whose quarantine is over in 30 days. */
  async function folderWithReleased(name: string): Promise<LocalPeer> {
    const peer = folder(name)
    const object = makeObject({ seed: name })
    const client = asClient(peer, 'client')
    await putObjectShare(onAccount({ peer: client, clientId: 'client' }, log), object, 0)
    clock.moveDays(1)
    await peer.release(releaseOf(log, [object]))
    return peer
  }

  it('look at all shares where they may, and delete what is due', async () => {
    const folders = [await folderWithReleased('one'), await folderWithReleased('two')]
    clock.moveDays(40)
    const lazy = await sweepFolders(folders, clock, { walk: false })
    assert.deepEqual([lazy.sweptFolders, lazy.deletedShares], [2, 0])
    assert.deepEqual([...lazy.refused], [['index', 2]])
    const { sweptFolders, deletedShares, deletedBytes, refused } = await sweepFolders(
      folders,
      clock,
    )
    assert.deepEqual([sweptFolders, deletedShares, refused.size], [2, 2, 0])
    assert.ok(deletedBytes > 0)
  })

  it('leave a folder that was swept of late, whatever way the clock went since', async () => {
    const folders = [folder('one')]
    const swept = async () =>
      (await sweepFolders(folders, clock, { afterMs: 20 * hourMs })).sweptFolders
    assert.equal(await swept(), 1)
    assert.equal(await swept(), 0)
    clock.moveDays(0.7)
    assert.equal(await swept(), 0)
    clock.moveDays(0.2)
    assert.equal(await swept(), 1)
    clock.jumpDays(-400)
    assert.equal(await swept(), 1)
    assert.equal((await sweepFolders(folders, clock)).sweptFolders, 1)
  })

  it('go on after one that fails, and end by the signal', async () => {
    const bad = folder('bad')
    bad.sweep = () => Promise.reject(new GridError('E_IO', 'planned'))
    const { failed, sweptFolders } = await sweepFolders([bad, folder('good')], clock)
    assert.deepEqual([failed.map(({ code }) => code), sweptFolders], [['E_IO'], 1])
    const signal = AbortSignal.abort(new Error('enough'))
    await assert.rejects(sweepFolders([folder('good')], clock, { signal }), /enough/)
  })
})
