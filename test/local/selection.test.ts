import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { listedPaths, listing } from '../../src/local/path-list.ts'
import { parsePattern, patternLines, splitPath } from '../../src/local/pattern.ts'
import {
  allOf,
  type Choice,
  excluding,
  including,
  type Selection,
} from '../../src/local/selection.ts'

const root = utf8('/srv/data')

/** Pattern, paths that it matches, paths that it does not; a path with a slash at its end is a directory. */
const cases: [string, string[], string[]][] = [
  ['cache', ['cache', 'a/cache', 'a/b/cache/'], ['caches', 'cache/a', 'a']],
  ['*.o', ['x.o', 'a/b/x.o'], ['x.oo']],
  ['/cache', ['cache', 'cache/'], ['a/cache']],
  ['/a/b', ['a/b'], ['x/a/b', 'a', 'a/b/c']],
  ['a/b', ['a/b', 'x/a/b', 'x/y/a/b/'], ['a/x/b', 'a/b/c']],
  ['cache/', ['cache/', 'a/cache/'], ['cache', 'a/cache']],
  ['/a/*/c', ['a/b/c'], ['a/c', 'a/b/b/c']],
  ['/a/**/c', ['a/c', 'a/b/c', 'a/b/b/c'], ['c', 'a/b']],
  ['a/**', ['a/b', 'a/b/c', 'x/a/b'], ['a', 'b']],
  ['**/a', ['a', 'b/a', 'b/c/a'], ['a/b']],
  ['**', ['a', 'a/b'], []],
  ['/**/x/**/y', ['x/y', 'a/x/b/y', 'x/x/y/y'], ['y/x', 'x']],
  ['./a//b', ['a/b', 'x/a/b'], ['a']],
  ['/srv/data/a', ['a'], ['x/a', 'srv/data/a']],
  ['/srv/database', ['srv/database'], ['base']],
  ['\\!a', ['!a'], ['a']],
  ['\\#a', ['#a'], ['a']],
]

describe('pattern', () => {
  for (const [text, fitting, others] of cases) {
    it(`takes ${JSON.stringify(text)} for what users expect`, () => {
      const pattern = parsePattern(text, root)
      const matches = (path: string): boolean =>
        pattern.matches(splitPath(utf8(path)), path.endsWith('/'))
      for (const path of fitting) assert.ok(matches(path), path)
      for (const path of others) assert.ok(!matches(path), path)
    })
  }

  for (const text of ['', '/', '!', './', '../a', 'a/../b', 'x'.repeat(5000)]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(
        () => parsePattern(text),
        (error) => isGridError(error, 'E_USAGE'),
      )
    })
  }

  it('reads a file of patterns: comments, empty lines, ends of lines of either kind', () => {
    const lines = patternLines(utf8('# comment\n\na b \r\n \\#x\n!y\n/z'))
    assert.deepEqual(
      lines.map((line) => Buffer.from(line).toString()),
      ['a b ', ' \\#x', '!y', '/z'],
    )
  })
})

function choices(selection: Selection, paths: string[]): Choice[] {
  return paths.map((path) => selection.choose(utf8(path.replace(/\/$/, '')), path.endsWith('/')))
}

describe('selection', () => {
  it('excludes by the last pattern that matches', () => {
    const selection = excluding(
      ['*.log', '!keep.log', '/a/keep.log'].map((text) => parsePattern(text)),
    )
    assert.deepEqual(choices(selection, ['x.log', 'keep.log', 'b/keep.log', 'a/keep.log', 'x']), [
      ...['skip', 'take', 'take', 'skip', 'take'],
    ])
  })

  it('includes what matches, all below it, and the way there', () => {
    const selection = including(['/a/b', '*.c', '!/a/b/not'].map((text) => parsePattern(text)))
    assert.deepEqual(
      choices(selection, ['a/', 'a/b/', 'a/b/x', 'a/b/not/', 'z/', 'z/x.c', 'z/x.h']),
      [...['pass', 'take', 'take', 'pass', 'pass', 'take', 'skip']],
    )
  })

  it('takes listed paths, all below them, and the way there', () => {
    const selection = listing(
      [utf8('a/b'), utf8('/srv/data/c'), utf8('./d/'), utf8('new\nline')],
      root,
    )
    assert.deepEqual(
      choices(selection, ['a/', 'a/b/', 'a/b/x', 'a/c', 'c', 'd/', 'e/', 'new\nline']),
      [...['pass', 'take', 'take', 'skip', 'take', 'take', 'skip', 'take']],
    )
  })

  it('takes everything where the root itself is listed', () => {
    assert.deepEqual(choices(listing([root], root), ['a', 'b/']), ['take', 'take'])
  })

  for (const path of ['../x', 'a/../../x', '/etc/passwd']) {
    it(`refuses a list that leads out of the root: ${path}`, () => {
      assert.throws(
        () => listing([utf8(path)], root),
        (error) => isGridError(error, 'E_USAGE'),
      )
    })
  }

  it('splits a list at line ends or zeros, and keeps every other byte', () => {
    assert.deepEqual(listedPaths(utf8('a \n\nb')), [utf8('a '), utf8('b')])
    assert.deepEqual(listedPaths(utf8('a\nb\0c\0'), 0), [utf8('a\nb'), utf8('c')])
  })

  it('takes what all of several take', () => {
    const both = allOf([including([parsePattern('*.c')]), excluding([parsePattern('test/')])])
    assert.deepEqual(choices(both, ['x.c', 'test/', 'src/', 'x.h']), [
      'take',
      'skip',
      'pass',
      'skip',
    ])
  })
})
