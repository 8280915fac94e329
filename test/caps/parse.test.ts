import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { fromHex } from '../../src/base/bytes.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import type { Cap, ChkCap } from '../../src/caps/cap.ts'
import { formatCompactCap } from '../../src/caps/compact.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import { arbitraryCap } from './arbitrary-cap.ts'

const chk: ChkCap = {
  type: 'CHK',
  readKey: fromHex('30a9ea166be6b4a6f9bdf6b381b0a2302e2c807f82224fc2db918b78a1171057'),
  root: fromHex('40fe4870291843e163764c92135342a36ae52749e821fd33289abb92a7045ce6'),
  k: 3,
  n: 10,
  sizeBytes: 2000,
}
const anyText = /^[\x20-\x7e]{1,120}$/

/** What `text` parses to; refusals must be typed, one line, and hold nothing of the text. */
function parsed(text: string): Cap | GridError {
  try {
    return parseCap(text)
  } catch (error) {
    if (!isGridError(error)) throw error
    assert.match(error.code, /^E_CAP_/)
    assert.match(error.message, anyText)
    assert.match(error.hint ?? '', /^[\x20-\x7e…]{1,120}$/)
    return error
  }
}

describe('parseCap', () => {
  it('reads what formatCap writes', () => {
    fc.assert(fc.property(arbitraryCap, (cap) => assert.deepEqual(parseCap(formatCap(cap)), cap)))
  })

  it('reads what formatCompactCap writes: one word', () => {
    fc.assert(
      fc.property(arbitraryCap, (cap) => {
        const word = formatCompactCap(cap)
        assert.match(word, /^g[a-z]+1[a-z2-7]+$/)
        assert.deepEqual(parseCap(word), cap)
      }),
    )
  })

  it('takes either case, and white space anywhere', () => {
    const noise = fc.array(fc.tuple(fc.constantFrom('', ' ', '\n', '\r\n', '\t'), fc.boolean()), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(arbitraryCap, noise, (cap, noises) => {
        for (const text of [formatCap(cap), formatCompactCap(cap)]) {
          const noisy = Array.from(text, (letter, i) => {
            const [gap, upper] = noises[i % noises.length]
            return gap + (upper ? letter.toUpperCase() : letter.toLowerCase())
          })
          assert.deepEqual(parseCap(noisy.join('')), cap)
        }
      }),
    )
  })

  it('refuses every change of one character, in both forms', () => {
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789:-=é\0'
    for (const text of [formatCap(chk), formatCompactCap(chk)]) {
      for (let at = 0; at < text.length; at++) {
        for (const letter of letters) {
          if (letter === text[at]?.toLowerCase()) continue
          const changed = text.slice(0, at) + letter + text.slice(at + 1)
          assert.ok(parsed(changed) instanceof GridError, `${letter} at ${at}`)
        }
      }
    }
  })

  it('refuses every lost, doubled or swapped character', () => {
    for (const text of [formatCap(chk), formatCompactCap(chk)]) {
      for (let at = 0; at < text.length; at++) {
        const before = text.slice(0, at)
        const letter = text.charAt(at)
        const next = text.charAt(at + 1)
        const after = text.slice(at + 2)
        assert.ok(parsed(before + next + after) instanceof GridError, `lost at ${at}`)
        assert.ok(parsed(before + letter + letter + next + after) instanceof GridError, `${at}`)
        if (next === '' || next === letter) continue
        assert.ok(parsed(before + next + letter + after) instanceof GridError, `swapped at ${at}`)
      }
    }
  })

  it('is total on garbage', () => {
    const near = fc
      .tuple(
        fc.constantFrom('URI:', 'uri:CHK:', 'gchk1', 'glit1', ''),
        fc.string({ unit: 'binary' }),
      )
      .map(([head, tail]) => head + tail)
    fc.assert(
      fc.property(near, (text) => assert.ok(parsed(text) instanceof GridError)),
      { numRuns: 2000 },
    )
  })

  it('is total on fields of garbage behind a right check', () => {
    const form = fc.oneof(fc.stringMatching(/^[a-z2-7]{0,60}$/), fc.stringMatching(/^[0-9]{0,20}$/))
    fc.assert(
      fc.property(fc.array(form, { maxLength: 9 }), (forms) => {
        parsed(['URI:CHK', ...forms].join(':'))
      }),
    )
  })

  it('looks at 4,096 characters and no more', () => {
    const text = formatCap(chk)
    assert.deepEqual(parsed(text.padEnd(4096)), chk)
    const tooLong = parsed(text.padEnd(4097))
    assert.ok(isGridError(tooLong, 'E_CAP_SYNTAX'))
  })

  it('quotes nothing of the cap when it refuses one', () => {
    const secret = 'gcu6uftl422kn6n562zydmfcgaxczad7qire7qw3sgfxriixcblq'
    const text = formatCap(chk)
    const damaged = [
      text.slice(4),
      text.slice(0, -3),
      text.replace('CHK', 'XYZ'),
      text.replace(':3:10', ':30:10'),
      `URI:CHK:${secret.slice(0, 26)}:${secret}:3:10:2000`,
      `${text}é`,
      secret,
    ]
    for (const given of damaged) {
      const refusal = parsed(given)
      assert.ok(refusal instanceof GridError)
      const shown = refusal.message + (refusal.hint ?? '') + JSON.stringify(refusal.facts)
      assert.ok(!shown.includes(secret.slice(0, 5)), refusal.message)
    }
  })
})

describe('formatCap', () => {
  const wrong: [string, Cap][] = [
    ['a short key', { ...chk, readKey: new Uint8Array(31) }],
    ['k of 0', { ...chk, k: 0 }],
    ['k above n', { ...chk, k: 11 }],
    ['n of 256', { ...chk, n: 256 }],
    ['a negative size', { ...chk, sizeBytes: -1 }],
    ['a size of 2^53', { ...chk, sizeBytes: 2 ** 53 }],
    ['a fraction', { ...chk, sizeBytes: 0.5 }],
    ['a size that is no number', { ...chk, sizeBytes: NaN }],
    ['a literal of 65 bytes', { type: 'LIT', data: new Uint8Array(65) }],
    [
      'a zero convergence secret',
      {
        type: 'LOG-Append',
        deviceSeed: chk.root,
        convergenceSecret: new Uint8Array(32),
        logId: chk.root,
      },
    ],
  ]
  for (const [name, cap] of wrong) {
    it(`refuses ${name}, in both forms`, () => {
      assert.throws(() => formatCap(cap), RangeError)
      assert.throws(() => formatCompactCap(cap), RangeError)
    })
  }
})
