import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { openPage, sealBytes, sealPage } from '../../src/backup/memory/sealed-page.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { bytesOf } from './samples.ts'

const key = bytesOf('key', 32)
const plaintext = utf8('what is remembered')
const isDamage = (error: unknown): boolean => isGridError(error, 'E_CACHE')

describe('a sealed page', () => {
  it('opens as what it is', () => {
    for (const number of [0, 1, 2 ** 32 - 1]) {
      const sealed = sealPage(key, 'rows', number, plaintext)
      assert.equal(sealed.length, plaintext.length + sealBytes)
      assert.deepEqual(openPage(key, 'rows', number, sealed), plaintext)
    }
  })

  it('opens as no other kind, number or length, and with no other key', () => {
    const sealed = sealPage(key, 'rows', 7, plaintext)
    assert.throws(() => openPage(key, 'objects', 7, sealed), isDamage)
    assert.throws(() => openPage(key, 'journal', 7, sealed), isDamage)
    assert.throws(() => openPage(key, 'rows', 8, sealed), isDamage)
    assert.throws(() => openPage(bytesOf('other', 32), 'rows', 7, sealed), isDamage)
    for (let end = 0; end < sealed.length; end++)
      assert.throws(() => openPage(key, 'rows', 7, sealed.subarray(0, end)), isDamage)
  })
})
