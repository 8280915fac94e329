import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { concat, fromHex, toHex } from '../../src/base/bytes.ts'
import { expand, sha256 } from '../../src/base/hash.ts'
import { convergenceKeys, labels } from '../../src/caps/keys.ts'
import {
  ExtentCutter,
  fixedCut,
  fixedExtentBytes,
  maxExtentBytes,
  minExtentBytes,
} from '../../src/encoding/chunker.ts'

type Part = { gen: 'ctr'; seed: string; len: number } | { gen: 'repeat'; unit: string; len: number }

interface Vector {
  id: string
  op: 'cdc' | 'cdc-keys'
  in: { cdcKey: string | null; data?: Part[] }
  out?: { lengths?: number[]; gear?: string; gear0?: string; gear255?: string; prf?: string }
  error?: 'RangeError'
}

const file = path.resolve(import.meta.dirname, '../../../test/vectors/cdc.json')
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] }

const { cdc } = convergenceKeys(Uint8Array.from({ length: 32 }, (_, i) => i))

/** The bulk input of the vectors: CTR(SHA-256(seed)) of zeros, or a unit again and again. */
function bytesOf(part: Part): Uint8Array {
  if (part.gen === 'repeat') return new Uint8Array(Buffer.alloc(part.len, part.unit, 'hex'))
  const cipher = createCipheriv('aes-256-ctr', sha256(fromHex(part.seed)), new Uint8Array(16))
  return cipher.update(new Uint8Array(part.len))
}

function ctr(seed: string, len: number): Uint8Array {
  return bytesOf({ gen: 'ctr', seed, len })
}

type Cut = (bytes: Uint8Array) => number

function lengthsOf(cut: Cut, data: Uint8Array): number[] {
  const lengths = []
  for (let start = 0; start < data.length;) {
    const length = cut(data.subarray(start, start + maxExtentBytes))
    lengths.push(length)
    start += length
  }
  return lengths
}

function cutterOf(key: Uint8Array): Cut {
  const cutter = new ExtentCutter(key)
  return (bytes) => cutter.cut(bytes)
}

/** The rule as the spec states it: every byte from the first hashed, AES at each candidate. */
function plainCut(key: Uint8Array, bytes: Uint8Array): number {
  const table = Buffer.from(expand(key, labels.gear, 2048))
  const gear = Array.from({ length: 256 }, (_, i) => table.readBigUInt64BE(i * 8))
  const prf = expand(key, labels.prf)
  const block = Buffer.alloc(16)
  const end = Math.min(bytes.length, maxExtentBytes)
  let hash = 0n
  for (let length = 1; length < end; length++) {
    hash = BigInt.asUintN(64, (hash << 1n) + gear[bytes[length - 1]])
    if (length < minExtentBytes || hash >> 59n !== 0n) continue
    block.writeBigUInt64BE(hash)
    const cipher = createCipheriv('aes-256-ecb', prf, null).setAutoPadding(false)
    if (cipher.update(block).readUInt32BE() < 87_382) return length
  }
  return end
}

describe('chunker', () => {
  for (const { id, op, in: input, out, error } of cases) {
    it(`vector: ${id}`, () => {
      if (op === 'cdc-keys') {
        assert.equal(input.cdcKey, toHex(cdc))
        const gear = expand(cdc, labels.gear, 2048)
        assert.equal(toHex(sha256(gear)), out?.gear)
        assert.equal(toHex(gear.subarray(0, 8)), out?.gear0)
        assert.equal(toHex(gear.subarray(-8)), out?.gear255)
        assert.equal(toHex(expand(cdc, labels.prf)), out?.prf)
        return
      }
      const data = concat(...(input.data ?? []).map(bytesOf))
      const cutter = () => (input.cdcKey === null ? fixedCut : cutterOf(fromHex(input.cdcKey)))
      if (error === undefined) assert.deepEqual(lengthsOf(cutter(), data), out?.lengths)
      else assert.throws(() => cutter()(data), RangeError)
    })
  }

  it('cuts where the plain rule does, whatever repeats in the data', () => {
    const piece = fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 60_000 }))
      .map(([unit, length]) => new Uint8Array(Buffer.alloc(length, unit)))
    fc.assert(
      fc.property(fc.nat(), fc.array(piece, { maxLength: 6 }), (seed, pieces) => {
        const tail = ctr(seed.toString(16).padStart(8, '0'), 80_000)
        const data = concat(new Uint8Array(minExtentBytes - 70), ...pieces, tail)
        assert.equal(cutterOf(cdc)(data), plainCut(cdc, data))
      }),
      { numRuns: process.env.SLOW === '1' ? 300 : 6 },
    )
  })

  it('finds its cuts again behind an insertion, a deletion and a change', () => {
    const data = ctr('05', 24 * 2 ** 20)
    const cutsOf = (bytes: Uint8Array, shift: number): Set<number> => {
      let at = 0
      return new Set(lengthsOf(cutterOf(cdc), bytes).map((length) => (at += length) + shift))
    }
    const cuts = cutsOf(data, 0)
    const edit = 5 * 2 ** 20
    const [head, tail] = [data.subarray(0, edit), data.subarray(edit)]
    const edits: [Uint8Array, number][] = [
      [concat(head, ctr('06', 1001), tail), -1001],
      [concat(head, tail.subarray(777)), 777],
      [concat(head, ctr('06', 64), tail.subarray(64)), 0],
    ]
    for (const [edited, shift] of edits) {
      const kept = [...cutsOf(edited, shift)].filter((cut) => cuts.has(cut))
      const lost = cuts.size - kept.length
      assert.ok(lost <= 4, `${lost} of ${cuts.size} cuts lost`)
      assert.ok(kept.includes(data.length), 'the end of the file')
    }
  })

  it('keeps extents within their bounds, near the mean of 1.85 MiB', () => {
    const data = ctr('07', 96 * 2 ** 20)
    const lengths = lengthsOf(cutterOf(cdc), data)
    for (const length of lengths.slice(0, -1)) {
      assert.ok(length >= minExtentBytes && length <= maxExtentBytes)
    }
    const mean = data.length / lengths.length
    assert.ok(mean > 1.4 * 2 ** 20 && mean < 2.3 * 2 ** 20, `mean ${mean}`)
  })

  it('never takes bytes past the longest extent into account', () => {
    const data = concat(new Uint8Array(maxExtentBytes), ctr('08', 1000))
    assert.equal(cutterOf(cdc)(data), maxExtentBytes)
    assert.equal(fixedCut(data), fixedExtentBytes)
  })

  it('does not see what an earlier call left in memory', () => {
    const cut = cutterOf(cdc)
    const random = ctr('01', maxExtentBytes)
    const window = random.subarray(cut(random) - 64, cut(random))
    const at = minExtentBytes + 15
    const data = concat(new Uint8Array(at - 64), window, new Uint8Array(100))
    for (let short = 1; short <= 15; short++) {
      assert.equal(cut(data), at)
      assert.equal(cut(data.subarray(0, at - short)), at - short)
    }
  })
})
