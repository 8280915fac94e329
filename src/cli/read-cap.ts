/** What `get` and `cat` share: the pieces behind a cap, with progress. */
import type { Cap } from '../caps/cap.ts'
import { capFingerprint } from '../caps/describe.ts'
import { formatCap } from '../caps/text.ts'
import type { ByteRange } from './byte-range.ts'
import type { Context } from './command.ts'
import { openHomeGrid } from './home-grid.ts'

export interface Reading {
  cap: Cap
  range: ByteRange | undefined
  /** Takes the pieces, verified and in order, to where they belong. */
  consume: (pieces: AsyncIterable<Uint8Array>) => Promise<void>
}

/** Reads the content behind a cap, or a range of it. Resolves to the bytes read. */
export async function readContent(
  context: Context,
  { cap, range, consume }: Reading,
): Promise<number> {
  const { signal, progress } = context
  const text = formatCap(cap)
  const grid = await openHomeGrid(context)
  const sizeBytes = grid.size(text)
  const { start = 0, end = sizeBytes } = range ?? {}
  const task = progress.start(capFingerprint(cap), Math.max(0, Math.min(end, sizeBytes) - start))
  let doneBytes = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of grid.get(text, { signal, ...(range && { range }) })) {
      yield piece
      doneBytes += piece.length
      task.advance(doneBytes)
    }
  }
  try {
    await consume(counted())
    return doneBytes
  } finally {
    task.end()
    await grid.close()
  }
}
