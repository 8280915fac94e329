import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type Clock, SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { DiskLogStore } from '../../src/storage/disk-log-store.ts'
import { DiskStore } from '../../src/storage/disk-store.ts'
import { DiskUsage } from '../../src/storage/disk-usage.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { bodyOf, makeObject } from '../suites/objects.ts'
import { setAside } from '../suites/share-store.ts'
import { refused } from '../suites/storage-peer.ts'
import { TestLog } from '../suites/test-log.ts'

const blockBytes = 4096

/** What `du` says of a directory and all in it, in bytes, and how many files and directories there are. */
function du(root: string): { bytes: number; files: number } {
  const [bytes] = execFileSync('du', ['-s', '-B1', root], { encoding: 'utf8' }).split('\t')
  const files = execFileSync('find', [root], { encoding: 'utf8' }).trim().split('\n').length
  return { bytes: Number(bytes), files }
}

describe('disk usage', () => {
  const disk = new SystemDisk()
  let aheadMs = 0
  const system = new SystemClock()
  const clock: Clock = {
    nowMs: () => system.nowMs() + aheadMs,
    monotonicMs: () => system.monotonicMs() + aheadMs,
    after: (delayMs, action) => system.after(delayMs, action),
  }
  let root: string

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'grid-usage-'))
  })

  afterEach(() => rm(root, { recursive: true }))

  async function open(): Promise<{ peer: LocalPeer; store: DiskStore }> {
    const store = new DiskStore({ disk, root })
    const logs = new DiskLogStore({ disk, root })
    await store.open()
    await logs.open()
    const usage = new DiskUsage({ disk, clock, root })
    const kept = { store: logs, seed: new Uint8Array(32).fill(7) }
    return {
      store,
      peer: new LocalPeer({ id: 'x', store, clock, reserveBytes: 0, logs: kept, usage }),
    }
  }

  async function agrees(peer: LocalPeer, slackFiles = Infinity): Promise<void> {
    const { diskBytes } = await peer.status()
    const real = du(root)
    const off = Math.abs(diskBytes - real.bytes)
    const allowed = Math.min(real.files, slackFiles) * blockBytes
    assert.ok(off <= allowed, `${diskBytes} is said, ${real.bytes} is there, ${real.files} files`)
  }

  it('is what du says, through puts, a share set aside, logs and a restart', async () => {
    await writeFile(path.join(root, 'holds.journal'), new Uint8Array(70_000))
    await mkdir(path.join(root, 'index'))
    await writeFile(path.join(root, 'index', 'data.mdb'), new Uint8Array(50_000))
    const { peer, store } = await open()
    await agrees(peer, 0)
    const objects = [1024, 3000, 70_000, 131_072, 400_000].map((ciphertextBytes, i) =>
      makeObject({ ciphertextBytes, seed: `${i}` }),
    )
    for (const { storageIndex, shares } of objects)
      for (const [number, share] of shares.entries())
        await peer.putShare(storageIndex, number, bodyOf(share))
    await setAside(store, objects[3].storageIndex, 1)
    await peer.putShare(objects[3].storageIndex, 1, bodyOf(objects[3].shares[1]))
    const log = new TestLog()
    await peer.appendEntries(log.append(...log.admin.entries, log.device('laptop').snapshot()))
    // what was counted last is at most a second old
    aheadMs += 3_600_000
    await agrees(peer)
    await agrees((await open()).peer, 0)
  })

  it('leaves out what only others may read, and says what else fails as such', async () => {
    await mkdir(path.join(root, 'lost+found'))
    let code = 'EACCES'
    const guarded = new Proxy(disk, {
      get: (target, key) => {
        if (key !== 'readDirectory') return Reflect.get(target, key) as unknown
        return async (at: string) => {
          if (!at.endsWith('lost+found')) return target.readDirectory(at)
          throw Object.assign(new Error('planned'), { code })
        }
      },
    })
    const usage = new DiskUsage({ disk: guarded, clock, root })
    assert.equal(await usage.otherBytes(), du(root).bytes)
    code = 'EIO'
    await refused(new DiskUsage({ disk: guarded, clock, root }).otherBytes(), 'E_IO')
  })
})
