/** Holds docs/attacks.md and the tests together: every case has one row, every row names its tests. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'mocha'

const root = path.resolve(import.meta.dirname, '../../..')
const document = readFileSync(path.join(root, 'docs/attacks.md'), 'utf8')

/** Numbers of cases that must have tests, and the last number there is. */
const wanted: Record<string, { tested: number[]; last: number }> = {
  server: { tested: Array.from({ length: 42 }, (_, i) => i + 1), last: 42 },
  client: { tested: Array.from({ length: 33 }, (_, i) => i + 1), last: 33 },
  restore: { tested: Array.from({ length: 18 }, (_, i) => i + 1), last: 18 },
  T: { tested: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], last: 14 },
}

/** Holes in the append-only modes of others; each must have tests. */
const holes = [
  'dates of a thief',
  'deletes of a thief',
  'deletes that seem to work',
  'pruning takes the whole password',
  'one server program decides',
  'a snapshot that the store removed',
  'floods of a thief',
]

/** A string that begins with numbers of cases: `server 20, client 27: …`, `client 16, T5: …`. */
const titlePattern =
  /(['`])((?:(?:(?:server|client|restore) \d+|T\d+)(?:, (?:(?:server|client|restore) )?T?\d+)*|hole): .*?)\1/g
const rowPattern =
  /^\| ((?:server|client|restore) \d+|T\d+|hole: [^|]+) \| [^|]+ \| [^|]+ \| (.*) \|$/gm

/** `file: title` of every test that a row names, by case. */
const rows = new Map<string, Set<string>>()
/** Cases that have more than one row. */
const repeated: string[] = []
for (const [, name, tests] of document.matchAll(rowPattern)) {
  if (rows.has(name)) repeated.push(name)
  rows.set(name, new Set(tests.split('<br>').flatMap(testsIn)))
}

function testsIn(cell: string): string[] {
  const [, file = '', titles = ''] = /^`([^`]+)`: (".*")$/.exec(cell) ?? []
  assert.ok(file !== '', `a cell of another form: ${cell}`)
  return titles
    .slice(1, -1)
    .split('"; "')
    .map((title) => `${file}: ${title}`)
}

/** The cases that a title begins with. */
function casesOf(title: string): string[] {
  if (title.startsWith('hole: ')) return [title.slice(0, title.indexOf(','))]
  let side = ''
  return title
    .slice(0, title.indexOf(':'))
    .split(', ')
    .map((part) => {
      const [, named, number] = /^(?:(server|client|restore) )?(T?\d+)$/.exec(part) ?? []
      side = named ?? side
      return number?.startsWith('T') ? number : `${side} ${number}`
    })
}

/** `file: title` of every test of a case in the sources, by case. */
function testsBySource(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  const tests = path.join(root, 'test')
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => name.endsWith('.test.ts')).sort()) {
    if (file.endsWith('table.test.ts')) continue
    for (const [, , title] of readFileSync(path.join(tests, file), 'utf8').matchAll(titlePattern)) {
      for (const name of casesOf(title)) {
        found.set(name, (found.get(name) ?? new Set()).add(`${file}: ${title}`))
      }
    }
  }
  return found
}

describe('table of attacks', () => {
  const tested = [
    ...Object.entries(wanted).flatMap(([side, { tested: numbers }]) =>
      numbers.map((number) => (side === 'T' ? `T${number}` : `${side} ${number}`)),
    ),
    ...holes.map((name) => `hole: ${name}`),
  ]

  it('has one row for each case in scope, and none besides', () => {
    assert.deepEqual(repeated, [])
    assert.deepEqual([...rows.keys()].sort(), [...tested].sort())
  })

  it('names tests that are there, and all that are there', () => {
    const found = testsBySource()
    for (const name of tested) {
      const [row, source] = [rows.get(name) ?? [], found.get(name) ?? []]
      assert.deepEqual([...row].sort(), [...source].sort(), name)
      assert.ok([...row].length > 0, `${name} has no test`)
    }
    assert.deepEqual([...found.keys()].sort(), [...tested].sort())
  })

  it('puts off every other case by name', () => {
    const later = document.slice(document.indexOf('## Later'), document.indexOf('## Known gaps'))
    const put = new Set<string>()
    for (const [, list] of later.matchAll(/^\| ((?:server|client|restore|T)[^|]*) \|/gm)) {
      for (const part of list.split('; ')) {
        for (const name of casesOf(`${part}:`)) put.add(name)
      }
    }
    const others = Object.entries(wanted).flatMap(([side, { tested: numbers, last }]) =>
      Array.from({ length: last }, (_, i) => i + 1)
        .filter((number) => !numbers.includes(number))
        .map((number) => (side === 'T' ? `T${number}` : `${side} ${number}`)),
    )
    assert.deepEqual([...put].sort(), others.sort())
  })
})
