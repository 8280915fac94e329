/**
 * The erasure code on @subspace/reed-solomon-erasure.wasm 0.2.5: the fallback where SIMD is
 * missing, and an independent opinion for the tests.
 *
 * It calls the package's raw exports, since its own JavaScript frees the flags of `reconstruct`,
 * which the WebAssembly side has freed already; the heap is then corrupt and later calls fail.
 * The raw exports in turn check little (a length that is no multiple of n gives a false success),
 * so nothing reaches them unchecked.
 */
// eslint-disable-next-line no-restricted-imports -- the package's own code, never data
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { GridError } from '../base/errors.ts'
import { checkDecode, checkEncode } from './code-arguments.ts'
import type { CodeRow, ErasureCode } from './erasure-code.ts'
import { compile, instantiate, type WasmMemory, type WasmModule } from './webassembly.ts'

interface PackageExports {
  memory: WasmMemory
  __wbindgen_malloc(length: number): number
  __wbindgen_free(address: number, length: number): void
  /** 0, or the number of an error. */
  encode(rows: number, length: number, k: number, parity: number): number
  /** Mends data rows only. Takes the flags over, and frees them. */
  reconstruct(
    rows: number,
    length: number,
    k: number,
    parity: number,
    flags: number,
    flagsLength: number,
  ): number
}

const wasmPath = '@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm'

/** Bytes of all n rows that are handed over at once; longer rows go in stripes. */
const stripesBytes = 1024 * 1024

/** The package's heap fragments as it is used. An instance that has grown past this is dropped. */
const heapBytes = 8 * 1024 * 1024

let module: WasmModule | undefined

export class PackageCode implements ErasureCode {
  #instance: PackageExports | undefined

  encode(data: readonly Uint8Array[], n: number, parity: readonly Uint8Array[]): void {
    const { k, rowBytes } = checkEncode(data, n, parity)
    if (k === n) return
    const sources = data.map((bytes, rowNumber) => ({ rowNumber, bytes }))
    const targets = parity.map((bytes, i) => ({ rowNumber: k + i, bytes }))
    this.#inStripes(n, rowBytes, sources, targets, (raw, rows, length) =>
      raw.encode(rows, length, k, n - k),
    )
  }

  decode(rows: readonly CodeRow[], n: number, data: readonly Uint8Array[]): void {
    const { k, rowBytes } = checkDecode(rows, n, data)
    const present = new Uint8Array(n)
    for (const { rowNumber, bytes } of rows) {
      present[rowNumber] = 1
      if (rowNumber < k) data[rowNumber].set(bytes)
    }
    const missing = data
      .map((bytes, rowNumber) => ({ rowNumber, bytes }))
      .filter(({ rowNumber }) => present[rowNumber] === 0)
    if (missing.length === 0) return
    this.#inStripes(n, rowBytes, rows, missing, (raw, address, length) => {
      const flags = raw.__wbindgen_malloc(n)
      new Uint8Array(raw.memory.buffer).set(present, flags)
      return raw.reconstruct(address, length, k, n - k, flags, n)
    })
  }

  /** Copies `sources` in, lets `compute` work on all n rows of a stripe, and copies `targets` out. */
  #inStripes(
    n: number,
    rowBytes: number,
    sources: readonly CodeRow[],
    targets: readonly CodeRow[],
    compute: (raw: PackageExports, rows: number, length: number) => number,
  ): void {
    const stripeBytes = Math.floor(stripesBytes / n)
    for (let from = 0; from < rowBytes; from += stripeBytes) {
      const width = Math.min(stripeBytes, rowBytes - from)
      this.#withInstance((raw) => {
        const rows = raw.__wbindgen_malloc(n * width)
        const before = new Uint8Array(raw.memory.buffer, rows, n * width)
        for (const { rowNumber, bytes } of sources) {
          before.set(bytes.subarray(from, from + width), rowNumber * width)
        }
        const result = compute(raw, rows, n * width)
        if (result !== 0)
          throw new GridError('E_INTERNAL', `erasure code: the package says ${result}`)
        const after = new Uint8Array(raw.memory.buffer, rows, n * width)
        for (const { rowNumber, bytes } of targets) {
          bytes.set(after.subarray(rowNumber * width, (rowNumber + 1) * width), from)
        }
        raw.__wbindgen_free(rows, n * width)
      })
    }
  }

  /** Whatever throws in `use`, a trap above all, leaves a heap in doubt: the instance goes with it. */
  #withInstance(use: (raw: PackageExports) => void): void {
    const raw = this.#instance ?? instantiate<PackageExports>((module ??= compilePackage()))
    this.#instance = undefined
    use(raw)
    if (raw.memory.buffer.byteLength <= heapBytes) this.#instance = raw
  }
}

function compilePackage(): WasmModule {
  const file = createRequire(import.meta.url).resolve(wasmPath)
  return compile(new Uint8Array(readFileSync(file)))
}
