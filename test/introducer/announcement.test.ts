import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { readAnnouncement, signAnnouncement } from '../../src/introducer/announcement.ts'
import { announcementOf, facts, seedOf } from './nodes.ts'

interface Vector {
  id: string
  in: { bytes: string; seed?: string }
  out?: Record<string, unknown>
  error?: string
}

const file = path.resolve(import.meta.dirname, '../../../test/vectors/announcement.json')
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Vector[] }
const refused = (error: unknown): boolean => isGridError(error, 'E_ANNOUNCEMENT')

describe('announcement vectors', () => {
  for (const vector of cases) {
    const bytes = fromHex(vector.in.bytes)
    if (vector.out === undefined) {
      it(`refuse ${vector.id}`, () => {
        assert.throws(() => readAnnouncement(bytes), refused)
      })
      continue
    }
    it(`read and sign ${vector.id}`, () => {
      const { bytes: kept, ...read } = readAnnouncement(bytes)
      const { certificate } = read
      const shown = certificate && { certificate: toHex(certificate) }
      assert.deepEqual({ ...read, ...shown }, vector.out)
      const signed = signAnnouncement(read, fromHex(vector.in.seed!))
      assert.equal(toHex(signed.bytes), toHex(kept))
    })
  }
})

describe('announcement', () => {
  it('is refused with a bit of any one byte changed', () => {
    const { bytes } = announcementOf('a')
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] ^= 1 << (at & 7)
      assert.throws(() => readAnnouncement(changed), refused, `byte ${at}`)
    }
  })

  it('is refused cut short at any byte', () => {
    const { bytes } = announcementOf('a')
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(() => readAnnouncement(bytes.subarray(0, length)), refused)
    }
  })

  it('is total on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        assert.throws(() => readAnnouncement(bytes), refused)
      }),
    )
  })

  it('is not signed with a field that no reader takes', () => {
    const statement = announcementOf('a')
    const wrong = [
      { seq: 0 },
      { seq: 1.5 },
      { expiresAtMs: Infinity },
      { gridName: '\x1b[2J' },
      { addresses: ['somewhere'] },
      { addresses: new Array<string>(16).fill(`/${'a'.repeat(255)}`) },
      { facts: { ...facts, nickname: 'n'.repeat(65) } },
      { facts: { ...facts, suites: [0] } },
    ]
    for (const changed of wrong) {
      assert.throws(
        () => signAnnouncement({ ...statement, ...changed }, seedOf('a')),
        RangeError,
        JSON.stringify(changed),
      )
    }
  })
})
