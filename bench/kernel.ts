/** The erasure codes on one core: MB/s of plaintext, a segment of 128 KiB at a time. */
import type { ErasureCode } from '../src/encoding/erasure-code.ts'
import { PackageCode } from '../src/encoding/package-code.ts'
import { SimdCode } from '../src/encoding/simd-code.ts'
import { bestRate, type Figure } from './figure.ts'

const segmentBytes = 128 * 1024

export async function benchKernel(): Promise<Figure[]> {
  const simd = new SimdCode()
  const figures: Figure[] = []
  for (const [name, code] of Object.entries({ SIMD: simd, package: new PackageCode() })) {
    figures.push(encode(code, name, 3, 10), decode(code, name, 3, 10))
  }
  figures[0].reach = '≥ 1500 MB/s'
  for (const [k, n] of [
    [2, 4],
    [8, 10],
    [10, 30],
  ]) {
    figures.push(encode(simd, 'SIMD', k, n), decode(simd, 'SIMD', k, n))
  }
  return figures
}

function encode(code: ErasureCode, name: string, k: number, n: number): Figure {
  const { data, parity } = segment(k, n)
  const value = bestRate(segmentBytes, () => code.encode(data, n, parity))
  return { name: `encode ${k} of ${n}, ${name}`, value, unit: 'MB/s', limit: copying(k, n) }
}

/** The worst case: as many data rows lost as can be. */
function decode(code: ErasureCode, name: string, k: number, n: number): Figure {
  const { data, parity } = segment(k, n)
  code.encode(data, n, parity)
  const rows = [...data, ...parity].map((bytes, rowNumber) => ({ rowNumber, bytes })).slice(-k)
  const target = data.map((row) => new Uint8Array(row.length))
  const value = bestRate(segmentBytes, () => code.decode(rows, n, target))
  const lost = Math.min(k, n - k)
  return {
    name: `decode ${k} of ${n} with ${lost} rows lost, ${name}`,
    value,
    unit: 'MB/s',
    limit: copying(k, k + lost),
  }
}

function segment(k: number, n: number): { data: Uint8Array[]; parity: Uint8Array[] } {
  const rowBytes = Math.ceil(segmentBytes / k)
  const rows = Array.from({ length: n }, (_, r) =>
    Uint8Array.from({ length: rowBytes }, (_, i) => (i * 167 + r * 59 + (i >> 8)) & 255),
  )
  return { data: rows.slice(0, k), parity: rows.slice(k) }
}

/** Moving all n rows once: in for the k, out for the rest. */
function copying(k: number, n: number): { name: string; value: number } {
  const { data, parity } = segment(k, n)
  const from = new Uint8Array(data[0].length).fill(1)
  const value = bestRate(segmentBytes, () => {
    for (const row of data) row.set(from)
    for (const row of parity) row.set(from)
  })
  return { name: `copying ${n} rows`, value }
}
