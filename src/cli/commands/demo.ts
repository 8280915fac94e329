import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { formatByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { openFile } from '../../node/encoder/file-source.ts'
import type { Grid } from '../../node/grid.ts'
import type { PutReport } from '../../node/put-report.ts'
import { command, type Command, type Context } from '../command.ts'
import { DemoGrid } from '../demo/demo-grid.ts'
import { text } from '../option.ts'

const nodeCount = 10
const killed = [0, 1, 2, 3, 4, 5, 6]
const rangeBytes = 1_000_000
/** How long a client may take to learn of ten nodes that listen. */
const gatherMs = 20_000

export const demo: Command = command({
  arguments: [],
  options: { file: text('--file <FILE>', 'what to store (the running Node executable)') },
  examples: [
    ['grid demo', 'run a grid of ten nodes here, and watch a file survive the loss of seven'],
  ],
  async run(context, { options }) {
    const file = options.file ?? process.execPath
    const grid = await DemoGrid.open(process.argv[1] ?? '')
    try {
      const facts = await runDemo(context, grid, file)
      await grid.close()
      if (grid.running > 0) throw failed(`${grid.running} processes are left`)
      return { summary: facts, text: 'every byte survived; nothing is left running' }
    } finally {
      await grid.close()
    }
  },
})

async function runDemo(
  context: Context,
  grid: DemoGrid,
  file: string,
): Promise<Record<string, unknown>> {
  const { output, world, signal } = context
  const say = (line: string): Promise<void> => output.item({ event: 'demo', line }, line)
  const numbers = Array.from({ length: nodeCount }, (_, i) => i)
  const clock = new Stopwatch(() => world.clock.monotonicMs())

  const listening = await grid.start(numbers)
  const processes = new Set(listening.map(({ pid }) => pid)).size
  const ids = new Set(listening.map(({ peerId }) => peerId)).size
  if (processes !== nodeCount || ids !== nodeCount)
    throw failed(`${processes} nodes listen, not ${nodeCount}`)
  await say(
    `${processes} storage nodes and an introducer listen on loopback (TCP + Noise), after ${clock.lap()}`,
  )

  const client = await grid.openClient()
  try {
    await gather(client, nodeCount, () => world.clock.monotonicMs(), signal)
    await say(`the client found ${nodeCount} servers through the introducer, after ${clock.lap()}`)

    const report = await put(context, client, file)
    const putMs = clock.lapMs()
    await say(putLine(file, report, putMs))
    await output.item({ event: 'cap', cap: report.cap }, `cap: ${report.cap}`)

    const died = await grid.kill(killed)
    if (died !== killed.length) throw failed(`${died} nodes died, not ${killed.length}`)
    clock.lap()
    await say(`killed ${died} of ${nodeCount} nodes with SIGKILL`)

    const sum = await sumOf(client.get(report.cap, { signal }))
    const getMs = clock.lapMs()
    if (sum !== (await sumOf(createReadStream(file)))) throw failed('the file came back changed')
    await say(
      `read it back from the ${nodeCount - died} left in ${seconds(getMs)} (${rate(report.sizeBytes, getMs)}): every byte is the same`,
    )

    clock.lap()
    const back = await grid.start(killed)
    await say(`brought ${back.length} nodes back, after ${clock.lap()}`)

    const start = Math.floor(report.sizeBytes / 2)
    const range = { start, end: Math.min(start + rangeBytes, report.sizeBytes) }
    const part = await sumOf(client.get(report.cap, { range, signal }))
    const rangeMs = clock.lapMs()
    const wanted = await sumOf(createReadStream(file, { start, end: range.end - 1 }))
    if (part !== wanted) throw failed('the range came back changed')
    await say(`read bytes ${range.start} to ${range.end} alone in ${seconds(rangeMs)}`)
    return {
      file,
      sizeBytes: report.sizeBytes,
      processes,
      died,
      putMs,
      getMs,
      rangeMs,
      objects: report.objects,
      shares: report.sharesStored,
      sentBytes: report.sentBytes,
    }
  } finally {
    await client.close()
  }
}

async function put({ progress, signal }: Context, client: Grid, file: string): Promise<PutReport> {
  const source = openFile(file)
  const task = progress.start('put', source.sizeBytes)
  try {
    const report = await client.put(source, { signal, onProgress: (bytes) => task.advance(bytes) })
    source.checkUnchanged()
    return report
  } finally {
    task.end()
    source.close()
  }
}

/** Waits until the client has an answer from `count` servers. */
async function gather(
  client: Grid,
  count: number,
  nowMs: () => number,
  signal: AbortSignal,
): Promise<void> {
  const endMs = nowMs() + gatherMs
  for (;;) {
    const answered = (await client.status({ signal })).filter(
      ({ status }) => status !== undefined,
    ).length
    if (answered >= count) return
    if (nowMs() > endMs) throw failed(`the client found ${answered} servers, not ${count}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function sumOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

function putLine(file: string, report: PutReport, putMs: number): string {
  const { sizeBytes, objects, sharesStored, sentBytes, redundancy } = report
  const coding = redundancy ? `${redundancy.k}-of-${redundancy.n}` : 'in the cap'
  const times = (sentBytes / sizeBytes).toFixed(2)
  return `stored ${file} (${formatByteSize(sizeBytes)}) in ${seconds(putMs)} (${rate(sizeBytes, putMs)}): ${objects} objects, ${sharesStored} shares, ${coding}, ${times} times its size`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

function rate(bytes: number, ms: number): string {
  return `${(bytes / 1000 / ms).toFixed(0)} MB/s`
}

function failed(why: string): GridError {
  return new GridError('E_INTERNAL', `the demo failed: ${why}`)
}

/** Time since it was last asked. */
class Stopwatch {
  readonly #nowMs: () => number
  #sinceMs: number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
    this.#sinceMs = nowMs()
  }

  lapMs(): number {
    const ms = this.#nowMs() - this.#sinceMs
    this.#sinceMs += ms
    return ms
  }

  lap(): string {
    return seconds(this.lapMs())
  }
}
