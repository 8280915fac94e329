/**
 * The erasure code on the project's own WebAssembly kernel (assembly/reed-solomon.ts), which uses
 * 128-bit SIMD.
 *
 * The instance's memory has a fixed size and layout, all of it set out here: tables of the current
 * matrix first, then room for rows. Rows longer than their room pass through in stripes.
 */
import { checkDecode, checkEncode, maxRows } from './code-arguments.ts'
import { type CodePlan, planRows } from './code-plan.ts'
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
  sum(target: number, a: number, b: number, c: number, columns: number): void
}

/** What is set up in memory for one choice of sources and targets. */
interface Layout {
  name: string
  plan: CodePlan
  /** Bytes from a row to the next. */
  stride: number
  /** Where each row begins, by its number: sources, then products, then sums, end to end. */
  addresses: Int32Array
}

/** Two tables of 16 bytes to a coefficient. */
const tableBytes = 32

/** Rows of the matrix that the kernel takes together. */
const groupRows = 4

/** The kernel's step, in bytes of a row. */
const stepBytes = 32

/** No matrix is larger than k = 127 by n - k = 128. */
const tablesBytes = 512 * 1024

/** All rows of a stripe, behind the tables: small enough for a core's second-level cache. */
const stripesBytes = 512 * 1024

/** Tables of coefficient m at m·32: m·0 … m·15, then m·0x00, m·0x10 … m·0xf0. */
const tables: Uint8Array = makeTables()

let module: WasmModule | undefined

export class SimdCode implements ErasureCode {
  readonly #kernel: Kernel
  readonly #memory: Uint8Array
  #layout: Layout | undefined

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
    if (k < n) this.#transform(numbered(data, 0), numbered(parity, k))
  }

  decode(rows: readonly CodeRow[], n: number, data: readonly Uint8Array[]): void {
    const { k } = checkDecode(rows, n, data)
    const present = new Set(rows.map((row) => row.rowNumber))
    for (const { rowNumber, bytes } of rows) if (rowNumber < k) data[rowNumber].set(bytes)
    const lost = numbered(data, 0).filter(({ rowNumber }) => !present.has(rowNumber))
    if (lost.length > 0) this.#transform(rows, lost)
  }

  /** Fills `targets` from k `sources`, stripe by stripe. */
  #transform(sources: readonly CodeRow[], targets: readonly CodeRow[]): void {
    const layout = this.#layOut(sources.map(numberOf), targets.map(numberOf))
    const { stride, addresses } = layout
    const rowBytes = sources[0].bytes.length
    for (let from = 0; from < rowBytes; from += stride) {
      const stripe = Math.min(stride, rowBytes - from)
      for (const { rowNumber, bytes } of sources) {
        this.#memory.set(bytes.subarray(from, from + stripe), addresses[rowNumber])
      }
      this.#compute(layout, sources.length, Math.ceil(stripe / stepBytes) * stepBytes)
      for (const { rowNumber, bytes } of targets) {
        const at = addresses[rowNumber]
        bytes.set(this.#memory.subarray(at, at + stripe), from)
      }
    }
  }

  #compute({ plan, stride, addresses }: Layout, k: number, columns: number): void {
    const sources = tablesBytes
    const products = sources + k * stride
    this.#kernel.multiply(0, sources, products, k, plan.products.length, stride, columns)
    for (const { row, of } of plan.sums) {
      const [a, b, c] = of.map((summand) => addresses[summand])
      this.#kernel.sum(addresses[row], a, b, c, columns)
    }
  }

  /** Lays rows out in memory, and the tables of the matrix; the last layout is kept. */
  #layOut(points: readonly number[], targets: readonly number[]): Layout {
    const name = `${points.join()}:${targets.join()}`
    if (this.#layout?.name === name) return this.#layout
    const plan = planRows(points, targets)
    const stride = strideFor(points.length + targets.length)
    const addresses = new Int32Array(maxRows)
    const order = [...points, ...plan.products, ...plan.sums.map(({ row }) => row)]
    order.forEach((rowNumber, i) => (addresses[rowNumber] = tablesBytes + i * stride))
    this.#loadTables(interpolation(points, plan.products), points.length)
    return (this.#layout = { name, plan, stride, addresses })
  }

  /** Puts the tables of a matrix of `k` columns into memory, in the order the kernel reads them. */
  #loadTables(matrix: Uint8Array, k: number): void {
    const rows = matrix.length / k
    let at = 0
    for (let first = 0; first < rows; first += groupRows) {
      const last = Math.min(first + groupRows, rows)
      for (let column = 0; column < k; column++) {
        for (let row = first; row < last; row++, at += tableBytes) {
          const table = matrix[row * k + column] * tableBytes
          this.#memory.set(tables.subarray(table, table + tableBytes), at)
        }
      }
    }
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

function numbered(rows: readonly Uint8Array[], first: number): CodeRow[] {
  return rows.map((bytes, i) => ({ rowNumber: first + i, bytes }))
}

function numberOf({ rowNumber }: CodeRow): number {
  return rowNumber
}
