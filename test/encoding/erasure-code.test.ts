/** One suite for every implementation of the erasure code, and one that sets them side by side. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import type { CodeRow, ErasureCode } from '../../src/encoding/erasure-code.ts'
import { openErasureCode } from '../../src/encoding/open-code.ts'
import { PackageCode } from '../../src/encoding/package-code.ts'
import { SimdCode } from '../../src/encoding/simd-code.ts'

interface Vector {
  id: string
  op: 'rs-encode' | 'rs-decode'
  in: { n: number; data?: string[]; k?: number; rows?: [number, string][] }
  out?: { parity?: string[]; data?: string[] }
  error?: 'RangeError'
}

const file = path.resolve(import.meta.dirname, '../../../test/vectors/rs.json')
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] }

/** `count` rows that differ from call to call, the same in every run. */
let fill = 1
function rowsOf(count: number, rowBytes: number): Uint8Array[] {
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: rowBytes }, () => (fill = (fill * 48271) % 0x7fffffff) >>> 8),
  )
}

function emptyRows(count: number, rowBytes: number): Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array(rowBytes).fill(0xee))
}

function encode(code: ErasureCode, data: readonly Uint8Array[], n: number): CodeRow[] {
  const parity = emptyRows(Math.max(0, n - data.length), data[0]?.length ?? 0)
  code.encode(data, n, parity)
  return [...data, ...parity].map((bytes, rowNumber) => ({ rowNumber, bytes }))
}

function decode(code: ErasureCode, rows: readonly CodeRow[], k: number, n: number): Uint8Array[] {
  const data = emptyRows(k, rows[0].bytes.length)
  code.decode(rows, n, data)
  return data
}

function runVector(code: ErasureCode, { op, in: input }: Vector): string[] {
  if (op === 'rs-encode') {
    const data = (input.data ?? []).map(fromHex)
    return encode(code, data, input.n)
      .slice(data.length)
      .map(({ bytes }) => toHex(bytes))
  }
  const rows = (input.rows ?? []).map(([rowNumber, hex]) => ({ rowNumber, bytes: fromHex(hex) }))
  return decode(code, rows, input.k ?? 0, input.n).map(toHex)
}

/** Every subset of `size` of `rows`, in lexical order. */
function* subsets<T>(rows: readonly T[], size: number): Iterable<T[]> {
  if (size === 0) yield []
  else {
    for (const [i, row] of rows.entries()) {
      for (const rest of subsets(rows.slice(i + 1), size - 1)) yield [row, ...rest]
    }
  }
}

const implementations: Record<string, () => ErasureCode> = {
  SimdCode: () => new SimdCode(),
  PackageCode: () => new PackageCode(),
}

for (const [name, make] of Object.entries(implementations)) {
  describe(name, () => {
    const code = make()

    for (const vector of cases) {
      it(`vector: ${vector.id}`, () => {
        if (vector.error === undefined) {
          assert.deepEqual(runVector(code, vector), vector.out?.parity ?? vector.out?.data)
        } else assert.throws(() => runVector(code, vector), RangeError)
      })
    }

    it('decodes from all 120 subsets of 3 of 10 rows, on one instance', () => {
      const data = rowsOf(3, 17)
      const rows = encode(code, data, 10)
      let count = 0
      for (const chosen of subsets(rows, 3)) {
        assert.deepEqual(decode(code, chosen, 3, 10), data)
        assert.deepEqual(decode(code, chosen.toReversed(), 3, 10), data)
        count++
      }
      assert.equal(count, 120)
    })

    it('takes rows of any length, odd ones and ones longer than a stripe', () => {
      for (const rowBytes of [1, 15, 16, 17, 31, 32, 33, 43_691, 524_287]) {
        const data = rowsOf(3, rowBytes)
        const rows = encode(code, data, 5)
        assert.deepEqual(decode(code, [rows[4], rows[1], rows[3]], 3, 5), data, `${rowBytes} bytes`)
      }
    })

    it('leaves the bytes around its targets alone', () => {
      const around = new Uint8Array(100).fill(0xaa)
      code.encode(rowsOf(2, 17), 3, [around.subarray(40, 57)])
      assert.ok(around.every((byte, i) => (i >= 40 && i < 57) || byte === 0xaa))
      assert.notDeepEqual(around.subarray(40, 57), new Uint8Array(17).fill(0xaa))
    })

    it('does not write to its sources', () => {
      const data = rowsOf(3, 33)
      const before = data.map(toHex)
      const rows = encode(code, data, 6)
      decode(code, rows.slice(3), 3, 6)
      assert.deepEqual(data.map(toHex), before)
    })

    it('adds nothing when k is n', () => {
      const data = rowsOf(4, 20)
      const rows = encode(code, data, 4)
      assert.equal(rows.length, 4)
      assert.deepEqual(decode(code, [rows[2], rows[0], rows[3], rows[1]], 4, 4), data)
    })

    it('copies when k is 1', () => {
      const [row] = rowsOf(1, 100_001)
      for (const { bytes } of encode(code, [row], 3)) assert.deepEqual(bytes, row)
    })

    it('refuses targets of the wrong number or length', () => {
      const data = rowsOf(2, 16)
      const rows = encode(code, data, 4)
      assert.throws(() => code.encode(data, 4, emptyRows(1, 16)), RangeError)
      assert.throws(() => code.encode(data, 4, emptyRows(3, 16)), RangeError)
      assert.throws(() => code.encode(data, 4, emptyRows(2, 15)), RangeError)
      assert.throws(() => code.decode(rows.slice(2), 4, emptyRows(2, 17)), RangeError)
      assert.throws(() => code.decode(rows.slice(2), 4, emptyRows(3, 16)), RangeError)
      assert.throws(() => code.encode(data, NaN, emptyRows(2, 16)), RangeError)
      assert.throws(
        () => code.decode([rows[0], { ...rows[1], rowNumber: NaN }], 4, data),
        RangeError,
      )
    })

    it('works on after a refusal', () => {
      const data = rowsOf(3, 40)
      const rows = encode(code, data, 10)
      assert.throws(() => decode(code, [rows[0], rows[0], rows[1]], 3, 10), RangeError)
      assert.deepEqual(decode(code, rows.slice(7), 3, 10), data)
    })
  })
}

describe('erasure codes side by side', () => {
  const simd = new SimdCode()
  const other = new PackageCode()

  it('agree on every k < n ≤ 12, and each decodes the other’s parity', () => {
    for (let n = 2; n <= 12; n++) {
      for (let k = 1; k < n; k++) {
        const data = rowsOf(k, 18)
        const rows = encode(simd, data, n)
        assert.deepEqual(encode(other, data, n), rows, `${k} of ${n}`)
        assert.deepEqual(decode(simd, rows.slice(-k), k, n), data)
        assert.deepEqual(decode(other, rows.slice(-k), k, n), data)
      }
    }
  })

  it('agree on any k, n, length and choice of rows', () => {
    const shape = fc
      .integer({ min: 2, max: 255 })
      .chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n - 1 })))
      .chain(([n, k]) => {
        const numbers = fc.shuffledSubarray([...Array(n).keys()], { minLength: k, maxLength: k })
        return fc.tuple(fc.constant(n), numbers, fc.integer({ min: 1, max: 70 }))
      })
    fc.assert(
      fc.property(shape, ([n, chosen, rowBytes]) => {
        const k = chosen.length
        const data = rowsOf(k, rowBytes)
        const rows = encode(simd, data, n)
        assert.deepEqual(encode(other, data, n), rows)
        const kept = chosen.map((rowNumber) => rows[rowNumber])
        assert.deepEqual(decode(simd, kept, k, n), data)
        assert.deepEqual(decode(other, kept, k, n), data)
      }),
      { numRuns: process.env.SLOW === '1' ? 1000 : 15 },
    )
  })

  it('agree where rows are sums of others', () => {
    for (const k of [1, 2, 3]) {
      const data = rowsOf(k, 33)
      const rows = encode(simd, data, 255)
      assert.deepEqual(encode(other, data, 255), rows)
      for (let first = 0; first < 250; first += 7) {
        assert.deepEqual(decode(simd, rows.slice(first, first + k), k, 255), data)
      }
    }
  })

  it('agree in stripes, where rows are many and long', () => {
    const data = rowsOf(100, 5000)
    const rows = encode(simd, data, 255)
    assert.deepEqual(encode(other, data, 255), rows)
    assert.deepEqual(decode(simd, rows.slice(155), 100, 255), data)
  })

  it('can be opened by name, SIMD first', () => {
    assert.ok(openErasureCode() instanceof SimdCode)
    assert.ok(openErasureCode({ engine: 'simd' }) instanceof SimdCode)
    assert.ok(openErasureCode({ engine: 'package' }) instanceof PackageCode)
  })

  it('count two negative vectors in five', () => {
    assert.ok(cases.filter(({ error }) => error !== undefined).length >= cases.length * 0.4)
  })
})

describe('PackageCode', () => {
  it('reconstructs a thousand times on one instance, with encoding in between', () => {
    const code = new PackageCode()
    const data = rowsOf(3, 64)
    const rows = encode(code, data, 10)
    for (let i = 0; i < 1000; i++) {
      const chosen = [rows[i % 10], rows[(i + 1) % 10], rows[(i + 4) % 10]]
      assert.deepEqual(decode(code, chosen, 3, 10), data)
      if (i % 100 === 0) assert.deepEqual(encode(code, data, 10), rows)
    }
  })
})
