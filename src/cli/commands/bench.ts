import { randomFillSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { formatByteSize, parseByteSize } from '../../base/byte-size.ts'
import { InlineEncoder } from '../../encoding/inline-encoder.ts'
import { openErasureCode } from '../../encoding/open-code.ts'
import { usefulThreads } from '../../node/encoder/encoder-thread.ts'
import { Grid } from '../../node/grid.ts'
import { makeHome, openGrid } from '../../node/open-grid.ts'
import { WorkerEncoder } from '../../node/encoder/worker-encoder.ts'
import { LocalPeer } from '../../storage/local-peer.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { command, type Command, type Context } from '../command.ts'
import { text, value } from '../option.ts'

const defaultBytes = 64 * 2 ** 20
const maxBytes = 2 ** 30
const servers = 10

export const bench: Command = command({
  arguments: [],
  options: {
    size: value(
      '--size <SIZE>',
      'how much random data to use (64MiB)',
      'a size of at most 1GiB',
      (given) => {
        const bytes = parseByteSize(given)
        return bytes !== undefined && bytes > 0 && bytes <= maxBytes ? bytes : undefined
      },
    ),
    directory: text('--directory <DIR>', 'where to write, to time another disk'),
  },
  examples: [['grid bench --size 256MiB', 'time this machine, without a network']],
  async run(context, { options }) {
    const { size = defaultBytes, directory = tmpdir() } = options
    const data = randomFillSync(new Uint8Array(size))
    const memory = inMemory(context)
    await time(context, 'in memory, 3 of 10', memory, data)
    const folder = await mkdtemp(path.join(directory, 'grid-bench-'))
    try {
      const home = await makeHome(path.join(folder, 'home'))
      await time(context, 'on one disk, 8 of 10', await openGrid({ home }), data)
    } finally {
      await rm(folder, { recursive: true })
    }
    return { summary: { sizeBytes: size } }
  },
})

/** Puts `data` and gets it back; closes `grid`. */
async function time(
  { output, signal, world: { clock } }: Context,
  where: string,
  grid: Grid,
  data: Uint8Array,
): Promise<void> {
  try {
    const putStartMs = clock.monotonicMs()
    const { cap } = await grid.put({ stream: pieces(data) }, { signal })
    const getStartMs = clock.monotonicMs()
    let gotBytes = 0
    for await (const piece of grid.get(cap, { signal })) gotBytes += piece.length
    const endMs = clock.monotonicMs()
    for (const [what, elapsedMs] of [
      ['put', getStartMs - putStartMs],
      ['get', endMs - getStartMs],
    ] as const) {
      const bytesPerSecond = Math.round((1000 * gotBytes) / Math.max(elapsedMs, 1))
      const line = `${what} ${where}: ${formatByteSize(bytesPerSecond)}/s`
      await output.item({ what, where, bytesPerSecond }, line)
    }
  } finally {
    await grid.close()
  }
}

function* pieces(data: Uint8Array): Generator<Uint8Array> {
  const pieceBytes = 2 ** 20
  for (let at = 0; at < data.length; at += pieceBytes) yield data.subarray(at, at + pieceBytes)
}

/** A grid whose servers keep their shares in memory: what is left is sealing, coding and hashing. */
function inMemory({ world: { clock, random } }: Context): Grid {
  const candidates = Array.from({ length: servers }, (_, i) => {
    const id = `server ${i}`
    const peer = new LocalPeer({ id, store: new MemoryStore(), clock })
    return { id, domain: undefined, accepts: true, peer }
  })
  return new Grid({
    clock,
    random,
    secret: random.bytes(32),
    encoder: new WorkerEncoder({ threads: usefulThreads() }),
    smallEncoder: new InlineEncoder(openErasureCode()),
    peers: {
      ready: async () => {},
      candidates: () => candidates,
      note: () => undefined,
      nickname: (id) => id,
      close: async () => {},
    },
  })
}
