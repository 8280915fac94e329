import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import { describe, it } from 'mocha'
import { StreamChannel } from '../../../src/node/net/stream-channel.ts'

/** What a channel needs of a stream that is read from. */
class FakeStream extends EventTarget {
  readonly status = 'open'
  readonly readableEnded = false
  readStatus = 'readable'

  pause(): void {
    this.readStatus = 'paused'
  }

  resume(): void {
    this.readStatus = 'readable'
  }

  /** A frame from the other side. */
  come(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  end(): void {
    this.dispatchEvent(new Event('end'))
  }
}

describe('channel over a stream', () => {
  it('holds bytes that come one by one as few pieces, and pauses the stream', async () => {
    const stream = new FakeStream()
    const options = { remoteId: 'x', remoteAddress: '' }
    const channel = new StreamChannel(stream as unknown as Stream, options)
    let sent = 0
    while (stream.readStatus === 'readable') stream.come(Uint8Array.of(sent++))
    assert.equal(sent, 512 * 1024 + 1)
    stream.end()
    let [pieces, bytes] = [0, 0]
    for await (const piece of channel.source) {
      for (const byte of piece) if (byte !== (bytes++ & 255)) assert.fail(`at ${bytes}`)
      if (++pieces > 1000) assert.fail('as many objects as bytes')
    }
    assert.equal(bytes, sent)
    assert.equal(stream.readStatus, 'readable')
  })
})
