/**
 * What a stranger may do with the frames of yamux (docs/specs/storage-protocol.md, "Limits of
 * connections"). The library gathers a data frame whole, however long it says it is, before it looks
 * at the window; and it answers every ping and every new stream, though nobody read the answers. So
 * the guard reads the heads of frames first, and ends the connection at one that no honest side sends.
 */
import type { MessageStream, StreamMessageEvent, StreamMuxer } from '@libp2p/interface'
import { readU16be, readU32be } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { TokenBucket } from '../../base/token-bucket.ts'
import type { NetLimits } from './net-limits.ts'

type GuardLimits = Pick<NetLimits, 'streamWindowBytes' | 'newStreamsPerSecond' | 'maxUnreadFrames'>

const headBytes = 12
const dataType = 0
const pingType = 2
const synFlag = 1

export class YamuxGuard {
  readonly #limits: GuardLimits
  readonly #openings: TokenBucket
  readonly #head: Uint8Array = new Uint8Array(headBytes)
  #headLength = 0
  #bodyLeft = 0
  #unreadFrames = 0

  constructor(clock: Clock, limits: GuardLimits) {
    this.#limits = limits
    const { newStreamsPerSecond: rate } = limits
    this.#openings = new TokenBucket({ clock, tokensPerSecond: rate, burst: rate })
  }

  /**
   * Looks at the next bytes that the other side sent. `isRead` says whether it reads what is sent to
   * it. Throws E_PROTOCOL or E_RATE at the first frame that goes too far.
   */
  push(piece: Uint8Array, isRead: boolean): void {
    if (isRead) this.#unreadFrames = 0
    let rest = piece
    while (rest.length > 0) {
      const skipped = Math.min(this.#bodyLeft, rest.length)
      this.#bodyLeft -= skipped
      const taken = rest.subarray(skipped, skipped + headBytes - this.#headLength)
      this.#head.set(taken, this.#headLength)
      this.#headLength += taken.length
      rest = rest.subarray(skipped + taken.length)
      if (this.#headLength === headBytes) this.#frame()
    }
  }

  #frame(): void {
    this.#headLength = 0
    const type = this.#head[1]
    const length = readU32be(this.#head, 8)
    if (type === dataType) {
      if (length > this.#limits.streamWindowBytes) {
        throw new GridError('E_PROTOCOL', `a frame of ${length} bytes, beyond any window`)
      }
      this.#bodyLeft = length
    }
    if (++this.#unreadFrames > this.#limits.maxUnreadFrames) {
      throw new GridError('E_RATE', 'frame upon frame from a side that reads nothing')
    }
    const opens = (readU16be(this.#head, 2) & synFlag) !== 0
    if ((opens || type === pingType) && !this.#openings.tryTake(1)) {
      throw new GridError('E_RATE', 'too many new streams or pings')
    }
  }
}

/** Sets `guard` before a yamux muxer, which ends its connection when reading throws. */
export function guardMuxer(
  muxer: StreamMuxer,
  connection: MessageStream,
  guard: YamuxGuard,
): StreamMuxer {
  const reader = muxer as StreamMuxer & { onData?: (data: StreamMessageEvent['data']) => void }
  const onData = reader.onData?.bind(muxer)
  if (onData === undefined) throw new TypeError('yamux: no reader to guard')
  reader.onData = (data) => {
    const isRead = !connection.writableNeedsDrain
    for (const piece of data instanceof Uint8Array ? [data] : data) guard.push(piece, isRead)
    onData(data)
  }
  return muxer
}
