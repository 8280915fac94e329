/**
 * Cuts a large file into extents (docs/specs/encoding.md, "Extents").
 *
 * Where the keyed profile cuts depends on the 64 bytes before the cut and on a key, never on an
 * offset, so that an insertion moves only the cuts near it. The decision is an AES output: lengths
 * of extents tell nothing about the gear table, which alone would give itself away.
 */
import { type Cipher, createCipheriv } from 'node:crypto'
import { expand } from '../base/hash.ts'
import { keyBytes, labels } from '../caps/keys.ts'
import { gearWasm } from './gear.wasm.ts'
import { compile, instantiate, type WasmMemory, type WasmModule } from './webassembly.ts'

export const minExtentBytes: number = 2 ** 19
export const maxExtentBytes: number = 2 ** 22
export const fixedExtentBytes: number = 2 ** 21

/**
 * The fixed profile, which cuts at multiples of 2 MiB: for disk images, and where AES is slow.
 * Takes and gives what `ExtentCutter.cut` does.
 */
export function fixedCut(bytes: Uint8Array): number {
  return Math.min(checkedLength(bytes), fixedExtentBytes)
}

interface Gear {
  memory: WasmMemory
  scan(gear: number, source: number, count: number, blocks: number, places: number): number
}

/** What the gear hash depends on. */
const windowBytes = 64

/** A candidate is a cut if its AES output begins with a u32 below this: one in 49,152. */
const belowCut = 87_382

/** Windows hashed between two calls of AES. */
const batch = 64 * 1024

/** The kernel's memory: 256 u64; the bytes of a batch; a block and a u32 for each candidate. */
const gearAt = 0
const sourceAt = gearAt + 256 * 8
const blocksAt = sourceAt + batch + windowBytes
const placesAt = blocksAt + batch * 16

let module: WasmModule | undefined

/** The keyed profile: mean 1.85 MiB, never below minExtentBytes but at the end of a file. */
export class ExtentCutter {
  readonly #gear: Gear
  readonly #memory: Uint8Array
  readonly #cipher: Cipher

  /** @param cdcKey - 32 bytes, `cdc` of the convergence keys */
  constructor(cdcKey: Uint8Array) {
    if (cdcKey.length !== keyBytes) throw new RangeError('chunker: expected a key of 32 bytes')
    module ??= compile(gearWasm)
    this.#gear = instantiate<Gear>(module)
    this.#memory = new Uint8Array(this.#gear.memory.buffer)
    this.#memory.set(swap64(expand(cdcKey, labels.gear, 256 * 8)), gearAt)
    this.#cipher = createCipheriv('aes-256-ecb', expand(cdcKey, labels.prf), null)
    this.#cipher.setAutoPadding(false)
  }

  /**
   * The length of the first extent, 1 … maxExtentBytes. One cutter serves any number of files.
   *
   * @param bytes - what begins where the extent begins: at least maxExtentBytes, or all the rest
   *   of the file, which is not empty; borrowed for the call
   */
  cut(bytes: Uint8Array): number {
    const end = Math.min(checkedLength(bytes), maxExtentBytes)
    for (let length = minExtentBytes; length < end; length += batch) {
      const count = Math.min(batch, end - length)
      const start = length - windowBytes
      const found = this.#firstCut(bytes.subarray(start, start + windowBytes - 1 + count), count)
      if (found !== undefined) return length + found
    }
    return end
  }

  /** Which of the `count` windows of 64 bytes in `bytes` is the first at whose end to cut. */
  #firstCut(bytes: Uint8Array, count: number): number | undefined {
    this.#memory.set(bytes, sourceAt)
    const candidates = this.#gear.scan(gearAt, sourceAt, count, blocksAt, placesAt)
    const blocks = this.#memory.subarray(blocksAt, blocksAt + candidates * 16)
    const output = this.#cipher.update(blocks)
    const outputs = new DataView(output.buffer, output.byteOffset, output.length)
    for (let i = 0; i < candidates; i++) {
      if (outputs.getUint32(i * 16) < belowCut) {
        return new DataView(this.#memory.buffer).getUint32(placesAt + i * 4, true)
      }
    }
    return undefined
  }
}

function checkedLength(bytes: Uint8Array): number {
  if (bytes.length === 0) throw new RangeError('chunker: no bytes, so no extent')
  return bytes.length
}

/** A copy with the bytes of each u64 reversed: the formats are big-endian, WebAssembly is not. */
function swap64(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.from(bytes).swap64())
}
