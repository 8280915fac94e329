/**
 * Every regular expression of the product, read out of its source, against texts that are made to make
 * it go back and forth. Numbers are those of docs/attacks.md.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'
import { describe, it } from 'mocha'
import ts from 'typescript'

const root = path.resolve(import.meta.dirname, '../../..')
/** An expression that takes steps by the square of this takes a second; one that does not, a millisecond or less. */
const length = 30_000
const mostMs = 250

interface Found {
  where: string
  expression: RegExp
}

/** The regular expressions that stand in a source file; of a built one its parts are not seen. */
function expressionsIn(file: string): Found[] {
  const text = readFileSync(path.join(root, 'src', file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true)
  const found: Found[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/')
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      const flags = node.text.slice(end + 1)
      const expression = new RegExp(node.text.slice(1, end), flags)
      found.push({ where: `${file}:${line + 1} ${node.text}`, expression })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Characters and words of the expression itself, and such as are in what people and servers send. */
function partsOf({ source }: RegExp): string[] {
  const literal = source.replace(/\\[dwsb]|[\\^$?*+()[\]{}|]/g, ' ').split(' ')
  const words = literal.filter((word) => word !== '' && word.length < 12)
  const usual = [
    'a',
    '0',
    'A',
    ' ',
    '\n',
    '\t',
    ':',
    '/',
    '.',
    ',',
    '-',
    '=',
    '"',
    '\\',
    '\\x',
    '\u202e',
  ]
  return [...new Set([...usual, ...words, ...words.flatMap((word) => Array.from(word))])]
}

/** Each part repeated, and pairs in turn, with something behind that does not fit. */
function* attacks(expression: RegExp): Generator<string> {
  const parts = partsOf(expression)
  const ends = ['', '!', '\0', 'x', '\n', '/']
  const starts = ['', ...parts.filter((part) => part.length > 2)]
  for (const part of parts) {
    const run = part.repeat(Math.ceil(length / part.length))
    for (const end of ends) yield run + end
    for (const start of starts) yield `${start}${run}\0`
  }
  for (const one of parts.slice(-8))
    for (const other of parts.slice(-8))
      yield `${(one + other).repeat(Math.ceil(length / (one + other).length))}\0`
}

/** Time of the slowest, in ms; stops at the first that is too slow. */
function slowest(expression: RegExp): { ms: number; text: string } {
  let worst = { ms: 0, text: '' }
  for (const text of attacks(expression)) {
    const startMs = performance.now()
    replaceAll(text, expression)
    const ms = performance.now() - startMs
    if (ms > worst.ms) worst = { ms, text: JSON.stringify(text.slice(0, 40)) }
    if (ms > mostMs) break
  }
  return worst
}

const replacing = new vm.Script("text.replace(expression, '')")
const given = { text: '', expression: /x/ }
const context = vm.createContext(given)

/** Gives up after a while, which no program outside a test can. */
function replaceAll(text: string, expression: RegExp): void {
  try {
    Object.assign(given, { text, expression })
    replacing.runInContext(context, { timeout: 4 * mostMs })
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ERR_SCRIPT_EXECUTION_TIMEOUT')
  }
}

const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
const all = files
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .flatMap(expressionsIn)

describe('regular expressions', function () {
  this.timeout(120_000)

  it('client 33: of all expressions in the source none takes time by the square of its input', () => {
    assert.ok(all.length > 50, `only ${all.length} found`)
    const slow = all.map(({ where, expression }) => ({ where, ...slowest(expression) }))
    const worst = slow.filter(({ ms }) => ms > mostMs)
    assert.deepEqual(worst, [])
  })

  it('client 33: and this would be seen', () => {
    for (const bad of [/[,;.]+$/, /^(a+)+$/]) assert.ok(slowest(bad).ms > mostMs, bad.source)
  })
})
