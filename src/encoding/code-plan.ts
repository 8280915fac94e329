/**
 * How the rows of a code are made from others with the least work (docs/specs/encoding.md, "Code").
 *
 * Row r is the value at r of a polynomial of degree below k. Squaring is linear over xor, so up to
 * degree 2 a polynomial is affine: p(a ⊕ b ⊕ c) = p(a) ⊕ p(b) ⊕ p(c). With k ≤ 3, then, most rows are
 * plain sums of three known ones; of 3-of-10 only rows 4 and 8 take products in the field.
 */

export interface CodePlan {
  /** Rows to make from all the points, by interpolation. */
  products: number[]
  /** Rows to make after that, in this order, each the xor of three others. */
  sums: RowSum[]
}

export interface RowSum {
  row: number
  of: [number, number, number]
}

/** @param points - k row numbers. `targets` are other rows; all are distinct. */
export function planRows(points: readonly number[], targets: readonly number[]): CodePlan {
  if (points.length > 3) return { products: [...targets], sums: [] }
  const plan: CodePlan = { products: [], sums: [] }
  const [first] = points
  const known = new Set(points)
  for (const row of targets) {
    const second = [...known].find((other) => known.has(row ^ first ^ other))
    if (second === undefined) plan.products.push(row)
    else plan.sums.push({ row, of: [first, second, row ^ first ^ second] })
    known.add(row)
  }
  return plan
}
