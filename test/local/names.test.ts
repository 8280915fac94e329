/** The small parts that names, numbers and owners go through. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { compareBytes, utf8 } from '../../src/base/bytes.ts'
import { joinDevice, splitDevice } from '../../src/local/device-number.ts'
import { escapedName } from '../../src/local/escaped-name.ts'
import { NameList } from '../../src/local/name-list.ts'
import { OwnerNames } from '../../src/local/owner-names.ts'

describe('NameList', () => {
  const names = fc.uniqueArray(fc.uint8Array({ minLength: 1, maxLength: 300 }), {
    selector: (name) => Buffer.from(name).toString('latin1'),
  })

  it('gives names in order of bytes, however they were added', () => {
    fc.assert(
      fc.property(names, (added) => {
        const list = new NameList()
        for (const name of added) list.add(name)
        const found = Array.from({ length: list.length }, (_, i) => Uint8Array.from(list.at(i)))
        assert.deepEqual(found, [...added].map((name) => Uint8Array.from(name)).sort(compareBytes))
        for (const name of added) assert.ok(list.has(name))
        assert.ok(!list.has(utf8('x'.repeat(301))))
      }),
    )
  })

  it('does so for more names than it makes views of', () => {
    const list = new NameList()
    for (let i = 70_000; i > 0; i--) list.add(utf8(String(i)))
    for (let i = 1; i < list.length; i++) assert.ok(compareBytes(list.at(i - 1), list.at(i)) < 0)
    assert.equal(list.length, 70_000)
  })
})

describe('escapedName', () => {
  /** The bytes that a shown name stands for. */
  function unescaped(text: string): Uint8Array {
    const raw = Buffer.from(text).toString('latin1')
    const letters = raw.replace(/\\(\\|x([0-9a-f]{2}))/g, (_, all: string, hex?: string) =>
      hex === undefined ? all : String.fromCharCode(parseInt(hex, 16)),
    )
    return new Uint8Array(Buffer.from(letters, 'latin1'))
  }

  it('stands for its bytes and no others, on one line', () => {
    const texts = fc.string({ unit: 'binary' }).map((text) => utf8(text))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), texts), (bytes) => {
        const shown = escapedName(bytes)
        assert.deepEqual(unescaped(shown), Uint8Array.from(bytes))
        // eslint-disable-next-line no-control-regex -- these must not be there
        assert.doesNotMatch(shown, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }),
      { numRuns: 500 },
    )
  })
})

describe('device numbers', () => {
  it('are joined as Linux does it, and split again', () => {
    assert.equal(joinDevice({ major: 8, minor: 1 }), 0x801n)
    assert.equal(joinDevice({ major: 259, minor: 70_000 }), 0x11110370n)
    const part = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(part, part, (major, minor) => {
        assert.deepEqual(splitDevice(joinDevice({ major, minor })), { major, minor })
      }),
    )
  })
})

describe('OwnerNames', () => {
  it('reads what a passwd file says, and passes over what it does not', () => {
    const table =
      'root:x:0:0:root:/:/bin/sh\n# no\nbad\nu:x:-1:0\nv:x:4294967295:0\nb:x:7:\nc:x:7:\n:x:9:\n'
    const owners = new OwnerNames(`${table}${'l'.repeat(256)}:x:10:\n+::::::\n`)
    assert.equal(owners.nameOf(0), 'root')
    assert.equal(owners.nameOf(7), 'b')
    assert.equal(owners.idOf('c'), 7)
    for (const id of [9, 10, 4_294_967_295]) assert.equal(owners.nameOf(id), undefined)
    for (const name of ['u', 'v', 'bad', '']) assert.equal(owners.idOf(name), undefined)
  })
})
