/**
 * The inner loops of the erasure code, 32 columns of bytes at a time: targets = matrix × sources
 * over GF(2^8), and plain sums (docs/specs/encoding.md, "Code"). Compiled by scripts/kernel.js.
 *
 * A product by a constant m is two look-ups in 16-byte tables, since multiplication is linear over
 * xor: m·x = low[x & 15] ^ high[x >> 4]. One i8x16.swizzle does sixteen look-ups.
 *
 * Nothing here allocates or keeps state: all of memory belongs to the caller, who has checked that
 * every address lies within it (one outside would trap).
 */

/**
 * Fills `rows` targets from `inputs` sources.
 *
 * @param tables - for each group of four target rows (the last may be smaller), for each source,
 *   for each row of the group: the low table, then the high one, 16 bytes each
 * @param sources - `inputs` rows, `stride` bytes apart
 * @param targets - `rows` rows likewise
 * @param stride - bytes from one row to the next
 * @param columns - bytes of a row, a multiple of 32, at most `stride`
 */
export function multiply(
  tables: usize,
  sources: usize,
  targets: usize,
  inputs: i32,
  rows: i32,
  stride: usize,
  columns: usize,
): void {
  while (rows >= 4) {
    group(4, tables, sources, targets, inputs, stride, columns)
    tables += inputs * 128
    targets += stride * 4
    rows -= 4
  }
  if (rows == 3) group(3, tables, sources, targets, inputs, stride, columns)
  else if (rows == 2) group(2, tables, sources, targets, inputs, stride, columns)
  else if (rows == 1) group(1, tables, sources, targets, inputs, stride, columns)
}

/** Fills the row at `target` with the xor of three rows; `columns` as above. */
export function sum(target: usize, a: usize, b: usize, c: usize, columns: usize): void {
  for (const end = a + columns; a < end; a += 32) {
    const x = v128.xor(v128.load(a), v128.xor(v128.load(b), v128.load(c)))
    const y = v128.xor(v128.load(a, 16), v128.xor(v128.load(b, 16), v128.load(c, 16)))
    store(target, x, y)
    target += 32
    b += 32
    c += 32
  }
}

/** One group: `rows` is a constant of each call, so the compiler keeps only what it needs. */
@inline
function group(
  rows: i32,
  tables: usize,
  sources: usize,
  targets: usize,
  inputs: i32,
  stride: usize,
  columns: usize,
): void {
  const nibble = i8x16.splat(15)
  for (let at: usize = 0; at < columns; at += 32) {
    let a0 = i64x2.splat(0)
    let b0 = a0
    let a1 = a0
    let b1 = a0
    let a2 = a0
    let b2 = a0
    let a3 = a0
    let b3 = a0
    let table = tables
    let source = sources + at
    for (let input = 0; input < inputs; input++) {
      const x = v128.load(source)
      const y = v128.load(source, 16)
      const xLow = v128.and(x, nibble)
      const yLow = v128.and(y, nibble)
      const xHigh = v128.and(i16x8.shr_u(x, 4), nibble)
      const yHigh = v128.and(i16x8.shr_u(y, 4), nibble)
      a0 = v128.xor(a0, product(table, xLow, xHigh))
      b0 = v128.xor(b0, product(table, yLow, yHigh))
      if (rows > 1) {
        a1 = v128.xor(a1, product(table + 32, xLow, xHigh))
        b1 = v128.xor(b1, product(table + 32, yLow, yHigh))
      }
      if (rows > 2) {
        a2 = v128.xor(a2, product(table + 64, xLow, xHigh))
        b2 = v128.xor(b2, product(table + 64, yLow, yHigh))
      }
      if (rows > 3) {
        a3 = v128.xor(a3, product(table + 96, xLow, xHigh))
        b3 = v128.xor(b3, product(table + 96, yLow, yHigh))
      }
      table += rows << 5
      source += stride
    }
    let target = targets + at
    store(target, a0, b0)
    if (rows > 1) store((target += stride), a1, b1)
    if (rows > 2) store((target += stride), a2, b2)
    if (rows > 3) store((target += stride), a3, b3)
  }
}

@inline
function product(table: usize, low: v128, high: v128): v128 {
  return v128.xor(
    i8x16.swizzle(v128.load(table), low),
    i8x16.swizzle(v128.load(table, 16), high),
  )
}

@inline
function store(target: usize, a: v128, b: v128): void {
  v128.store(target, a)
  v128.store(target, b, 16)
}
