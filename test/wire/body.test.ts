import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { bodyWindowBytes, IncomingBody } from '../../src/wire/body.ts'

describe('incoming body', () => {
  it('holds what drips in byte by byte as few pieces, in order', async () => {
    let granted = 0
    const body = new IncomingBody(bodyWindowBytes, (bytes) => (granted += bytes))
    for (let i = 0; i < bodyWindowBytes; i++) body.push(Uint8Array.of(i))
    let [pieces, bytes] = [0, 0]
    for await (const piece of body) {
      for (const byte of piece) if (byte !== (bytes++ & 255)) assert.fail(`at ${bytes}`)
      if (++pieces > 1000) assert.fail('as many objects as bytes')
    }
    assert.equal(bytes, bodyWindowBytes)
    assert.ok(granted > bodyWindowBytes / 2 && granted <= bodyWindowBytes, `${granted}`)
  })
})
