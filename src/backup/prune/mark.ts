/**
 * What snapshots stand on, found with verify keys (docs/specs/prune.md, "Mark"). All of it or
 * nothing: what cannot be read ends the walk, since what is below it would be taken for garbage.
 */
import { GridError, isGridError } from '../../base/errors.ts'
import { storageIndexOf } from '../../encoding/descriptor.ts'
import type { SliceReader } from '../../tree/slice-reader.ts'
import { type VerifyName, WalkMemory, walkVerify } from '../../tree/verify-walk.ts'
import { indexKey } from './index-set.ts'

/** A snapshot that is kept. */
export interface MarkedTop {
  /** What people know it by. */
  name: string
  top: VerifyName
}

export interface Marked {
  /** Shares that each object has, by `indexKey`: the most that any snapshot says. */
  objects: ReadonlyMap<string, number>
  /** Ciphertext bytes that no snapshot before it stood on, for each of `tops`. */
  newBytes: readonly number[]
}

/**
 * Walks all of `tops` as one, so what they share is read once.
 *
 * @param tops - the oldest first, for `newBytes` to tell what each has added
 * @throws what keeps a node from being read, with the snapshot that it is in
 */
export async function mark(
  reader: SliceReader,
  tops: readonly MarkedTop[],
  options: { signal?: AbortSignal; onProgress?: (objects: number) => void } = {},
): Promise<Marked> {
  const memory = new WalkMemory()
  const objects = new Map<string, number>()
  const newBytes: number[] = []
  for (const { name, top } of tops) {
    let bytes = 0
    try {
      const { signal } = options
      for await (const object of walkVerify(reader, top, { memory, isNode: true, signal })) {
        const key = indexKey(storageIndexOf(object.root))
        const known = objects.get(key)
        objects.set(key, Math.max(known ?? 0, object.n))
        if (known === undefined) bytes += object.ciphertextBytes
        options.onProgress?.(objects.size)
      }
    } catch (error) {
      if (!isGridError(error) || options.signal?.aborted) throw error
      throw new GridError(error.code, `${name} cannot be walked: ${error.message}`, {
        hint: 'nothing was released. Try again when all servers answer, repair it, or revoke its device from there on',
        facts: { ...error.facts, snapshot: name },
        cause: error,
      })
    }
    newBytes.push(bytes)
  }
  return { objects, newBytes }
}
