/**
 * The erasure code on the project's own WebAssembly kernel (assembly/reed-solomon.ts), which uses
 * 128-bit SIMD.
 *
 * The instance's memory has a fixed size and layout, all of it set out here: tables of the current
 * matrix first, then room for rows. Rows longer than their room pass through in stripes.
 */
import { checkDecode, checkEncode } from './code-arguments.ts'
import type { CodeRow, ErasureCode } from './erasure-code.ts'
import { interpolation, multiply } from './galois.ts'
import { reedSolomonWasm } from './reed-solomon.wasm.ts'
import { canRun, compile, instantiate, type WasmMemory, type WasmModule } from './webassembly.ts'

interface Kernel {
  memory: WasmMemory
  multiply(
    tables: number,
    sources: number,
    targets: number,
    inputs: number,
    rows: number,
    stride: number,
    columns: number,
  ): void
}

/** Two tables of 16 bytes to a coefficient. */
const tableBytes = 32

/** Rows of the matrix that the kernel takes together. */
const groupRows = 4

/** The kernel's step, in bytes of a row. */
const stepBytes = 32

/** No matrix is larger than k = 127 by n - k = 128. */
const tablesBytes = 512 * 1024

/** All rows of a stripe: small enough for a core's second-level cache. */
const stripesBytes = 512 * 1024

/** Tables of coefficient m at m·32: m·0 … m·15, then m·0x00, m·0x10 … m·0xf0. */
const tables: Uint8Array = makeTables()

let module: WasmModule | undefined

export class SimdCode implements ErasureCode {
  readonly #kernel: Kernel
  readonly #memory: Uint8Array
  /** Which matrix the tables in memory are of. */
  #matrix = ''

  /** False on an engine or a processor without 128-bit SIMD, where the constructor throws. */
  static isSupported(): boolean {
    return canRun(reedSolomonWasm)
  }

  constructor() {
    module ??= compile(reedSolomonWasm)
    this.#kernel = instantiate<Kernel>(module)
    this.#memory = new Uint8Array(this.#kernel.memory.buffer)
  }

  encode(data: readonly Uint8Array[], n: number, parity: readonly Uint8Array[]): void {
    const { k } = checkEncode(data, n, parity)
    if (k === n) return
    this.#transform(data, range(0, k), parity, range(k, n))
  }

  decode(rows: readonly CodeRow[], n: number, data: readonly Uint8Array[]): void {
    checkDecode(rows, n, data)
    const missing = new Set(data.keys())
    for (const { rowNumber, bytes } of rows) {
      if (missing.delete(rowNumber)) data[rowNumber].set(bytes)
    }
    if (missing.size === 0) return
    const lost = [...missing]
    this.#transform(
      rows.map((row) => row.bytes),
      rows.map((row) => row.rowNumber),
      lost.map((rowNumber) => data[rowNumber]),
      lost,
    )
  }

  /** Fills `targets`, the rows numbered `targetNumbers`, from `sources`, as many rows as k. */
  #transform(
    sources: readonly Uint8Array[],
    sourceNumbers: readonly number[],
    targets: readonly Uint8Array[],
    targetNumbers: readonly number[],
  ): void {
    this.#loadMatrix(sourceNumbers, targetNumbers)
    const rowBytes = sources[0].length
    const stride = strideFor(sources.length + targets.length)
    const sourcesAt = tablesBytes
    const targetsAt = sourcesAt + sources.length * stride
    for (let from = 0; from < rowBytes; from += stride) {
      const stripe = Math.min(stride, rowBytes - from)
      sources.forEach((row, i) => {
        this.#memory.set(row.subarray(from, from + stripe), sourcesAt + i * stride)
      })
      const columns = Math.ceil(stripe / stepBytes) * stepBytes
      this.#kernel.multiply(
        0,
        sourcesAt,
        targetsAt,
        sources.length,
        targets.length,
        stride,
        columns,
      )
      targets.forEach((row, i) => {
        const at = targetsAt + i * stride
        row.set(this.#memory.subarray(at, at + stripe), from)
      })
    }
  }

  /** Puts the tables of a matrix into memory, in the order in which the kernel reads them. */
  #loadMatrix(points: readonly number[], targets: readonly number[]): void {
    const name = `${points.join()}:${targets.join()}`
    if (name === this.#matrix) return
    const matrix = interpolation(points, targets)
    const k = points.length
    let at = 0
    for (let first = 0; first < targets.length; first += groupRows) {
      const last = Math.min(first + groupRows, targets.length)
      for (let column = 0; column < k; column++) {
        for (let row = first; row < last; row++, at += tableBytes) {
          const table = matrix[row * k + column] * tableBytes
          this.#memory.set(tables.subarray(table, table + tableBytes), at)
        }
      }
    }
    this.#matrix = name
  }
}

/**
 * Bytes from a row in memory to the next: an odd multiple of the step, so that rows do not all
 * fall on the same lines of a cache.
 */
function strideFor(rows: number): number {
  return Math.floor(stripesBytes / rows / (2 * stepBytes)) * 2 * stepBytes - stepBytes
}

function makeTables(): Uint8Array {
  const out = new Uint8Array(256 * tableBytes)
  for (let coefficient = 0; coefficient < 256; coefficient++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      const at = coefficient * tableBytes + nibble
      out[at] = multiply(coefficient, nibble)
      out[at + 16] = multiply(coefficient, nibble << 4)
    }
  }
  return out
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
