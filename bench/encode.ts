/** Seal, code and hash a real file at 3-of-10 in worker threads, beside what SHA-256 alone does. */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { WorkerEncoder } from '../src/node/encoder/worker-encoder.ts'
import type { Figure } from './figure.ts'

const settings = { secret: randomBytes(32), coding: { k: 3, n: 10 }, profile: 'cdc' } as const
const rounds = 3

export async function benchEncode(): Promise<Figure[]> {
  const hash = sha256Rate()
  const figures: Figure[] = []
  for (const threads of [1, 2]) {
    const value = await encodeRate(threads)
    figures.push({
      name: `cut, seal, code and hash, 3-of-10, ${threads} worker${threads > 1 ? 's' : ''}`,
      value,
      unit: 'MB/s',
      limit: { name: 'SHA-256, one core', value: hash },
      reach: threads === 2 ? '≥ 250 where SHA-256 does 1,900' : undefined,
    })
  }
  return figures
}

function sha256Rate(): number {
  const bytes = randomBytes(2 ** 20)
  const start = performance.now()
  for (let i = 0; i < 200; i++) createHash('sha256').update(bytes).digest()
  return (200 * bytes.length) / 1000 / (performance.now() - start)
}

async function encodeRate(threads: number): Promise<number> {
  const encoder = new WorkerEncoder({ threads })
  const fd = openSync(process.execPath, 'r')
  const { size } = fstatSync(fd)
  let best = 0
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const encoded: Promise<void>[] = []
    for (let position = 0; ;) {
      const extent = await encoder.cut({ fd, position }, settings)
      if (extent === undefined) break
      position += extent.plaintext.length
      encoded.push(encoder.encode(extent, settings).then((shares) => shares.release(true)))
    }
    await Promise.all(encoded)
    best = Math.max(best, size / 1000 / (performance.now() - start))
  }
  closeSync(fd)
  await encoder.close()
  return best
}
