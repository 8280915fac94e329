/** A large file in place: extents fetched and opened beside each other, each where it belongs. */
import type { Budget } from '../../base/limit.ts'
import { sealedLength } from '../../encoding/seal.ts'
import { endFile } from '../../local/sparse-writer.ts'
import type { TreeStore } from '../../node/content/tree-store.ts'
import type { ChildRow } from '../../tree/file-node.ts'
import type { PlacedExtent } from '../../tree/file-reader.ts'
import type { BatchCrew } from './batch-crew.ts'

export interface LargeFileSource {
  trees: Pick<TreeStore, 'extents' | 'readSealed'>
  crew: BatchCrew
  /** Of sealed bytes in flight. */
  bytes: Budget
  signal: AbortSignal
}

/**
 * Writes every extent to the file, or checks that it is there.
 *
 * @param fd - of a file which is open until the promise settles; empty, if it is to be written
 * @throws what fetching and opening throw, and the system's error; E_SIZE for a check that fails
 */
export async function handleExtents(
  { trees, crew, bytes, signal }: LargeFileSource,
  root: ChildRow,
  fd: number,
  kind: 'write' | 'check',
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const options = { signal: either }
  const handle = async (extent: PlacedExtent): Promise<void> => {
    const { object, offset, storedBytes, startByte: position } = extent
    const end = offset + sealedLength(storedBytes)
    const sealed = await trees.readSealed(object, offset, end, options)
    await crew.handle({ kind, fd, position, content: contentOf(extent), sealed })
  }
  const running = new Set<Promise<void>>()
  try {
    for await (const extent of trees.extents(root, options)) {
      const release = await bytes.take(sealedLength(extent.storedBytes), options)
      const handling = handle(extent)
        .catch((error: unknown) => stop.abort(error))
        .finally(() => {
          release()
          running.delete(handling)
        })
      running.add(handling)
    }
    while (running.size > 0) await Promise.all(running)
  } catch (error) {
    stop.abort(error)
  }
  // nobody may write to the descriptor once it is closed
  await Promise.allSettled(running)
  either.throwIfAborted()
  if (kind === 'write') endFile(fd, root.plaintextBytes)
}

function contentOf({ readKey, plaintextBytes, compression, storedBytes, offset }: PlacedExtent) {
  return { readKey, plaintextBytes, compression, storedBytes, offset }
}
