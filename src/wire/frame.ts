/**
 * Frames: how messages and raw bytes are laid over a Channel (docs/specs/wire.md, "Frames").
 *
 *     u32 length ‖ u16 headBytes ‖ head ‖ body
 *
 * `length` counts everything behind itself. A frame is refused from its first six bytes when any
 * of its parts is too long, so that a hostile length costs nothing.
 */
import { readU16be, readU32be } from '../base/bytes.ts'
import { GridError } from '../base/errors.ts'

/** A head is one CBOR value within `wireLimits`; its length is a u16. */
export const maxHeadBytes = 65_535
export const maxFrameBodyBytes: number = 256 * 1024

const lengthBytes = 4
const leadBytes = 6

/** What comes before a frame's body. `bodyBytes` of the body must follow, as pieces of any size. */
export function frameStart(head: Uint8Array, bodyBytes = 0): Uint8Array {
  if (head.length === 0 || head.length > maxHeadBytes) {
    throw new RangeError(`frame: a head of ${head.length} bytes`)
  }
  if (bodyBytes > maxFrameBodyBytes) throw new RangeError(`frame: a body of ${bodyBytes} bytes`)
  const out = new Uint8Array(leadBytes + head.length)
  const view = new DataView(out.buffer)
  view.setUint32(0, leadBytes - lengthBytes + head.length + bodyBytes)
  view.setUint16(lengthBytes, head.length)
  out.set(head, leadBytes)
  return out
}

/** Takes frames apart. Both methods may throw, which ends the decoding. */
export interface FrameSink {
  /** A frame begins; `bodyBytes` (0 … 256 KiB) of body will follow. `head` is borrowed for the call. */
  head(head: Uint8Array, bodyBytes: number): void
  /** The next bytes of the body, never empty: a view of what was pushed, not a copy. */
  body(piece: Uint8Array): void
}

/** Decodes frames from pieces cut anywhere. Bodies are handed on as they arrive and never copied. */
export class FrameDecoder {
  readonly #sink: FrameSink
  /** The start of a lead or head that is not complete yet, in a buffer that will hold all of it. */
  #partial: Uint8Array = new Uint8Array(0)
  #partialBytes = 0
  /** The frame whose head is awaited. */
  #announced: { headBytes: number; bodyBytes: number } | undefined
  #bodyLeft = 0

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Takes the next bytes. Throws E_TOO_LARGE or E_PROTOCOL for a lead that no frame has. */
  push(piece: Uint8Array): void {
    let rest = piece
    while (rest.length > 0) rest = this.#bodyLeft > 0 ? this.#body(rest) : this.#start(rest)
  }

  /** Throws E_PROTOCOL when the bytes ended inside a frame. */
  end(): void {
    if (this.#bodyLeft > 0 || this.#partialBytes > 0 || this.#announced !== undefined) {
      throw new GridError('E_PROTOCOL', 'the channel ended inside a frame')
    }
  }

  #body(rest: Uint8Array): Uint8Array {
    const piece = rest.subarray(0, this.#bodyLeft)
    this.#bodyLeft -= piece.length
    this.#sink.body(piece)
    return rest.subarray(piece.length)
  }

  #start(rest: Uint8Array): Uint8Array {
    const wanted = this.#announced?.headBytes ?? leadBytes
    const taken = rest.subarray(0, wanted - this.#partialBytes)
    if (taken.length === wanted) this.#complete(taken)
    else {
      if (this.#partialBytes === 0) this.#partial = new Uint8Array(wanted)
      this.#partial.set(taken, this.#partialBytes)
      this.#partialBytes += taken.length
      if (this.#partialBytes === wanted) {
        this.#partialBytes = 0
        this.#complete(this.#partial)
      }
    }
    return rest.subarray(taken.length)
  }

  #complete(start: Uint8Array): void {
    if (this.#announced === undefined) {
      this.#announced = parseLead(start)
      return
    }
    const { bodyBytes } = this.#announced
    this.#announced = undefined
    this.#bodyLeft = bodyBytes
    this.#sink.head(start, bodyBytes)
  }
}

function parseLead(lead: Uint8Array): { headBytes: number; bodyBytes: number } {
  const headBytes = readU16be(lead, lengthBytes)
  const bodyBytes = readU32be(lead, 0) - (leadBytes - lengthBytes) - headBytes
  if (headBytes === 0 || bodyBytes < 0) {
    throw new GridError('E_PROTOCOL', 'a frame that is shorter than its head')
  }
  if (bodyBytes > maxFrameBodyBytes) {
    throw new GridError('E_TOO_LARGE', `a frame with a body of ${bodyBytes} bytes`)
  }
  return { headBytes, bodyBytes }
}
