/** A whole grid over real sockets in one process: TCP, Noise, real disks. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'mocha'
import { concat } from '../../../src/base/bytes.ts'
import { SystemClock } from '../../../src/base/clock.ts'
import { SystemDisk } from '../../../src/base/disk.ts'
import { SystemRandom } from '../../../src/base/random.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { noTrace } from '../../../src/base/trace.ts'
import { entryIdOf } from '../../../src/log/entry.ts'
import { isReceiptFor } from '../../../src/log/receipt.ts'
import { parseConfig } from '../../../src/node/home/config.ts'
import type { Grid } from '../../../src/node/grid.ts'
import { homeAt, openHome, readConfig } from '../../../src/node/home/home.ts'
import type { JobOutcome } from '../../../src/node/running/own-jobs.ts'
import { borrowPeers } from '../../../src/node/running/lending.ts'
import { reachNode } from '../../../src/node/running/own-verbs.ts'
import { openLibp2pNet } from '../../../src/node/net/libp2p-net.ts'
import { makeHome, openGrid } from '../../../src/node/open-grid.ts'
import { type RunningNode, runNode } from '../../../src/node/running/running-node.ts'
import { connectUnix } from '../../../src/node/net/unix-net.ts'
import type { SweepReport } from '../../../src/storage/holds/sweeper.ts'
import { TestLog } from '../../suites/test-log.ts'

const clock = new SystemClock()
const loopback = '/ip4/127.0.0.1/tcp/0'

function setting(name: string, value: unknown): { path: string; value: unknown; source: string } {
  return { path: name, value, source: 'test' }
}

async function start(directory: string, introduces: boolean): Promise<RunningNode> {
  const home = homeAt(directory)
  const secrets = await openHome(home)
  const config = parseConfig(await readConfig(home), [], home.path)
  const net = await openLibp2pNet({ seed: secrets.identitySeed, listen: config.node.listen })
  return runNode({
    home,
    config,
    secrets,
    net,
    introduces,
    clock: new SystemClock(),
    random: new SystemRandom(),
    disk: new SystemDisk(),
    trace: noTrace,
  })
}

async function read(grid: Grid, cap: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of grid.get(cap)) pieces.push(piece)
  return concat(...pieces)
}

/** Looks again and again, and fails in the end. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let look = 0; look < 500; look++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.fail('it never came to be so')
}

describe('running node', () => {
  const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 5)
  let directory: string
  let introducer: RunningNode
  const nodes: RunningNode[] = []
  let cap: string

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'grid-net-'))
    const introducerHome = path.join(directory, 'intro')
    await makeHome(introducerHome, [
      setting('node.listen', [loopback]),
      setting('storage.enabled', false),
    ])
    introducer = await start(introducerHome, true)
    for (let i = 0; i < 4; i++) {
      const home = path.join(directory, `n${i}`)
      await makeHome(home, [
        setting('node.listen', [loopback]),
        setting('node.nickname', `n${i}`),
        setting('storage.enabled', true),
        setting('storage.reserve', '1MiB'),
        setting('grid.introducers', introducer.addresses),
      ])
      nodes.push(await start(home, false))
    }
    await makeHome(path.join(directory, 'client'), [
      setting('storage.enabled', false),
      setting('grid.introducers', introducer.addresses),
    ])
  })

  after(async () => {
    await Promise.all([...nodes, introducer].map((node) => node.close()))
    await rm(directory, { recursive: true })
  })

  it('stores through an introducer, TCP and Noise', async () => {
    const grid = await openGrid({ home: path.join(directory, 'client') })
    const report = await grid.put({ stream: [content], sizeBytes: content.length })
    assert.deepEqual(report.redundancy, { k: 2, happy: 3, n: 4 })
    assert.equal(report.servers, 4)
    cap = report.cap
    assert.deepEqual(await read(grid, cap), content)
    await grid.close()
  })

  it('lends its connections, and stores in itself too', async () => {
    while (nodes[0].peers.candidates().length < 4)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const grid = await openGrid({ home: path.join(directory, 'n0') })
    const names = (await grid.status()).map(({ nickname, status }) => [
      nickname,
      status?.shareCount,
    ])
    assert.deepEqual(
      names.sort(),
      ['n0', 'n1', 'n2', 'n3'].map((name) => [name, 1]),
    )
    assert.deepEqual(await read(grid, cap), content)
    await grid.close()
  })

  it('sweeps when its own command line asks, one sweep at a time', async () => {
    const at = path.join(directory, 'n1', 'node.sock')
    const node = await reachNode(() => connectUnix(at), { clock })
    const wish = { dryRun: false, consentShares: 0, clockIsRight: false }
    const [job, other] = await Promise.allSettled([node.sweep(wish), node.sweep(wish)])
    assert.deepEqual(job, { status: 'fulfilled', value: 1 })
    assert.ok(other.status === 'rejected' && isGridError(other.reason, 'E_BUSY'))
    await until(async () => (await node.outcome(1)).report !== undefined)
    const { report } = (await node.outcome(1)) as JobOutcome<SweepReport>
    assert.deepEqual([report?.deletedShares, report?.refusal], [0, undefined])
    assert.equal((await node.view()).sweep?.due.shares, 0)
    await assert.rejects(node.outcome(2), { code: 'E_ABSENT' })
    await assert.rejects(node.sweep({ ...wish, consentShares: -1 }), { code: 'E_BAD_REQUEST' })
    node.close()
    const client = await reachNode(() => connectUnix(path.join(directory, 'intro', 'node.sock')), {
      clock,
    })
    assert.equal(await client.sweep(wish), undefined)
    client.close()
  })

  it('tells its own command line how it is and what happened, and nobody else', async () => {
    const at = path.join(directory, 'n1')
    const node = await reachNode(() => connectUnix(path.join(at, 'node.sock')), { clock })
    const view = await node.view()
    assert.equal(view.peerId, nodes[1].id)
    assert.equal(view.requests.putShare?.requests, 1)
    assert.equal(view.inBytes, view.storage?.shareBytes)
    assert.ok(view.connections >= 1 && view.peers >= 1 && view.memoryBytes > 0)
    const events = await node.events(0, 100)
    assert.equal(events[0].name, 'node.started')
    assert.equal(events.filter(({ name }) => name === 'peer.joined').length > 0, true)
    assert.deepEqual(await node.events(events[events.length - 1].seq, 100), [])
    await assert.rejects(node.events(0, 1001), (error) => isGridError(error, 'E_BAD_REQUEST'))
    node.close()
    const grid = await openGrid({ home: path.join(directory, 'client') })
    const remote = grid.status().then((reports) => reports.find(({ id }) => id === nodes[1].id))
    assert.ok(!JSON.stringify(await remote).includes('requests'))
    await grid.close()
  })

  it('finds a share that rots when it is told to look, and says so', async () => {
    const at = path.join(directory, 'n2')
    const shares = path.join(at, 'storage', 'shares')
    const names = await readdir(shares, { recursive: true })
    const name = names.find((each) => each.includes('.'))
    assert.ok(name !== undefined)
    const bytes = await readFile(path.join(shares, name))
    bytes[5000] ^= 4
    await writeFile(path.join(shares, name), bytes)
    const node = await reachNode(() => connectUnix(path.join(at, 'node.sock')), { clock })
    await node.scrub()
    await until(async () => (await node.view()).storage?.damagedCount !== 0)
    const { storage } = await node.view()
    assert.deepEqual([storage?.damagedCount, storage?.shareCount], [1, 0])
    const damaged = (await node.events(0, 100)).find((event) => event.name === 'share.damaged')
    assert.deepEqual(damaged?.facts, { share: path.basename(name) })
    assert.deepEqual(await readdir(path.join(at, 'storage', 'quarantine')), [
      `${path.basename(name)}.0`,
    ])
    node.close()
    const client = await openGrid({ home: path.join(directory, 'client') })
    assert.deepEqual(await read(client, cap), content)
    await client.put({ stream: [content], sizeBytes: content.length })
    await client.close()
    assert.equal((await nodes[2].storage?.status())?.damagedCount, 0, 'a put heals it')
  })

  it('misses a share that somebody has deleted behind its back', async () => {
    const at = path.join(directory, 'n3')
    const shares = path.join(at, 'storage', 'shares')
    const names = await readdir(shares, { recursive: true })
    const name = names.find((each) => each.includes('.'))
    assert.ok(name !== undefined)
    await rm(path.join(shares, name))
    const node = await reachNode(() => connectUnix(path.join(at, 'node.sock')), { clock })
    await node.scrub()
    await until(async () => (await node.view()).scrub?.lastFull !== undefined)
    const lost = (await node.events(0, 100)).filter((event) => event.name === 'share.lost')
    assert.deepEqual(
      lost.map(({ facts }) => facts),
      [{ share: path.basename(name) }],
    )
    node.close()
  })

  it('keeps logs for others, and lends its way to them over its socket', async () => {
    const connect = () => connectUnix(path.join(directory, 'n0', 'node.sock'))
    const pool = await borrowPeers(connect, { clock: new SystemClock() })
    const log = new TestLog()
    const device = log.device('laptop')
    const request = log.append(...log.admin.entries, device.snapshot())
    for (const { id, peer } of pool.candidates()) {
      const { verdicts } = await peer.appendEntries(request)
      for (const [i, verdict] of verdicts.entries()) {
        assert.ok(verdict.outcome === 'stored')
        const subject = { logId: log.logId, id: entryIdOf(request.entries[i].header) }
        assert.ok(isReceiptFor(subject, verdict.receipt))
        assert.equal(peerIdOf(verdict.receipt.node), id)
      }
      assert.equal((await peer.readLog(log.read())).entries.length, 2)
    }
    assert.equal(pool.candidates().length, 4)
    await pool.close()
  })

  it('goes on with every introducer dead and half of the servers gone', async () => {
    await introducer.close()
    await Promise.all([nodes[1].close(), nodes[3].close()])
    const grid = await openGrid({ home: path.join(directory, 'client') })
    assert.deepEqual(await read(grid, cap), content)
    await grid.close()
  })
})
