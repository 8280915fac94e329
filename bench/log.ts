/** Logs over ten node processes on loopback: making one, appending to it, reading a long one. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { DemoGrid } from '../src/cli/demo/demo-grid.ts'
import { MemoryEntryJournal } from '../src/log/entry-journal.ts'
import { createLog, founded, LogAdmin } from '../src/log/log-admin.ts'
import { publicKeyOfSeed } from '../src/base/ed25519.ts'
import { SystemClock } from '../src/base/clock.ts'
import { SystemRandom } from '../src/base/random.ts'
import { ChainWriter } from '../src/log/chain-writer.ts'
import { MemoryHeadPins } from '../src/log/head-pins.ts'
import { logKeysOf } from '../src/log/log-keys.ts'
import { LogReader } from '../src/log/log-reader.ts'
import { MemoryLogPeer } from '../src/log/memory-log-peer.ts'
import type { CapOf } from '../src/caps/cap.ts'
import type { Grid } from '../src/node/grid.ts'
import type { SnapshotFacts } from '../src/node/logs/device-log.ts'
import { type Figure, median } from './figure.ts'
import { gather } from './gather.ts'

const program = path.resolve(import.meta.dirname, '../bundle/grid.js')
const nodes = Array.from({ length: 10 }, (_, i) => i)
const appends = 50
const rounds = 5
const longEntries = 10_000
/** Each checks every signature while the log is written: more of them only take more time. */
const longServers = 4

export async function benchLog(): Promise<Figure[]> {
  const figures = [keys()]
  const grid = await DemoGrid.open(program)
  try {
    await grid.start(nodes)
    const client = await grid.openClient()
    try {
      await gather(client, nodes.length)
      figures.push(...(await created(client)), ...(await appended(client, grid)))
      const home = grid.homeOf('client')
      await client.close()
      figures.push(await command(['log', 'create', '--home', home, '-q'], 'no node running'))
      const lent = ['log', 'create', '--home', grid.homeOf('node-1'), '-q']
      figures.push(await command(lent, 'a node running'))
    } finally {
      await client.close()
    }
  } finally {
    await grid.close()
  }
  return [...figures, ...(await long())]
}

function keys(): Figure {
  const times = Array.from({ length: 20 }, () => {
    const start = performance.now()
    const servers = [publicKeyOfSeed(randomBytes(32))]
    createLog(randomBytes(32), { servers, profile: 'cdc', createdMs: 0 })
    return performance.now() - start
  })
  return { name: 'log create, all keys', value: median(times), unit: 'ms', reach: '≤ 20' }
}

async function created(client: Grid): Promise<Figure[]> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    await client.logs.create({ device: 'bench' })
    times.push(performance.now() - start)
  }
  const name = 'log create and first certificate, warm'
  return [{ name, value: median(times), unit: 'ms' }]
}

async function appended(client: Grid, grid: DemoGrid): Promise<Figure[]> {
  const { admin, append } = await client.logs.create({ device: 'bench' })
  const one = async (): Promise<number> => {
    const start = performance.now()
    await client.logs.append(append, facts())
    return performance.now() - start
  }
  await one()
  const times: number[] = []
  for (let i = 0; i < appends; i++) times.push(await one())
  const pid = grid.pidOf(4)
  if (pid !== undefined) process.kill(pid, 'SIGSTOP')
  const stopped = await one()
  let start = performance.now()
  const view = await client.logs.reader(admin).read()
  const read = performance.now() - start
  if (pid !== undefined) process.kill(pid, 'SIGCONT')
  if (view.conclusion.state !== 'FRESH') throw new Error(`read ${view.conclusion.state}`)
  start = performance.now()
  let count = 0
  for await (const { snapshot } of client.logs.reader(admin).snapshots(view)) {
    if (snapshot !== undefined) count++
  }
  if (count !== appends + 2) throw new Error(`${count} snapshots`)
  const opened = (performance.now() - start) / count
  return [
    { name: 'log append, ten processes, warm', value: median(times), unit: 'ms', reach: '≤ 30' },
    { name: 'log append, one server stopped', value: stopped, unit: 'ms', reach: '≤ 1 s more' },
    { name: 'log read, one server stopped', value: read, unit: 'ms', reach: '≤ 1 s more' },
    { name: 'opening one snapshot of a log', value: opened, unit: 'ms' },
  ]
}

/** Reads and verifies a long chain from servers in this process: all the work there is but for the network. */
async function long(): Promise<Figure[]> {
  const [clock, random] = [new SystemClock(), new SystemRandom()]
  const peers = Array.from(
    { length: longServers },
    () => new MemoryLogPeer({ seed: random.bytes(32), clock }),
  )
  const servers = peers.map(({ publicKey }) => publicKey)
  const adminSeed = random.bytes(32)
  const log = createLog(adminSeed, { servers, profile: 'cdc', createdMs: Date.now() })
  await founded(log, peers)
  const { logId } = log.cap
  const reader = (): LogReader =>
    new LogReader({ logId, peers: () => peers, clock, pins: new MemoryHeadPins() })
  const writing = { reader: reader(), peers: () => peers, journal: new MemoryEntryJournal(), clock }
  const admin = await LogAdmin.open(logKeysOf(adminSeed), writing)
  const seed = random.bytes(32)
  const limits = { bytesPer30Days: 2 ** 40, entriesPerDay: 2 ** 30 }
  await admin.grant({ subject: publicKeyOfSeed(seed), rights: ['append'], limits, label: 'bench' })
  const writer = await ChainWriter.open({ ...writing, reader: reader(), seed })
  // sealed to nobody: what verifies an entry does not open it
  const body = randomBytes(4096)
  for (let i = 0; i < longEntries; i++) {
    await (
      await writer.append('snapshot', () => body)
    ).settled
  }
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const look = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
  const start = performance.now()
  const view = await reader().read()
  const seconds = (performance.now() - start) / 1000
  clearInterval(look)
  peak = Math.max(peak, process.memoryUsage().rss)
  if (view.chainOf(writer.author)?.chain.seq !== longEntries) throw new Error('too short')
  return [
    { name: 'read and verify a log of 10,000 entries', value: seconds, unit: 's', reach: '≤ 2' },
    {
      name: 'the same, more memory than before',
      value: (peak - before) / 2 ** 20,
      unit: 'MiB',
      reach: '≤ 150',
    },
  ]
}

function facts(): SnapshotFacts {
  const cap: CapOf<'DIR-CHK'> = {
    type: 'DIR-CHK',
    readKey: randomBytes(32),
    root: randomBytes(32),
    ...{ k: 3, n: 10, sliceBytes: 4096, offsetBytes: 0 },
  }
  const totals = { bytes: 10 ** 9, files: 10 ** 5, directories: 10 ** 4, objects: 500 }
  return { cap, host: 'bench', label: '', paths: [], tool: 'bench', totals, partial: false }
}

/** A command as a user gives it: the median of a few. */
async function command(words: readonly string[], how: string): Promise<Figure> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    const child = spawn(process.execPath, [program, ...words], { stdio: 'ignore' })
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
    if (code !== 0) throw new Error(`grid ${words.join(' ')} ended with ${code}`)
    times.push(performance.now() - start)
  }
  const reach = how === 'a node running' ? '≤ 250' : undefined
  return { name: `grid log create, ${how}`, value: median(times), unit: 'ms', reach }
}
