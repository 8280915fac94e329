import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { shrink } from './shrink.ts'

const hundred = Array.from({ length: 100 }, (_, i) => i)

describe('shrink', () => {
  it('finds exactly the items that the failure needs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(99), { maxLength: 6 }), async (needed) => {
        const found = await shrink(hundred, async (items) => needed.every((i) => items.includes(i)))
        assert.deepEqual(
          found,
          needed.sort((a, b) => a - b),
        )
      }),
    )
  })

  it('needs few runs for one guilty item', async () => {
    let runs = 0
    await shrink(hundred, async (items) => {
      runs++
      return items.includes(77)
    })
    assert.ok(runs < 40, `${runs} runs`)
  })

  it('leaves a list of which every item is needed', async () => {
    assert.deepEqual(await shrink([1, 2, 3], async (items) => items.length === 3), [1, 2, 3])
  })
})
