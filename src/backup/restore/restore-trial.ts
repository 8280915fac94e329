/**
 * Whether a snapshot could be restored: every directory of it is read, and a sample of its files
 * from the servers to the last byte, decrypted and decompressed. Nothing is written.
 */
import { toHex } from '../../base/bytes.ts'
import { asGridError, type GridError, isGridError } from '../../base/errors.ts'
import { mapWithin } from '../../base/limit.ts'
import type { Random } from '../../base/random.ts'
import { type FileContent, sizeOfContent } from '../../node/content/file-content.ts'
import type { TreeStore } from '../../node/content/tree-store.ts'
import { type DirectoryEntry, sizeOfEntry } from '../../tree/entry.ts'
import type { NodeName } from '../../tree/node-ref.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import { isFile } from '../../tree/same-entry.ts'
import { FileSample } from './file-sample.ts'
import { type TreeVisitor, walkTree } from './tree-walk.ts'

export interface TrialOptions {
  random: Random
  /** How many files of all; there are always some of each class of sizes. */
  sample: number
  onProgress?: (count: TrialCount) => void
  signal?: AbortSignal
}

export interface TrialCount {
  /** Directories that were read, and files that were seen in them. */
  directories: number
  seen: number
  /** Files of the sample that were read, and their bytes. */
  files: number
  bytes: number
}

/** Something that could not be read. */
export interface TrialFailure {
  /** From the root of the snapshot. */
  path: Uint8Array
  error: GridError
}

export interface TrialResult {
  count: TrialCount
  failures: readonly TrialFailure[]
}

interface Sampled {
  path: Uint8Array
  content: FileContent
}

const filesAtOnce = 4
const maxSample = 100_000

export function tryRestore(
  trees: Pick<TreeStore, 'readSlice' | 'readContent'>,
  root: NodeName,
  options: TrialOptions,
): Promise<TrialResult> {
  return new Trial(trees, options).run(root)
}

class Trial implements TreeVisitor<true> {
  readonly #trees: Pick<TreeStore, 'readSlice' | 'readContent'>
  readonly #options: TrialOptions
  readonly #sample: FileSample<Sampled>
  readonly #count: TrialCount = { directories: 0, seen: 0, files: 0, bytes: 0 }
  readonly #failures: TrialFailure[] = []

  constructor(trees: Pick<TreeStore, 'readSlice' | 'readContent'>, options: TrialOptions) {
    this.#trees = trees
    this.#options = options
    this.#sample = new FileSample(options.random, Math.min(maxSample, options.sample))
  }

  async run(root: NodeName): Promise<TrialResult> {
    const { signal } = this.#options
    await walkTree(this.#trees, root, true, this, { ...(signal && { signal }) })
    // those of one object after each other: it is fetched once
    const chosen = this.#sample.chosen.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))
    await mapWithin(filesAtOnce, chosen, (each) => this.#read(each))
    signal?.throwIfAborted()
    return { count: this.#count, failures: this.#failures }
  }

  entry(entry: DirectoryEntry, _: true, path: Uint8Array): void {
    this.#count.seen++
    if (!isFile(entry)) return
    const content = entry as FileContent
    this.#sample.offer(sizeOfEntry(entry) ?? 0, () => {
      return { path: path.slice(), content: ownContent(content) }
    })
  }

  enter(): true {
    this.#count.directories++
    return true
  }

  leave(_: true, path: Uint8Array, error: unknown): void {
    if (error !== undefined)
      this.#failures.push({ path, error: asGridError(error, 'E_NODE', 'a directory') })
    this.#options.onProgress?.(this.#count)
  }

  async #read({ path, content }: Sampled): Promise<void> {
    const { signal, onProgress } = this.#options
    if (signal?.aborted) return
    try {
      let bytes = 0
      for await (const piece of this.#trees.readContent(content, { ...(signal && { signal }) }))
        bytes += piece.length
      if (bytes !== sizeOfContent(content)) throw new RangeError('content: of another length')
      this.#count.files++
      this.#count.bytes += bytes
      onProgress?.(this.#count)
    } catch (error) {
      if (!isGridError(error)) throw error
      if (!signal?.aborted) this.#failures.push({ path, error })
    }
  }
}

/** Without what it shares with all the others of its directory. */
function ownContent(from: FileContent): FileContent {
  if (from.kind === 'lit') return { kind: 'lit', content: from.content.slice() }
  const { object, readKey } = from.content
  const own = { object: ownObject(object), readKey: readKey.slice() }
  return from.kind === 'file'
    ? { kind: 'file', content: { ...from.content, ...own } }
    : { kind: 'tree', content: { ...from.content, ...own } }
}

function ownObject({ root, ...rest }: ObjectRef): ObjectRef {
  return { root: root.slice(), ...rest }
}

function placeOf({ content }: Sampled): string {
  if (content.kind === 'lit') return ''
  const { object, offset } = content.content
  return `${toHex(object.root)} ${String(offset).padStart(8, '0')}`
}
