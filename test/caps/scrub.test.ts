import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { formatCompactCap } from '../../src/caps/compact.ts'
import { formatCap } from '../../src/caps/text.ts'
import { scrub } from '../../src/caps/scrub.ts'
import { arbitraryCap } from './arbitrary-cap.ts'

const cap =
  'URI:CHK:gcu6uftl422kn6n562zydmfcgaxczad7qire7qw3sgfxriixcblq:' +
  'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j5aq72mzitk5zfjyeltta:3:10:2000:gcybiw'

/** Whether any 10 characters of the secret in `text` are in `shown`. */
function leaks(text: string, shown: string): boolean {
  const key = text
    .replace(/\s|\\n/g, '')
    .toLowerCase()
    .slice(8, 60)
  const plain = shown.toLowerCase()
  for (let at = 0; at + 10 <= key.length; at++) {
    if (plain.includes(key.slice(at, at + 10))) return true
  }
  return false
}

describe('scrub', () => {
  it('puts a fingerprint in place of a cap', () => {
    assert.equal(scrub(`no file "${cap}" here`), 'no file "‹cap CHK id7eq4bjdb›" here')
    assert.equal(
      scrub(`${cap.toLowerCase()}, and ${cap}.`),
      '‹cap CHK id7eq4bjdb›, and ‹cap CHK id7eq4bjdb›.',
    )
  })

  it('leaves nothing of any cap in either form', () => {
    fc.assert(
      fc.property(arbitraryCap, (any) => {
        for (const text of [formatCap(any), formatCompactCap(any)]) {
          const shown = scrub(`before ${text} after`)
          assert.match(shown, /^before ‹cap [^›]+› after$/)
          assert.ok(!shown.includes(text))
        }
      }),
    )
  })

  it('leaves nothing of a cap that is cut, broken over lines, escaped or misspelt', () => {
    const forms = [cap.slice(0, -1), cap.slice(1), cap.slice(8), cap.replace('gcu6', 'gcu7')]
    forms.push(cap.replace(/.{40}/g, '$&\n'), cap.replace(/.{40}/g, '$& '), JSON.stringify(cap))
    forms.push(
      cap.replace(/.{40}/g, '$&\\n'),
      `(${cap})`,
      `x=${cap};`,
      `/a/${cap}/b`,
      `${cap}${cap}`,
    )
    for (const text of forms) assert.ok(!leaks(cap, scrub(text)), `${text} → ${scrub(text)}`)
  })

  it('leaves alone what is public', () => {
    const id = peerIdOf(new Uint8Array(32).fill(9))
    const storageIndex = 'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j'
    for (const text of [
      `peer ${id} at /ip4/127.0.0.1/tcp/1/p2p/${id}`,
      `share 3 of ${storageIndex}`,
      'a cap is one line that begins with URI: or is one word such as gchk1…',
      'greetings 1 2 3; grid 1.0; https://example.org/uri/x',
    ]) {
      assert.equal(scrub(text), text)
    }
  })

  it('takes no long time over a long text', () => {
    for (const part of ['URI:', 'g', 'uri:a', 'URI:CHK:a ', 'a'.repeat(51), 'g1']) {
      const startMs = Date.now()
      scrub(part.repeat(100_000 / part.length))
      assert.ok(Date.now() - startMs < 3000, part)
    }
  })
})
