/**
 * Checked segments that were read not long ago, and those that are on their way: who reads many
 * short streams of one object, such as the nodes of a bundle, fetches it once.
 */
import { concat, toHex } from '../../base/bytes.ts'
import { orAbort } from '../../base/deadline.ts'
import { segmentBytes } from '../../encoding/descriptor.ts'
import type { DecodedSegments } from '../../encoding/encoder.ts'
import type { SegmentReader } from './file-download.ts'
import type { SegmentRange } from '../objects/blocks-request.ts'

/** Runs longer than the longest file of a bundle are extents: whoever reads one reads it once. */
const maxKeptRun = 10
/** The least that is fetched: the whole of most objects that hold one change. */
const minRun = 2
/** The most that is fetched for who reads on and on. */
const maxRun = 32

interface Kept {
  bytes: Uint8Array
  ciphertextBytes: number
}

/** A run that is being fetched, for as long as somebody waits for it. */
interface Flight {
  run: Promise<DecodedSegments>
  firstSegment: number
  waiters: number
  stop: AbortController
}

export class SegmentCache {
  readonly #fetch: SegmentReader
  readonly #maxBytes: number
  /** By object and number, the one used last at the end. */
  readonly #kept = new Map<string, Kept>()
  readonly #coming = new Map<string, Flight>()
  #bytes = 0

  /** @param maxBytes - of segments kept; what is on its way comes on top */
  constructor(fetch: SegmentReader, maxBytes: number) {
    this.#fetch = fetch
    this.#maxBytes = maxBytes
  }

  /** As the reader behind it. Nobody may write to what it gives. */
  readonly read: SegmentReader = async (range, options) => {
    if (range.segmentCount > maxKeptRun) return this.#fetch(range, options)
    const end = range.firstSegment + range.segmentCount
    const found: Uint8Array[] = []
    let ciphertextBytes = Infinity
    const take = ({ bytes, ciphertextBytes: total }: Kept): void => {
      found.push(bytes)
      ciphertextBytes = total
    }
    for (;;) {
      let next = range.firstSegment + found.length
      for (; next < end && next * segmentBytes < ciphertextBytes; next++) {
        const kept = this.#use(segmentName(range, next))
        if (kept === undefined) break
        take(kept)
      }
      if (next >= end || next * segmentBytes >= ciphertextBytes)
        return { ciphertext: joined(found), ciphertextBytes }
      const { firstSegment, segments } = await this.#wait(range, next, options.signal)
      if (segments.ciphertext.length === 0) return segments
      const count = Math.ceil(segments.ciphertext.length / segmentBytes)
      for (; next < Math.min(end, firstSegment + count); next++)
        take(segmentOf(segments, next - firstSegment))
      ciphertextBytes = segments.ciphertextBytes
    }
  }

  #use(name: string): Kept | undefined {
    const kept = this.#kept.get(name)
    if (kept === undefined) return undefined
    this.#kept.delete(name)
    this.#kept.set(name, kept)
    return kept
  }

  /** The run that holds segment `next`, fetched by whoever asks first. */
  async #wait(
    range: SegmentRange,
    next: number,
    signal: AbortSignal | undefined,
  ): Promise<{ firstSegment: number; segments: DecodedSegments }> {
    const flight = this.#coming.get(segmentName(range, next)) ?? this.#begin(range, next)
    flight.waiters++
    try {
      return { firstSegment: flight.firstSegment, segments: await orAbort(flight.run, signal) }
    } finally {
      flight.waiters--
      if (flight.waiters === 0) flight.stop.abort(signal?.reason)
    }
  }

  #begin(range: SegmentRange, firstSegment: number): Flight {
    const names: string[] = []
    const count = this.#runLength(range, firstSegment)
    for (let i = 0; i < count; i++) {
      const name = segmentName(range, firstSegment + i)
      if (this.#kept.has(name) || this.#coming.has(name)) break
      names.push(name)
    }
    const stop = new AbortController()
    const wanted = { object: range.object, firstSegment, segmentCount: names.length }
    const run = this.#fetch(wanted, { signal: stop.signal })
      .then((segments) => this.#keep(names, segments))
      .finally(() => {
        for (const name of names) this.#coming.delete(name)
      })
    run.catch(() => undefined)
    const flight = { run, firstSegment, waiters: 0, stop }
    for (const name of names) this.#coming.set(name, flight)
    stop.signal.addEventListener('abort', () => {
      for (const name of names) if (this.#coming.get(name) === flight) this.#coming.delete(name)
    })
    return flight
  }

  /** What is missing, and as much again as has been read in front of it. */
  #runLength(range: SegmentRange, firstSegment: number): number {
    let before = 0
    while (before < maxRun && this.#kept.has(segmentName(range, firstSegment - before - 1)))
      before++
    const missing = range.firstSegment + range.segmentCount - firstSegment
    return Math.max(missing, Math.min(maxRun, minRun + before))
  }

  #keep(names: readonly string[], segments: DecodedSegments): DecodedSegments {
    const count = Math.ceil(segments.ciphertext.length / segmentBytes)
    for (const [i, name] of names.slice(0, count).entries()) {
      if (this.#kept.has(name)) continue
      const { bytes, ciphertextBytes } = segmentOf(segments, i)
      // a copy: a view would keep its whole run in memory
      this.#kept.set(name, { bytes: bytes.slice(), ciphertextBytes })
      this.#bytes += bytes.length
    }
    for (const [name, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break
      this.#kept.delete(name)
      this.#bytes -= bytes.length
    }
    return segments
  }
}

function segmentName({ object: { root, k, n } }: SegmentRange, segment: number): string {
  return `${toHex(root)} ${k} ${n} ${segment}`
}

function segmentOf({ ciphertext, ciphertextBytes }: DecodedSegments, index: number): Kept {
  const bytes = ciphertext.subarray(index * segmentBytes, (index + 1) * segmentBytes)
  return { bytes, ciphertextBytes }
}

function joined(segments: readonly Uint8Array[]): Uint8Array {
  return segments.length === 1 ? segments[0] : concat(...segments)
}
