/** Check and repair through ten node processes on loopback, and what one stopped server costs. */
import { randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Cap } from '../src/caps/cap.ts'
import { parseCap } from '../src/caps/parse.ts'
import { DemoGrid } from '../src/cli/demo/demo-grid.ts'
import { mapWithin } from '../src/base/limit.ts'
import type { CheckDepth } from '../src/node/check/check-run.ts'
import type { Grid } from '../src/node/grid.ts'
import { type Figure, median } from './figure.ts'
import { gather } from './gather.ts'

const program = path.resolve(import.meta.dirname, '../bundle/grid.js')
const nodes = Array.from({ length: 10 }, (_, i) => i)
const fileBytes = 100 * 2 ** 20
const rounds = 3
const manyObjects = 2048
const smallBytes = 4096
const stoppedNode = 4
const lostNodes = [0, 1, 2, 3]

const claims: CheckDepth = { sample: 0, whole: false }
const audited: CheckDepth = { sample: 1, whole: false }
const whole: CheckDepth = { sample: 0, whole: true }

export async function benchKeep(): Promise<Figure[]> {
  const grid = await DemoGrid.open(program)
  try {
    await grid.start(nodes)
    const client = await grid.openClient()
    try {
      await gather(client, nodes.length)
      const large = await repairs(client, grid)
      const many = await checks(client)
      return [...large, ...many, ...(await stopped(client, grid))]
    } finally {
      await client.close()
    }
  } finally {
    await grid.close()
  }
}

/** 100 MiB: repaired after four of ten servers have lost their shares, and checked to the last byte. */
async function repairs(client: Grid, grid: DemoGrid): Promise<Figure[]> {
  const repairTimes: number[] = []
  const getTimes: number[] = []
  const wholeTimes: number[] = []
  let perObject = 0
  for (let round = 0; round < rounds; round++) {
    const cap = await put(client, fileBytes)
    getTimes.push(await timed(() => drain(client, cap)))
    wholeTimes.push(await timed(() => expectHealthy(client, [cap], whole)))
    for (const i of lostNodes) loseShares(grid.homeOf(`node-${i}`))
    let written = 0
    let objects = 0
    repairTimes.push(
      await timed(async () => {
        for await (const batch of client.upkeep.repair([parseCap(cap)])) {
          objects += batch.length
          for (const { report } of batch) written += report?.written ?? 0
        }
      }),
    )
    perObject = written / objects
    await expectHealthy(client, [cap], claims)
  }
  const getRate = fileBytes / median(getTimes) / 1000
  return [
    {
      name: 'repair 100 MiB, 4 of 10 shares lost',
      value: median(repairTimes) / 1000,
      unit: 's',
      reach: '≤ 3',
    },
    { name: 'shares written for each object', value: perObject, unit: '', reach: '4' },
    {
      name: 'check --verify of 100 MiB',
      value: fileBytes / median(wholeTimes) / 1000,
      unit: 'MB/s',
      limit: { name: 'get', value: getRate },
      reach: '≥ limit / 2',
    },
  ]
}

async function checks(client: Grid): Promise<Figure[]> {
  const numbers = Array.from({ length: manyObjects }, (_, i) => i)
  const caps = await mapWithin(16, numbers, () => put(client, smallBytes))
  const rate = async (depth: CheckDepth): Promise<number> => {
    await expectHealthy(client, caps, depth)
    const times: number[] = []
    for (let round = 0; round < rounds; round++)
      times.push(await timed(() => expectHealthy(client, caps, depth)))
    return manyObjects / (median(times) / 1000)
  }
  const byClaims = await rate(claims)
  const usual = await rate({ sample: 0.01, whole: false })
  const byBlocks = await rate(audited)
  return [
    { name: 'check by have, warm', value: byClaims, unit: 'objects/s', reach: '≥ 2000' },
    { name: 'check with the usual sample', value: usual, unit: 'objects/s' },
    { name: 'check with a block of every share', value: byBlocks, unit: 'objects/s' },
    { name: 'the same, in shares', value: byBlocks * nodes.length, unit: 'shares/s' },
  ]
}

/** What one stopped server adds to each operation that meets it first. */
async function stopped(client: Grid, grid: DemoGrid): Promise<Figure[]> {
  const pid = grid.pidOf(stoppedNode)
  if (pid === undefined) return []
  const bytes = 2 ** 20
  const kept = await put(client, bytes)
  const operations: [name: string, run: (client: Grid) => Promise<unknown>][] = [
    ['put 1 MiB', (client) => put(client, bytes)],
    ['get 1 MiB', (client) => drain(client, kept)],
    ['check', (client) => count(client, kept)],
    ['repair', (client) => repaired(client, kept)],
  ]
  const figures: Figure[] = []
  for (const [name, run] of operations) {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(await timed(() => run(client)))
    // each operation meets it with a client that does not know of it
    const fresh = await grid.openClient(`client-${name.replaceAll(' ', '-')}`)
    try {
      await gather(fresh, nodes.length)
      process.kill(pid, 'SIGSTOP')
      figures.push({
        name: `${name}, one server stopped`,
        value: await timed(() => run(fresh)),
        unit: 'ms',
        limit: { name: 'all running', value: median(times) },
        reach: '≤ 1 s more',
      })
    } finally {
      process.kill(pid, 'SIGCONT')
      await fresh.close()
    }
  }
  return figures
}

async function put(client: Grid, bytes: number): Promise<string> {
  return (await client.put({ stream: [randomBytes(bytes)], sizeBytes: bytes })).cap
}

async function drain(client: Grid, cap: string): Promise<void> {
  let received = 0
  for await (const piece of client.get(cap)) received += piece.length
  if (received !== client.size(cap)) throw new Error(`received ${received} bytes`)
}

async function expectHealthy(
  client: Grid,
  caps: readonly string[],
  depth: CheckDepth,
): Promise<void> {
  const parsed: Cap[] = caps.map((cap) => parseCap(cap))
  let objects = 0
  for await (const batch of client.upkeep.check(parsed, { depth })) {
    for (const { state, claimed } of batch) {
      objects++
      if (state !== 'healthy') throw new Error(`${state}: on ${claimed} servers`)
    }
  }
  if (objects === 0) throw new Error('nothing was checked')
}

async function count(client: Grid, cap: string): Promise<number> {
  let least = Infinity
  for await (const batch of client.upkeep.check([parseCap(cap)]))
    for (const { claimed } of batch) least = Math.min(least, claimed)
  return least
}

async function repaired(client: Grid, cap: string): Promise<number> {
  let objects = 0
  for await (const batch of client.upkeep.repair([parseCap(cap)])) objects += batch.length
  return objects
}

/** Takes all shares of a node away, behind its back. */
function loseShares(home: string): void {
  const shares = path.join(home, 'storage', 'shares')
  for (const name of readdirSync(shares, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(shares, name)
    if (statSync(file).isFile()) rmSync(file)
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
