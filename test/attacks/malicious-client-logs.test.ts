/** Strangers who want to be in a server's log, or to fill it. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Trace } from '../../src/base/trace.ts'
import { maxLogBytes, openLogFile } from '../../src/cli/log-file.ts'
import { lineTrace } from '../../src/cli/trace-lines.ts'
import { ManualClock } from '../cli/fake-world.ts'

const escapes = [
  '\x1b[2J\x1b]0;title\x07',
  '\x9b31m',
  'a\r\n{"event":"forged"}',
  '\u202egnp.exe',
  '\u2028next',
  'zero\u200bwidth',
  '\ud800',
  '"}\\',
]

describe('malicious client, logs', () => {
  let directory: string
  let clock: ManualClock
  let lines: string[]
  let trace: Trace

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'grid-log-'))
    clock = new ManualClock()
    lines = []
    trace = lineTrace(clock, [(line) => void lines.push(line)])
  })

  afterEach(() => rmSync(directory, { recursive: true }))

  it('client 29: texts with escapes and line ends make one line that shows none of them, and lose nothing', () => {
    for (const text of escapes) trace.event('wire.failed', { error: text, [text]: text })
    assert.equal(lines.length, escapes.length)
    for (const [i, line] of lines.entries()) {
      assert.match(line, /^[\x20-\x7e]*$/)
      assert.equal((JSON.parse(line) as { error: string }).error, escapes[i])
    }
  })

  it('client 29: of one kind of event there are only so many lines, and others are not kept out', () => {
    for (let i = 0; i < 100_000; i++) trace.event('wire.ended', { remote: `peer ${i}` })
    assert.equal(lines.length, 1000)
    trace.event('storage.read-only', { cause: 'true' })
    assert.match(lines[1000], /storage.read-only/)
    clock.advance(1000)
    for (let i = 0; i < 100; i++) trace.event('wire.ended')
    assert.equal(lines.length, 1011)
    assert.equal((JSON.parse(lines[1001]) as { leftOutBefore: number }).leftOutBefore, 99_000)
  })

  it('client 29: a text of a megabyte takes no more than its share of a line', () => {
    trace.event('wire.failed', {
      error: '\x1b'.repeat(1_000_000),
      cause: { message: 'x'.repeat(2 ** 20) },
    })
    assert.ok(lines[0].length < 40_000, `${lines[0].length}`)
  })

  it('client 29: the log file and the one before it stay below their bound, and end with the newest line', () => {
    const file = path.join(directory, 'log')
    const write = openLogFile(file)
    for (let i = 0; i < 3000; i++) write(`${i} ${'x'.repeat(10_000)}`)
    const sizes = [file, `${file}.1`].map((name) => statSync(name).size)
    assert.ok(sizes[0] + sizes[1] <= maxLogBytes)
    assert.ok(sizes[1] > maxLogBytes / 2 - 20_000)
    assert.match(readFileSync(file, 'utf8'), /^\d+ x+\n[^]*\n2999 x+\n$/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    // what an earlier process wrote counts too
    const again = openLogFile(file)
    for (let i = 0; i < 1000; i++) again('y'.repeat(10_000))
    assert.ok(statSync(file).size + statSync(`${file}.1`).size <= maxLogBytes)
  })

  it('client 29: a log that cannot be written stops nobody', () => {
    symlinkSync('/dev/full', path.join(directory, 'full'))
    const write = openLogFile(path.join(directory, 'full'))
    for (let i = 0; i < 10; i++) write('lost')
    writeFileSync(path.join(directory, 'no directory'), '')
    assert.throws(() => openLogFile(path.join(directory, 'no directory', 'log')), {
      code: 'E_FILE',
    })
  })
})
