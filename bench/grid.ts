/** Put and get through ten node processes on loopback, TCP and Noise, from a client in this process. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DemoGrid } from '../src/cli/demo/demo-grid.ts'
import { openFile } from '../src/node/file-source.ts'
import type { Grid } from '../src/node/grid.ts'
import type { Figure } from './figure.ts'

const nodes = Array.from({ length: 10 }, (_, i) => i)
const fileBytes = 100 * 2 ** 20
const rounds = 3
const smallPuts = 50
const idleMs = 10_000

export async function benchGrid(): Promise<Figure[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'grid-bench-'))
  const grid = await DemoGrid.open(path.resolve(import.meta.dirname, '../bundle/grid.js'))
  try {
    await grid.start(nodes)
    const client = await grid.openClient()
    try {
      await gather(client)
      return [
        ...(await large(client, directory)),
        await small(client),
        ...(await stopped(client, grid)),
        ...(await idle(grid)),
      ]
    } finally {
      await client.close()
    }
  } finally {
    await grid.close()
    rmSync(directory, { recursive: true })
  }
}

async function gather(client: Grid): Promise<void> {
  for (;;) {
    const answered = (await client.status()).filter(({ status }) => status !== undefined)
    if (answered.length === nodes.length) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function large(client: Grid, directory: string): Promise<Figure[]> {
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
      reach: '< 3.8, aim 2.2',
    },
    { name: 'get 100 MiB', value: median(gets) / 1000, unit: 's', reach: '< 1.7, aim 1' },
    {
      name: 'peak memory of the client',
      value: process.resourceUsage().maxRSS / 1024,
      unit: 'MiB',
    },
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

async function idle(grid: DemoGrid): Promise<Figure[]> {
  const pid = grid.pidOf(0)
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const before = cpuMs(pid)
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  return [
    {
      name: 'idle node with ten peers, memory',
      value: residentMiB(pid),
      unit: 'MiB',
      reach: '≤ 80',
    },
    {
      name: 'idle node with ten peers, of a core',
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

function residentMiB(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
