/** Objects in memory, as src/tree sees them: contents by a made-up root, with reads and writes counted. */
import { toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { paddedLength } from '../../src/encoding/padme.ts'
import type { ObjectName, ObjectRef } from '../../src/tree/refs.ts'
import type { CheckedSlice, SliceReader } from '../../src/tree/slice-reader.ts'

export class MemoryObjects implements SliceReader {
  readonly #contents = new Map<string, Uint8Array>()
  reads = 0
  writes = 0

  get size(): number {
    return this.#contents.size
  }

  store = async (content: Uint8Array): Promise<ObjectRef> => {
    this.writes++
    const ref = {
      root: sha256(content),
      k: 3,
      n: 10,
      ciphertextBytes: paddedLength(content.length),
    }
    const padded = new Uint8Array(ref.ciphertextBytes)
    padded.set(content)
    this.#contents.set(toHex(ref.root), padded)
    return ref
  }

  async readSlice(
    { root }: ObjectName,
    offset: number,
    sliceBytes: number | undefined,
  ): Promise<CheckedSlice> {
    this.reads++
    const content = this.#contents.get(toHex(root))
    if (content === undefined) throw new Error(`no object ${toHex(root)}`)
    const end = sliceBytes === undefined ? content.length : offset + sliceBytes
    return { bytes: content.subarray(offset, end), ciphertextBytes: content.length }
  }
}
