/** What a snapshot says of the size of its directory: counted by walking all of it. */
import { toHex } from '../../base/bytes.ts'
import { verifyKeyOf } from '../../caps/keys.ts'
import type { SnapshotTotals } from '../../log/snapshot-body.ts'
import { listPages } from '../../tree/directory-reader.ts'
import { sizeOfEntry } from '../../tree/entry.ts'
import type { NodeName } from '../../tree/node-ref.ts'
import { malformedNode } from '../../tree/refs.ts'
import type { SliceReader } from '../../tree/slice-reader.ts'
import { walkVerify } from '../../tree/verify-walk.ts'

/** Directories below directories: as many as a path of 4,096 bytes can name. */
const maxLevels = 2048

type Counted = Omit<SnapshotTotals, 'objects'>

/**
 * Counts bytes, files (whatever is no directory), directories and objects. A directory that is named
 * twice counts twice and is read once.
 *
 * @throws E_NODE for more than a number can count, or too many levels; what the reader throws
 */
export async function totalsOf(
  reader: SliceReader,
  directory: NodeName,
  options: { signal?: AbortSignal } = {},
): Promise<SnapshotTotals> {
  const counted = await new Counting(reader, options.signal).count(directory, 1)
  const { object, offset, readKey } = directory
  let objects = 0
  const walk = walkVerify(reader, { object, offset, verifyKey: verifyKeyOf(readKey) })
  while (!(await walk.next()).done) {
    options.signal?.throwIfAborted()
    objects++
  }
  return { ...counted, objects }
}

class Counting {
  readonly #reader: SliceReader
  readonly #signal: AbortSignal | undefined
  /** By the read key of the node. */
  readonly #known = new Map<string, Counted>()

  constructor(reader: SliceReader, signal: AbortSignal | undefined) {
    this.#reader = reader
    this.#signal = signal
  }

  async count(directory: NodeName, level: number): Promise<Counted> {
    const known = this.#known.get(toHex(directory.readKey))
    if (known !== undefined) return known
    if (level > maxLevels) throw malformedNode(`more than ${maxLevels} levels`)
    const total = { bytes: 0, files: 0, directories: 1 }
    for await (const page of listPages(this.#reader, directory)) {
      this.#signal?.throwIfAborted()
      for (const entry of page) {
        if (entry.kind === 'directory') add(total, await this.count(entry.content, level + 1))
        else add(total, { bytes: sizeOfEntry(entry) ?? 0, files: 1, directories: 0 })
      }
    }
    this.#known.set(toHex(directory.readKey), total)
    return total
  }
}

function add(total: Counted, more: Counted): void {
  total.bytes += more.bytes
  total.files += more.files
  total.directories += more.directories
  if (!Object.values(total).every(Number.isSafeInteger))
    throw malformedNode('more in it than a directory can hold')
}
