/** Directories and logs over ten servers on real sockets: TCP, Noise, real disks. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'mocha'
import { concat, utf8 } from '../../src/base/bytes.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { noTrace } from '../../src/base/trace.ts'
import type { CreatedLog } from '../../src/node/logs/logs.ts'
import { parseConfig } from '../../src/node/home/config.ts'
import type { Grid } from '../../src/node/grid.ts'
import { homeAt, openHome, readConfig } from '../../src/node/home/home.ts'
import { openLibp2pNet } from '../../src/node/net/libp2p-net.ts'
import { makeHome, openGrid } from '../../src/node/open-grid.ts'
import { type RunningNode, runNode } from '../../src/node/running/running-node.ts'
import { totalsOf } from '../../src/node/content/tree-totals.ts'
import { capOfDirectory, directoryOfCap } from '../../src/tree/directory-cap.ts'
import { listDirectory } from '../../src/tree/directory-reader.ts'
import { writeDirectory } from '../../src/tree/directory-writer.ts'
import type { DirectoryEntry } from '../../src/tree/entry.ts'
import { lit, nameOf } from '../tree/entries.ts'
import { content } from './memory-grid.ts'

const loopback = '/ip4/127.0.0.1/tcp/0'
const fileCount = 200

function setting(name: string, value: unknown): { path: string; value: unknown; source: string } {
  return { path: name, value, source: 'test' }
}

async function start(directory: string, introduces: boolean): Promise<RunningNode> {
  const home = homeAt(directory)
  const secrets = await openHome(home)
  const config = parseConfig(await readConfig(home), [], home.path)
  const net = await openLibp2pNet({ seed: secrets.identitySeed, listen: config.node.listen })
  const ports = { clock: new SystemClock(), random: new SystemRandom(), disk: new SystemDisk() }
  return runNode({ home, config, secrets, net, introduces, ...ports, trace: noTrace })
}

describe('ten peers over TCP', function () {
  this.timeout(60_000)
  let directory: string
  let introducer: RunningNode
  const nodes: RunningNode[] = []
  let log: CreatedLog

  const open = (home: string): Promise<Grid> => openGrid({ home: path.join(directory, home) })

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'grid-ten-'))
    await makeHome(path.join(directory, 'intro'), [
      setting('node.listen', [loopback]),
      setting('storage.enabled', false),
    ])
    introducer = await start(path.join(directory, 'intro'), true)
    for (let i = 0; i < 10; i++) {
      await makeHome(path.join(directory, `n${i}`), [
        setting('node.listen', [loopback]),
        setting('storage.enabled', true),
        setting('storage.reserve', '1MiB'),
        setting('grid.introducers', introducer.addresses),
      ])
      nodes.push(await start(path.join(directory, `n${i}`), false))
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

  async function append(grid: Grid, label: string): Promise<number> {
    const inputs = Array.from({ length: fileCount }, (_, i) => {
      return { item: nameOf(i), input: { stream: [content(1000, i)] } }
    })
    const ref = await grid.trees.write(async (writer) => {
      const entries: DirectoryEntry[] = []
      for await (const { item, ...file } of writer.putMany(inputs))
        entries.push({ ...lit(item), ...file })
      return writeDirectory(writer, entries)
    })
    const totals = await totalsOf(grid.trees, ref)
    assert.deepEqual(totals, {
      bytes: 1000 * fileCount,
      files: fileCount,
      directories: 1,
      objects: 2,
    })
    const facts = { host: 'h', label, paths: [], tool: 'test', totals, partial: false }
    return (await grid.logs.append(log.append, { cap: capOfDirectory(ref), ...facts })).seq
  }

  async function check(grid: Grid, labels: readonly string[]): Promise<void> {
    const reader = grid.logs.reader(log.admin)
    const view = await reader.read()
    assert.equal(view.conclusion.state, 'FRESH')
    const seen: (string | undefined)[] = []
    for await (const { snapshot } of reader.snapshots(view)) {
      seen.push(snapshot?.label)
      let count = 0
      for await (const entry of listDirectory(grid.trees, directoryOfCap(snapshot!.cap))) {
        assert.ok(entry.kind === 'file')
        const pieces: Uint8Array[] = []
        for await (const piece of grid.trees.readContent(entry)) pieces.push(piece)
        assert.deepEqual(entry.name, utf8(nameOf(count)))
        assert.deepEqual(concat(...pieces), content(1000, count++))
      }
      assert.equal(count, fileCount)
    }
    assert.deepEqual(seen, labels)
  }

  it('keep a log, and the directories that it names', async () => {
    const grid = await open('client')
    try {
      log = await grid.logs.create({ device: 'laptop' })
      assert.equal(await append(grid, 'one'), 1)
      await check(grid, ['one'])
    } finally {
      await grid.close()
    }
  })

  it('are written through a node that lends its connections, too', async () => {
    while (nodes[0].peers.candidates().length < 10)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const grid = await open('n0')
    try {
      assert.equal(await append(grid, 'two'), 2)
      await check(grid, ['one', 'two'])
    } finally {
      await grid.close()
    }
  })

  it('are enough with three of them gone', async () => {
    await Promise.all([2, 5, 8].map((i) => nodes[i].close()))
    const grid = await open('client')
    try {
      await check(grid, ['one', 'two'])
      const facts = { host: 'h', label: 'three', paths: [], tool: 'test', partial: false }
      const totals = { bytes: 0, files: 0, directories: 0, objects: 0 }
      const [newest] = (await grid.logs.reader(log.admin).read()).entries('snapshot')
      assert.equal(newest.fields.kind, 'snapshot')
      const cap = { type: 'DIR-CHK', readKey: newest.id, root: newest.id } as const
      const place = { k: 3, n: 10, sliceBytes: 100, offsetBytes: 0 }
      const named = { ...facts, totals, cap: { ...cap, ...place } }
      assert.equal((await grid.logs.append(log.append, named)).seq, 3)
    } finally {
      await grid.close()
    }
  })
})
