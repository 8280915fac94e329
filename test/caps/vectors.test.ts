/** The vectors of docs/specs/caps.md, made by another implementation (test/second/caps.py). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'mocha'
import { toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import { capTypes } from '../../src/caps/cap-table.ts'
import type { Cap, CapType } from '../../src/caps/cap.ts'
import { formatCompactCap } from '../../src/caps/compact.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'

interface Vector {
  id: string
  op: 'cap-parse' | 'cap-attenuate'
  in: { text: string; to?: CapType | null }
  out?: { text: string; compact?: string; cap?: { type: string } }
  error?: string
}

const file = path.resolve(import.meta.dirname, '../../../test/vectors/caps.json')
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] }

function run({ op, in: { text, to } }: Vector): Cap {
  const cap = parseCap(text)
  if (op === 'cap-parse') return cap
  return typeof to === 'string' ? attenuate(cap, to) : attenuate(cap)
}

function plain(cap: Cap): Record<string, unknown> {
  const hexed = Object.entries(cap).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Uint8Array ? toHex(value) : (value ?? null),
  ])
  return Object.fromEntries(hexed) as Record<string, unknown>
}

describe('cap vectors', () => {
  for (const vector of cases) {
    it(vector.id, () => {
      if (vector.error !== undefined) {
        assert.throws(
          () => run(vector),
          (error) => isGridError(error) && error.code === vector.error,
        )
        return
      }
      const cap = run(vector)
      const { out } = vector
      assert.equal(formatCap(cap), out?.text)
      if (out?.cap !== undefined) assert.deepEqual(plain(cap), out.cap)
      if (out?.compact !== undefined) {
        assert.equal(formatCompactCap(cap), out.compact)
        assert.deepEqual(parseCap(out.compact.toUpperCase()), cap)
      }
    })
  }

  it('cover every type, and are negative in two of five or more', () => {
    const good = cases.filter(({ out }) => out?.cap !== undefined)
    assert.deepEqual(
      new Set(good.map(({ out }) => out?.cap?.type)),
      new Set<string | undefined>(capTypes),
    )
    assert.ok(cases.filter(({ error }) => error !== undefined).length >= cases.length * 0.4)
  })
})
