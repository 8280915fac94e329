/**
 * Arithmetic of GF(2^8), polynomial 0x11d, and the matrices of the erasure code
 * (docs/specs/encoding.md, "Code").
 */

/** exp[i] = 2^i, twice over so that a sum of two logarithms needs no reduction. */
const exp = new Uint8Array(510)
const log = new Uint8Array(256)

for (let i = 0, power = 1; i < 255; i++) {
  exp[i] = exp[i + 255] = power
  log[power] = i
  power = (power << 1) ^ (power & 0x80 ? 0x11d : 0)
}

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exp[log[a] + log[b]]
}

/**
 * The matrix that takes a polynomial's values at `points` to its values at `targets`, for every
 * polynomial of degree below points.length: Lagrange's
 *
 *     M[t][i] = Π (t - p_j) / ((t - p_i) · Π (p_i - p_j)),   products over j, the second without i
 *
 * where minus is xor. Row r of the code is the value at r of the polynomial whose values at 0 … k-1
 * are the data, so this one matrix serves to encode and to decode.
 *
 * @param points - distinct numbers of 0 … 255
 * @param targets - such numbers too, none of which is a point
 * @returns row by row, one of points.length coefficients for each target
 */
export function interpolation(points: readonly number[], targets: readonly number[]): Uint8Array {
  const weights = points.map((point) => logProduct(point, points))
  const matrix = new Uint8Array(targets.length * points.length)
  targets.forEach((target, row) => {
    const product = logProduct(target, points)
    points.forEach((point, column) => {
      const divisor = (log[target ^ point] + weights[column]) % 255
      matrix[row * points.length + column] = exp[product + 255 - divisor]
    })
  })
  return matrix
}

/** Logarithm of the product of `x - point` over all `points` but x itself. */
function logProduct(x: number, points: readonly number[]): number {
  let sum = 0
  for (const point of points) if (point !== x) sum += log[x ^ point]
  return sum % 255
}
