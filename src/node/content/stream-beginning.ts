/** The beginning of a stream, to tell whether it is a small file. */
import { concat } from '../../base/bytes.ts'

type Stream = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** All of a stream of at most `maxBytes`, or a stream that gives what a longer one holds. */
export async function beginningOf(
  stream: Stream,
  maxBytes: number,
): Promise<Uint8Array | { stream: Stream }> {
  const pieces: Uint8Array[] = []
  let length = 0
  const source = iteratorOf(stream)
  while (length <= maxBytes) {
    const next = await source.next()
    if (next.done) return concat(...pieces)
    pieces.push(next.value)
    length += next.value.length
  }
  return { stream: resumed(pieces, source) }
}

/** What has been read of a stream, and the rest of it. */
async function* resumed(
  pieces: readonly Uint8Array[],
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* pieces
  yield* { [Symbol.asyncIterator]: () => source }
}

async function* iteratorOf(stream: Stream): AsyncGenerator<Uint8Array> {
  yield* stream
}
