import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { isGridError } from '../../src/base/errors.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { Cap } from '../../src/caps/cap.ts'
import { capFingerprint, describeCap } from '../../src/caps/describe.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { arbitraryCap } from './arbitrary-cap.ts'

const read =
  'URI:CHK:gcu6uftl422kn6n562zydmfcgaxczad7qire7qw3sgfxriixcblq:' +
  'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j5aq72mzitk5zfjyeltta:3:10:2000:gcybiw'

describe('describeCap', () => {
  it('tells of a read cap what servers know', () => {
    assert.deepEqual(describeCap(parseCap(read)), {
      type: 'CHK',
      rights: ['read', 'verify'],
      fingerprint: 'CHK id7eq4bjdb',
      storageIndex: 'id7eq4bjdbb6cy3wjsjbgu2cunvokj2j',
      k: 3,
      n: 10,
      sizeBytes: 2000,
    })
  })

  it('tells of a verifier the same object, and no read right', () => {
    const facts = describeCap(attenuate(parseCap(read)))
    assert.equal(facts.fingerprint, 'CHK-Verifier id7eq4bjdb')
    assert.deepEqual(facts.rights, ['verify'])
    assert.equal(facts.offsetBytes, 0)
  })

  it('shows no key of any cap, nor the data of a literal', () => {
    fc.assert(
      fc.property(arbitraryCap, (cap) => {
        const shown = JSON.stringify(describeCap(cap)) + capFingerprint(cap)
        for (const [name, value] of Object.entries(cap) as [string, unknown][]) {
          if (!(value instanceof Uint8Array) || value.length < 8) continue
          if (name === 'root' || name === 'logId') continue
          assert.ok(!shown.includes(toBase32(value).slice(0, 10)), name)
        }
        assert.deepEqual(JSON.parse(JSON.stringify(describeCap(cap))), describeCap(cap))
      }),
    )
  })
})

describe('attenuate', () => {
  it('never gives a right that the cap lacks, and ends', () => {
    fc.assert(
      fc.property(arbitraryCap, (cap) => {
        let weaker: Cap = cap
        for (let steps = 0; ; steps++) {
          assert.ok(steps < 4)
          const held = describeCap(weaker).rights
          try {
            weaker = attenuate(weaker)
          } catch (error) {
            assert.ok(isGridError(error, 'E_CAP_WEAK'))
            return
          }
          const { rights } = describeCap(weaker)
          assert.ok(rights.length < held.length && rights.every((right) => held.includes(right)))
        }
      }),
    )
  })
})
