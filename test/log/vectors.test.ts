/**
 * The vectors of docs/specs/log.md and docs/specs/certificates.md: log.json, made here and answered by another
 * implementation, and acceptance.json, made there (test/second/acceptance.py).
 */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { checkVector, readVectors, type Vector } from '../vectors/read.ts'
import { operations } from './vector-operations.ts'

const cases = readVectors('log')

function isNegative({ error, out }: Vector): boolean {
  if (error !== undefined) return true
  if (Array.isArray(out)) return out.some((each) => /^(E_|gap|conflict)/.test(String(each)))
  return (out as { valid?: boolean }).valid === false
}

describe('log vectors', () => {
  for (const vector of cases) it(vector.id, () => checkVector(vector, operations))

  it('cover every op, and are negative in two of five or more', () => {
    assert.deepEqual(new Set(cases.map(({ op }) => op)), new Set(Object.keys(operations)))
    assert.ok(cases.filter(isNegative).length >= cases.length * 0.4)
  })
})

describe('log vectors of the second implementation', () => {
  const others = readVectors('acceptance')
  for (const vector of others) it(vector.id, () => checkVector(vector, operations))

  it('are negative in two of five or more', () => {
    assert.ok(others.filter(isNegative).length >= others.length * 0.4)
  })
})
