/**
 * Directories that are worked out in memory, over those that are stored: a merge that nobody has
 * recorded yet, a change before it is written. Nothing of it leaves the process.
 */
import { toHex } from '../base/bytes.ts'
import { sha256 } from '../base/hash.ts'
import type { ConvergenceKeys } from '../caps/keys.ts'
import { paddedLength } from '../encoding/padme.ts'
import { listPages } from '../tree/directory-reader.ts'
import { type DirectoryWriteContext, writeDirectory } from '../tree/directory-writer.ts'
import type { DirectoryRef } from '../tree/entry.ts'
import type { NodeName } from '../tree/node-ref.ts'
import { LoneNodes } from '../tree/node-sink.ts'
import type { ObjectName, ObjectRef } from '../tree/refs.ts'
import type { CheckedSlice, SliceReader } from '../tree/slice-reader.ts'

export class Scratch implements SliceReader, DirectoryWriteContext {
  readonly keys: ConvergenceKeys
  readonly sink: LoneNodes
  readonly #below: SliceReader
  readonly #slices = new Map<string, Uint8Array>()
  #empty: DirectoryRef | undefined

  /** @param below - reads what is stored */
  constructor(below: SliceReader, keys: ConvergenceKeys) {
    this.keys = keys
    this.#below = below
    this.sink = new LoneNodes(async (slice) => this.#keep(slice))
  }

  get reader(): SliceReader {
    return this
  }

  /** Whether the directory is in memory alone. */
  has({ object }: NodeName): boolean {
    return this.#slices.has(toHex(object.root))
  }

  async readSlice(
    object: ObjectName,
    offset: number,
    sliceBytes: number | undefined,
  ): Promise<CheckedSlice> {
    const slice = this.#slices.get(toHex(object.root))
    if (slice === undefined) return this.#below.readSlice(object, offset, sliceBytes)
    const end = sliceBytes === undefined ? undefined : offset + sliceBytes
    return { bytes: slice.subarray(offset, end), ciphertextBytes: paddedLength(slice.length) }
  }

  /** The directory without entries. */
  async empty(): Promise<DirectoryRef> {
    return (this.#empty ??= await writeDirectory(this, []))
  }

  /** Whether a directory has no entries. */
  async isEmpty(directory: NodeName): Promise<boolean> {
    const { done } = await listPages(this, directory).next()
    return done === true
  }

  /** No object has such a root: those are hashes with a tag. */
  #keep(slice: Uint8Array): ObjectRef {
    const root = sha256(slice)
    this.#slices.set(toHex(root), slice)
    return { root, k: 1, n: 1, ciphertextBytes: paddedLength(slice.length) }
  }
}
