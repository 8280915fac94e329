/** The erasure code written as plainly as it can be: slow, and the oracle of the fast ones. */
import type { CodeRow, ErasureCode } from '../../src/encoding/erasure-code.ts'

const exp = new Uint8Array(510)
const log = new Uint8Array(256)
for (let i = 0, x = 1; i < 255; i++) {
  exp[i] = exp[i + 255] = x
  log[x] = i
  x = (x << 1) ^ (x & 0x80 ? 0x11d : 0)
}

type Matrix = number[][]

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exp[log[a] + log[b]]
}

function power(base: number, exponent: number): number {
  let out = 1
  for (let i = 0; i < exponent; i++) out = multiply(out, base)
  return out
}

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    b[0].map((_, c) => row.reduce((sum, value, i) => sum ^ multiply(value, b[i][c]), 0)),
  )
}

function inverse(matrix: Matrix): Matrix {
  const size = matrix.length
  const work = matrix.map((row, r) => [...row, ...row.map((_, c) => (c === r ? 1 : 0))])
  for (let c = 0; c < size; c++) {
    const pivot = work.findIndex((row, r) => r >= c && row[c] !== 0)
    ;[work[c], work[pivot]] = [work[pivot], work[c]]
    const scale = exp[255 - log[work[c][c]]]
    work[c] = work[c].map((value) => multiply(value, scale))
    for (let r = 0; r < size; r++) {
      if (r === c) continue
      const factor = work[r][c]
      work[r] = work[r].map((value, i) => value ^ multiply(factor, work[c][i]))
    }
  }
  return work.map((row) => row.slice(size))
}

export function codeMatrix(k: number, n: number): Matrix {
  const vandermonde = Array.from({ length: n }, (_, r) =>
    Array.from({ length: k }, (_, c) => power(r, c)),
  )
  return product(vandermonde, inverse(vandermonde.slice(0, k)))
}

function apply(rows: Matrix, inputs: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
  for (const [r, output] of outputs.entries()) {
    for (let i = 0; i < output.length; i++) {
      output[i] = inputs.reduce((sum, input, c) => sum ^ multiply(rows[r][c], input[i]), 0)
    }
  }
}

export class PlainCode implements ErasureCode {
  encode(data: readonly Uint8Array[], n: number, parity: readonly Uint8Array[]): void {
    apply(codeMatrix(data.length, n).slice(data.length), data, parity)
  }

  decode(rows: readonly CodeRow[], n: number, data: readonly Uint8Array[]): void {
    const matrix = codeMatrix(data.length, n)
    const back = inverse(rows.map(({ rowNumber }) => matrix[rowNumber]))
    apply(
      back,
      rows.map(({ bytes }) => bytes),
      data,
    )
  }
}
