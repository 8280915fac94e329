import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { interpolation, multiply } from '../../src/encoding/galois.ts'
import { codeMatrix } from './plain-code.ts'

function shiftAndReduce(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit
  for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11d << (bit - 8)
  return product
}

describe('galois', () => {
  it('multiplies as polynomials modulo 0x11d', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) assert.equal(multiply(a, b), shiftAndReduce(a, b))
    }
  })

  it('interpolates to V·(V[0..k))^-1', () => {
    for (const [k, n] of [
      [1, 2],
      [2, 3],
      [3, 10],
      [10, 30],
      [40, 60],
    ]) {
      const numbers = [...Array(n).keys()]
      const matrix = interpolation(numbers.slice(0, k), numbers.slice(k))
      assert.deepEqual([...matrix], codeMatrix(k, n).slice(k).flat(), `${k} of ${n}`)
    }
  })
})
