import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'mocha'
import { hmac } from '../../src/base/hash.ts'

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff)
}

describe('hmac', () => {
  it('is the same whichever way it is made', () => {
    const message = bytes(40_000)
    for (const keyBytes of [0, 1, 32, 63, 64, 65, 100]) {
      const key = bytes(keyBytes)
      for (const length of [0, 1, 63, 64, 65, 16_383, 16_384, 16_385, 40_000]) {
        const expected = createHmac('sha256', key).update(message.subarray(0, length)).digest()
        const half = length >> 1
        const parts = [message.subarray(0, half), message.subarray(half, length)]
        assert.deepEqual(hmac(key, ...parts), new Uint8Array(expected))
      }
    }
  })
})
