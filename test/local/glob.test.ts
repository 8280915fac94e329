import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { compileGlob } from '../../src/local/glob.ts'

/** A letter a byte. */
function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** Pattern, names that fit, names that do not. */
const cases: [string, string[], string[]][] = [
  ['abc', ['abc'], ['ab', 'abcd', 'ABC', '']],
  ['*', ['', 'a', '.hidden', 'new\nline'], []],
  ['*.o', ['.o', 'a.o', 'a.o.o'], ['a.oo', 'o']],
  ['a*b*c', ['abc', 'aXbYc', 'abbcc'], ['ab', 'acb', 'abcd']],
  ['?', ['a', 'é', '€', '😀'], ['', 'ab', 'éa']],
  ['??', ['ab', 'é€'], ['é', '€', '😀']],
  ['*??', ['ab', 'aé€'], ['é', '😀']],
  ['[abc]', ['a', 'c'], ['d', 'ab', '']],
  ['[a-c]x', ['bx'], ['dx', '-x']],
  ['[!a-c]', ['d', 'é'], ['a', 'b', '']],
  ['[^a]', ['b'], ['a']],
  ['[]a]', [']', 'a'], ['[', 'b']],
  ['[a-]', ['a', '-'], ['b']],
  ['[à-ü]', ['é'], ['e', 'à'.normalize('NFD')]],
  ['[a', ['[a'], ['a']],
  ['\\*', ['*'], ['a', '\\*']],
  ['a\\', ['a\\'], ['a']],
  ['[\\]]', [']'], ['\\']],
  ['**x', ['x', 'aax'], ['xa']],
]

describe('glob', () => {
  for (const [glob, fitting, others] of cases) {
    it(`takes ${JSON.stringify(glob)} for what users expect`, () => {
      const matches = compileGlob(utf8(glob))
      for (const name of fitting) assert.ok(matches(utf8(name)), name)
      for (const name of others) assert.ok(!matches(utf8(name)), name)
    })
  }

  it('takes a byte that is no UTF-8 for one character, and never for another', () => {
    assert.ok(compileGlob(utf8('a?b'))(bytes('a\xffb')))
    assert.ok(!compileGlob(utf8('a?b'))(bytes('a\xff\xfeb')))
    assert.ok(compileGlob(bytes('a\xff*'))(bytes('a\xff\xfe')))
    assert.ok(!compileGlob(bytes('a\xff'))(bytes('a\xfe')))
    assert.ok(!compileGlob(utf8('[ÿ]'))(bytes('\xff')))
    assert.ok(compileGlob(utf8('[!a]'))(bytes('\xff')))
  })

  it('agrees with a regular expression', () => {
    const letters = fc.constantFrom('a', 'b', '*', '?')
    const glob = fc.array(letters, { maxLength: 8 }).map((all) => all.join(''))
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 10 })
    fc.assert(
      fc.property(glob, name, (pattern, text) => {
        const expression = pattern.replace(/\*/g, '.*').replace(/\?/g, '.')
        const expected = new RegExp(`^${expression}$`, 's').test(text)
        assert.equal(compileGlob(utf8(pattern))(utf8(text)), expected)
      }),
    )
  })

  it('takes no longer than the product of the lengths', () => {
    let looks = 0
    const name = new Proxy(utf8('a'.repeat(1000)), {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks++
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    assert.ok(!compileGlob(utf8(`${'a*'.repeat(30)}b`))(name))
    assert.ok(looks < 10 * 1000 * 62, `${looks} looks`)
  })
})
