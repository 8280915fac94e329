import assert from 'node:assert/strict'
import fs from 'node:fs'
import { describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { isDiskError } from '../../src/base/disk.ts'
import { OpenDirectory } from '../../src/local/open-directory.ts'
import { Scratch } from './scratch.ts'

describe('OpenDirectory', () => {
  const scratch = new Scratch().hooks()

  it('opens no link, neither as a directory nor as a file', () => {
    scratch.file('folder/file')
    fs.symlinkSync('folder', scratch.at('to folder'))
    fs.symlinkSync('folder/file', scratch.at('to file'))
    const directory = OpenDirectory.at(scratch.path)
    const isRefusal = (error: unknown): boolean => isDiskError(error, 'ELOOP', 'ENOTDIR')
    assert.throws(() => directory.open(utf8('to folder')), isRefusal)
    assert.throws(() => directory.openFile(utf8('to file'), fs.constants.O_RDONLY), isRefusal)
    directory.open(utf8('folder')).close()
    directory.close()
  })

  it('stays what it is when it gets another name, and knows where it is', () => {
    scratch.file('a/b/file')
    const a = OpenDirectory.at(scratch.at('a'))
    const b = a.open(utf8('b'))
    fs.renameSync(scratch.at('a'), scratch.at('c'))
    assert.ok(b.look(utf8('file')) !== undefined)
    assert.ok(b.isIn(a))
    fs.renameSync(scratch.at('c', 'b'), scratch.at('b'))
    assert.ok(!b.isIn(a))
    assert.equal(b.look(utf8('none')), undefined)
    for (const each of [a, b]) each.close()
  })
})
