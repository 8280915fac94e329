import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { GridError, type ErrorCode } from '../../src/base/errors.ts'
import { exitCodeFor, exitCodeOf, exitCodes } from '../../src/cli/exit-codes.ts'

const declared = readFileSync('src/base/errors.ts', 'utf8').match(/(?<=^ {2}\| ')E_[A-Z_]+/gm) ?? []

describe('exit codes', () => {
  it('has one for every error code, and for no other', () => {
    assert.ok(declared.length > 40)
    assert.deepEqual(Object.keys(exitCodeOf).sort(), [...declared].sort())
  })

  it('never takes an error for success', () => {
    for (const code of Object.keys(exitCodeOf) as ErrorCode[]) {
      const exit = exitCodeFor(new GridError(code, 'x'))
      assert.notEqual(exit, 0)
      assert.ok(Object.values(exitCodes).includes(exit))
    }
  })

  it('takes what it does not know for a failure', () => {
    for (const thrown of [new Error('x'), new TypeError('x'), 'x', undefined, null]) {
      assert.equal(exitCodeFor(thrown), 1)
    }
  })

  it('keeps the numbers that scripts know', () => {
    assert.deepEqual(Object.values(exitCodes), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 130])
    assert.equal(exitCodeOf.E_NOT_ENOUGH_SHARES, 4)
    assert.equal(exitCodeOf.E_NOT_ENOUGH_SERVERS, 5)
    assert.equal(exitCodeOf.E_ENCODING, 6)
    assert.equal(exitCodeOf.E_CAP_WEAK, 8)
    assert.equal(exitCodeOf.E_NOT_INITIALISED, 10)
    assert.equal(exitCodeOf.E_LOCKED, 11)
    assert.equal(exitCodeOf.E_PASSPHRASE, 12)
    assert.equal(exitCodeOf.E_FULL, 13)
    assert.equal(exitCodeOf.E_INTERRUPTED, 130)
  })

  it('is all in docs/commands.md', () => {
    const page = readFileSync('docs/commands.md', 'utf8')
    for (const exit of Object.values(exitCodes))
      assert.match(page, new RegExp(`^\\| ${exit} +\\|`, 'm'))
    for (const [code, exit] of Object.entries(exitCodeOf)) {
      assert.match(page, new RegExp(`^\\| ${exit} +\\|.*\\b${code}\\b`, 'm'))
    }
  })
})
