/**
 * Small files by the objects that hold them. Files that follow each other in a walk lie beside each
 * other in a bundle, or in one of a few: each run of a bundle is then fetched once for all of them.
 */
import { toHex } from '../../base/bytes.ts'
import { sealedLength } from '../../encoding/seal.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { StreamRef } from '../../tree/stream-row.ts'

/** Files of one object that are fetched together. */
export interface StreamRun<B> {
  object: ObjectRef
  /** Bytes [startByte, endByte) of its ciphertext hold all of them. */
  startByte: number
  endByte: number
  /** Sealed bytes of the files. */
  sealedBytes: number
  fileCount: number
  /** What the files were put into. */
  batch: B
}

export interface GroupLimits<B> {
  newBatch: () => B
  /** Sealed bytes that are enough to fetch them. */
  runBytes: number
  /** Files that wait, in all runs together. */
  waiting: number
}

/** Bytes between two files that are fetched for nothing rather than by a request of their own. */
const maxGapBytes = 2 ** 19

export class StreamGroups<B> {
  readonly #limits: GroupLimits<B>
  /** By the hex of the root, the one begun first at the front. */
  readonly #runs = new Map<string, StreamRun<B>>()
  #waiting = 0

  constructor(limits: GroupLimits<B>) {
    this.#limits = limits
  }

  /** Where a file of this stream belongs, which `put` puts into its batch; and what is to be fetched now. */
  add({ object, offset, storedBytes }: StreamRef, put: (batch: B) => void): StreamRun<B>[] {
    const { runBytes, waiting, newBatch } = this.#limits
    const key = toHex(object.root)
    const ready: StreamRun<B>[] = []
    const end = offset + sealedLength(storedBytes)
    let run = this.#runs.get(key)
    if (run !== undefined && isFar(run, offset, end)) {
      ready.push(this.#take(key, run))
      run = undefined
    }
    if (run === undefined) {
      const none = { sealedBytes: 0, fileCount: 0, batch: newBatch() }
      run = { object, startByte: offset, endByte: end, ...none }
      this.#runs.set(key, run)
    }
    run.startByte = Math.min(run.startByte, offset)
    run.endByte = Math.max(run.endByte, end)
    run.sealedBytes += end - offset
    run.fileCount++
    this.#waiting++
    put(run.batch)
    if (run.sealedBytes >= runBytes) ready.push(this.#take(key, run))
    else if (this.#waiting >= waiting) {
      const [first] = this.#runs
      ready.push(this.#take(...first))
    }
    return ready
  }

  /** All that wait. */
  takeAll(): StreamRun<B>[] {
    return [...this.#runs].map(([key, run]) => this.#take(key, run))
  }

  #take(key: string, run: StreamRun<B>): StreamRun<B> {
    this.#runs.delete(key)
    this.#waiting -= run.fileCount
    return run
  }
}

function isFar<B>({ startByte, endByte }: StreamRun<B>, start: number, end: number): boolean {
  return start > endByte + maxGapBytes || end < startByte - maxGapBytes
}
