/**
 * Small files by the objects that hold them. Files that follow each other in a walk lie beside each
 * other in a bundle, or in one of a few: each run of a bundle is then fetched once for all of them.
 */
import { sealedLength } from '../encoding/seal.ts'
import { toHex } from '../base/bytes.ts'
import type { ObjectRef } from '../tree/refs.ts'
import type { StreamRef } from '../tree/stream-row.ts'

/** Files of one object that are fetched together. */
export interface StreamRun<F> {
  object: ObjectRef
  /** Bytes [startByte, endByte) of its ciphertext hold all of them. */
  startByte: number
  endByte: number
  /** By their place in the object. */
  files: readonly F[]
}

interface Group<F> {
  object: ObjectRef
  files: F[]
  sealedBytes: number
}

export interface GroupLimits {
  /** Sealed bytes of a group that are enough to fetch it. */
  runBytes: number
  /** Files that wait, in all groups together. */
  waiting: number
}

/** Bytes between two files that are fetched for nothing rather than by a request of their own. */
const maxGapBytes = 2 ** 19

export class StreamGroups<F extends { stream: StreamRef }> {
  readonly #limits: GroupLimits
  /** By the hex of the root, the one begun first at the front. */
  readonly #groups = new Map<string, Group<F>>()
  #waiting = 0

  constructor(limits: GroupLimits) {
    this.#limits = limits
  }

  /** Takes a file; gives what is to be fetched now. */
  add(file: F): StreamRun<F>[] {
    const { object, storedBytes } = file.stream
    const key = toHex(object.root)
    let group = this.#groups.get(key)
    if (group === undefined) this.#groups.set(key, (group = { object, files: [], sealedBytes: 0 }))
    group.files.push(file)
    group.sealedBytes += sealedLength(storedBytes)
    this.#waiting++
    if (group.sealedBytes >= this.#limits.runBytes) return this.#take(key, group)
    if (this.#waiting < this.#limits.waiting) return []
    const [first] = this.#groups
    return this.#take(...first)
  }

  /** All that wait. */
  takeAll(): StreamRun<F>[] {
    return [...this.#groups].flatMap(([key, group]) => this.#take(key, group))
  }

  #take(key: string, { object, files }: Group<F>): StreamRun<F>[] {
    this.#groups.delete(key)
    this.#waiting -= files.length
    files.sort((a, b) => a.stream.offset - b.stream.offset)
    const runs: { object: ObjectRef; startByte: number; endByte: number; files: F[] }[] = []
    for (const file of files) {
      const { offset, storedBytes } = file.stream
      const end = offset + sealedLength(storedBytes)
      const run = runs.at(-1)
      if (run === undefined || offset > run.endByte + maxGapBytes)
        runs.push({ object, startByte: offset, endByte: end, files: [file] })
      else {
        run.endByte = Math.max(run.endByte, end)
        run.files.push(file)
      }
    }
    return runs
  }
}
