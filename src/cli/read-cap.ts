/** What `get` and `cat` share: the pieces behind a cap or of a file in a tree, with progress. */
import type { Cap } from '../caps/cap.ts'
import { capFingerprint } from '../caps/describe.ts'
import { formatCap } from '../caps/text.ts'
import { GridError } from '../base/errors.ts'
import type { GetOptions } from '../node/grid.ts'
import { sizeOfEntry } from '../tree/entry.ts'
import type { ByteRange } from './byte-range.ts'
import type { Context } from './command.ts'
import { kindOf } from './entry-lines.ts'
import type { TreePlace } from './place.ts'
import { shownPlace, type TreePlaces, withTrees } from './tree-places.ts'

export interface Reading {
  /** A cap, or a file in a tree. */
  source: Cap | TreePlace
  range: ByteRange | undefined
  /** Takes the pieces, verified and in order, to where they belong. */
  consume: (pieces: AsyncIterable<Uint8Array>) => Promise<void>
}

/** Reads a file, or a range of it. Resolves to the bytes read. */
export async function readContent(
  context: Context,
  { source, range, consume }: Reading,
): Promise<number> {
  return withTrees(context, async (places) => {
    const { signal, progress } = context
    const { name, sizeBytes, read } =
      'kind' in source ? await fileAt(places, source) : fileOfCap(places, source)
    const { start = 0, end = sizeBytes } = range ?? {}
    const task = progress.start(name, Math.max(0, Math.min(end, sizeBytes) - start))
    let doneBytes = 0
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const piece of read({ signal, ...(range && { range }) })) {
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
    }
  })
}

interface ReadableFile {
  /** As progress calls it. */
  name: string
  sizeBytes: number
  read: (options: GetOptions) => AsyncIterable<Uint8Array>
}

function fileOfCap({ grid }: TreePlaces, cap: Cap): ReadableFile {
  const text = formatCap(cap)
  const read = (options: GetOptions): AsyncIterable<Uint8Array> => grid.get(text, options)
  return { name: capFingerprint(cap), sizeBytes: grid.size(text), read }
}

/** Throws E_FILE if there is no file at the place. */
async function fileAt(places: TreePlaces, place: TreePlace): Promise<ReadableFile> {
  const { entry } = await places.find(place)
  const name = shownPlace(place)
  if (entry?.kind === 'lit' || entry?.kind === 'file' || entry?.kind === 'tree') {
    const read = (options: GetOptions): AsyncIterable<Uint8Array> =>
      places.grid.trees.readContent(entry, options)
    return { name, sizeBytes: sizeOfEntry(entry) ?? 0, read }
  }
  const kind = entry === undefined ? 'directory' : kindOf(entry)
  throw new GridError('E_FILE', `${name} is a ${kind}, not a file`, {
    hint: kind === 'directory' ? 'copy all of it: grid cp -r' : 'see it: grid stat',
  })
}
