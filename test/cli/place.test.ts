import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { nameMatcher } from '../../src/cli/name-pattern.ts'
import { parsePlace } from '../../src/cli/place.ts'
import { formatPath } from '../../src/files/path.ts'
import { formatCompactCap } from '../../src/caps/compact.ts'
import { formatCap } from '../../src/caps/text.ts'

const key = new Uint8Array(32).fill(7)
const cap = {
  type: 'DIR-CHK',
  readKey: key,
  root: key,
  k: 3,
  n: 10,
  sliceBytes: 100,
  offsetBytes: 0,
} as const

/** A place in a tree as alias and path; a local path as it is. */
function read(text: string): string {
  const place = parsePlace(text)
  if (place.kind === 'local') return place.path
  const of = 'alias' in place.source ? place.source.alias : place.source.cap.type
  return `${of} | ${formatPath(place.path)}${place.isDirectory ? ' | directory' : ''}`
}

describe('places', () => {
  it('are in a tree behind an alias or a cap', () => {
    assert.equal(read('work:'), 'work |  | directory')
    assert.equal(read('work:/'), 'work |  | directory')
    assert.equal(read('work:a/b'), 'work | a/b')
    assert.equal(read('work:a//b/'), 'work | a/b | directory')
    assert.equal(read('work:a:b'), 'work | a:b')
    for (const text of [formatCap(cap), formatCompactCap(cap)]) {
      assert.equal(read(text), 'DIR-CHK |  | directory')
      assert.equal(read(`${text}/a/b`), 'DIR-CHK | a/b')
    }
  })

  it('are of this machine else', () => {
    for (const text of ['a', './work:a', '/work:a', '../x', 'Work:a', ':a', '-', 'a b:c', 'é:x'])
      assert.equal(read(text), text)
  })

  it('are refused where they are neither', () => {
    for (const text of ['work:..', 'work:a/./b', 'work:\\z', 'URI:DIR-CHK:x', `${formatCap(cap)}x`])
      assert.throws(() => parsePlace(text))
  })
})

describe('patterns of names', () => {
  it('take what the regular expression would', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 })
    const name = fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 })
    fc.assert(
      fc.property(letters, name, (pattern, given) => {
        const wanted = pattern.join('').replaceAll('?', '.').replaceAll('*', '.*')
        const text = given.join('')
        assert.equal(nameMatcher(pattern.join(''))(text), new RegExp(`^${wanted}$`).test(text))
      }),
    )
  })

  it('take their time from the length of a name, not from its power', () => {
    assert.equal(nameMatcher('*a'.repeat(40) + 'b')('a'.repeat(1000)), false)
  })
})
