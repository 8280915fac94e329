/** Put and get through ten node processes on loopback, TCP and Noise, from a client in this process. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DemoGrid } from '../src/cli/demo/demo-grid.ts'
import { openFile } from '../src/node/encoder/file-source.ts'
import type { Grid } from '../src/node/grid.ts'
import { fanOut } from './fan-out.ts'
import { type Figure, median } from './figure.ts'
import { gather } from './gather.ts'

const program = path.resolve(import.meta.dirname, '../bundle/grid.js')
const nodes = Array.from({ length: 10 }, (_, i) => i)
const fileBytes = 100 * 2 ** 20
const rounds = 5
const smallPuts = 50
/** Bytes of shares that each server gets of the file at 3-of-10. */
const shareBytes = Math.ceil(fileBytes / 3)
const hugeBytes = 2 ** 30
const idleMs = 10_000

export async function benchGrid(): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'grid-bench-'))
  const raw = median(await fanOut(nodes.length, shareBytes, rounds))
  const grid = await DemoGrid.open(program)
  try {
    await grid.start(nodes)
    const client = await grid.openClient()
    try {
      await gather(client, nodes.length)
      const fresh = await idle(grid, 'idle node with ten peers')
      return [
        ...fresh,
        ...(await large(client, directory, raw)),
        await small(client),
        ...(await stopped(client, grid)),
        ...(await commands(grid, directory)),
        ...(await idle(grid, 'the same after all this')),
      ]
    } finally {
      await client.close()
    }
  } finally {
    await grid.close()
    rmSync(directory, { recursive: true })
  }
}

async function large(client: Grid, directory: string, raw: number): Promise<Figure[]> {
  const puts: number[] = []
  const gets: number[] = []
  for (let round = 0; round < rounds; round++) {
    const file = path.join(directory, 'file')
    writeFileSync(file, randomBytes(fileBytes))
    const source = openFile(file)
    let start = performance.now()
    const { cap } = await client.put(source)
    puts.push(performance.now() - start)
    source.close()
    start = performance.now()
    let received = 0
    for await (const piece of client.get(cap)) received += piece.length
    gets.push(performance.now() - start)
    if (received !== fileBytes) throw new Error(`received ${received} of ${fileBytes} bytes`)
  }
  return [
    {
      name: 'put 100 MiB, ten node processes',
      value: median(puts) / 1000,
      unit: 's',
      limit: { name: 'raw fan-out', value: raw },
      reach: '≤ limit / 0.7 and < 3.8, aim 2.2',
    },
    { name: 'get 100 MiB', value: median(gets) / 1000, unit: 's', reach: '< 1.7, aim 1' },
  ]
}

async function small(client: Grid): Promise<Figure> {
  const times: number[] = []
  for (let i = 0; i < smallPuts; i++) {
    const start = performance.now()
    await client.put({ stream: [randomBytes(4096)], sizeBytes: 4096 })
    times.push(performance.now() - start)
  }
  return { name: 'put 4 KiB, connections warm', value: median(times), unit: 'ms', reach: '≤ 15' }
}

/** Commands as a user gives them, each a process: put 1 KiB cold and through a node, put 1 GiB. */
async function commands(grid: DemoGrid, directory: string): Promise<Figure[]> {
  const little = path.join(directory, 'little')
  const put = async (home: string): Promise<number> => {
    const times: number[] = []
    for (let i = 0; i < rounds; i++) {
      writeFileSync(little, randomBytes(1024))
      const start = performance.now()
      await command(['put', little, '--home', home, '-q'])
      times.push(performance.now() - start)
    }
    return median(times)
  }
  const cold = await put(grid.homeOf('client'))
  const lent = await put(grid.homeOf('node-1'))
  const huge = path.join(directory, 'huge')
  for (let written = 0; written < hugeBytes; written += fileBytes) {
    appendFileSync(huge, randomBytes(Math.min(fileBytes, hugeBytes - written)))
  }
  const start = performance.now()
  const peakMiB = await command(['put', huge, '--home', grid.homeOf('client'), '-q'])
  const seconds = (performance.now() - start) / 1000
  return [
    { name: 'grid put of 1 KiB, no node running', value: cold, unit: 'ms', reach: '≤ 600' },
    { name: 'grid put of 1 KiB, a node running', value: lent, unit: 'ms', reach: '≤ 250' },
    { name: 'grid put of 1 GiB', value: seconds, unit: 's' },
    { name: 'grid put of 1 GiB, peak memory', value: peakMiB, unit: 'MiB', reach: '≤ 200' },
  ]
}

/** Runs a command to its end; resolves to the most memory it had, in MiB. */
async function command(words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...words], { stdio: 'ignore' })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let peakMiB = 0
  const look = setInterval(() => {
    try {
      peakMiB = Math.max(peakMiB, memoryMiB(child.pid, 'VmHWM') || 0)
    } catch {
      // it has ended meanwhile
    }
  }, 20)
  const code = await ended
  clearInterval(look)
  if (code !== 0) throw new Error(`grid ${words.join(' ')} ended with ${code}`)
  return peakMiB
}

/** What one stopped server costs the first put that meets it. */
async function stopped(client: Grid, grid: DemoGrid): Promise<Figure[]> {
  const pid = grid.pidOf(4)
  if (pid === undefined) return []
  const put = async (): Promise<number> => {
    const start = performance.now()
    await client.put({ stream: [randomBytes(2 ** 20)], sizeBytes: 2 ** 20 })
    return performance.now() - start
  }
  const before = await put()
  process.kill(pid, 'SIGSTOP')
  const after = await put()
  process.kill(pid, 'SIGCONT')
  return [
    {
      name: 'put 1 MiB, one server stopped',
      value: after,
      unit: 'ms',
      limit: { name: 'all running', value: before },
      reach: '≤ 1 s more',
    },
  ]
}

async function idle(grid: DemoGrid, name: string): Promise<Figure[]> {
  const pid = grid.pidOf(0)
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const before = cpuMs(pid)
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  return [
    {
      name: `${name}, memory`,
      value: memoryMiB(pid, 'VmRSS'),
      unit: 'MiB',
      reach: '≤ 80',
    },
    {
      name: `${name}, of a core`,
      value: ((cpuMs(pid) - before) / idleMs) * 100,
      unit: '%',
      reach: '< 0.3',
    },
  ]
}

/** Processor time of a process; Linux counts it in ticks of 10 ms. */
function cpuMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function memoryMiB(pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
}
