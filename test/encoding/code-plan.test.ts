import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { planRows } from '../../src/encoding/code-plan.ts'

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

describe('code plan', () => {
  it('makes products of rows 4 and 8 alone, of 3 of 10', () => {
    const { products, sums } = planRows([0, 1, 2], range(3, 10))
    assert.deepEqual(products, [4, 8])
    assert.deepEqual(
      sums.map(({ row }) => row),
      [3, 5, 6, 7, 9],
    )
  })

  it('takes a sum’s rows from points, products and earlier sums', () => {
    for (const [points, targets] of [
      [[0], range(1, 255)],
      [[0, 1], range(2, 255)],
      [[0, 1, 2], range(3, 255)],
      [
        [7, 200, 31],
        [0, 1, 2],
      ],
    ]) {
      const { products, sums } = planRows(points, targets)
      const known = new Set([...points, ...products])
      for (const { row, of } of sums) {
        assert.ok(new Set(of).size === 3 && of.every((summand) => known.has(summand)))
        assert.equal(of[0] ^ of[1] ^ of[2], row)
        known.add(row)
      }
      assert.deepEqual(known, new Set([...points, ...targets]))
    }
  })

  it('makes no sums where a polynomial need not be affine', () => {
    assert.deepEqual(planRows([0, 1, 2, 3], range(4, 10)), { products: range(4, 10), sums: [] })
  })
})
