import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { concat, fromHex, toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { FrameDecoder, frameStart, maxFrameBodyBytes, maxHeadBytes } from '../../src/wire/frame.ts'
import { cuts } from './cuts.ts'

interface Frame {
  head: string
  body: string
}

/** Decodes `pieces`, noting frames as hex and which memory bodies came from. */
function decode(pieces: readonly Uint8Array[]): { frames: Frame[]; memory: Set<ArrayBufferLike> } {
  const frames: Frame[] = []
  const memory = new Set<ArrayBufferLike>()
  const decoder = new FrameDecoder({
    head: (head) => frames.push({ head: toHex(head), body: '' }),
    body: (piece) => {
      frames[frames.length - 1].body += toHex(piece)
      memory.add(piece.buffer)
    },
  })
  for (const piece of pieces) decoder.push(piece)
  decoder.end()
  return { frames, memory }
}

const frame = fc.record({
  head: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  body: fc.uint8Array({ maxLength: 300 }),
})

describe('frame', () => {
  it('is u32 length, u16 head length, head, body', () => {
    assert.equal(toHex(frameStart(fromHex('820105'), 7)), '0000000c' + '0003' + '820105')
  })

  it('decodes from pieces cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.infiniteStream(fc.nat(60)),
        (all, sizes) => {
          const bytes = concat(
            ...all.flatMap(({ head, body }) => [frameStart(head, body.length), body]),
          )
          const expected = all.map(({ head, body }) => ({ head: toHex(head), body: toHex(body) }))
          assert.deepEqual(decode(cuts(bytes, sizes)).frames, expected)
        },
      ),
    )
  })

  it('hands bodies on without copying them', () => {
    const bytes = concat(frameStart(fromHex('01'), 1000), new Uint8Array(1000))
    const { memory } = decode([bytes])
    assert.deepEqual([...memory], [bytes.buffer])
  })

  it('takes the longest head and the longest body', () => {
    const head = new Uint8Array(maxHeadBytes)
    const { frames } = decode([
      frameStart(head, maxFrameBodyBytes),
      new Uint8Array(maxFrameBodyBytes),
    ])
    assert.equal(frames[0].head.length, 2 * maxHeadBytes)
    assert.equal(frames[0].body.length, 2 * maxFrameBodyBytes)
  })

  it('takes an empty body', () => {
    assert.deepEqual(decode([frameStart(fromHex('80'))]).frames, [{ head: '80', body: '' }])
  })

  // proof of server case 21 and client case 7: nothing but these six bytes is read or allocated
  const leads: Record<string, [string, string]> = {
    'a length of 4 GiB': ['ffffffff0001', 'E_TOO_LARGE'],
    'a body one byte too long': ['000400040001', 'E_TOO_LARGE'],
    'a head longer than the frame': ['000000030002', 'E_PROTOCOL'],
    'no head': ['000000020000', 'E_PROTOCOL'],
    'a length of 0': ['000000000000', 'E_PROTOCOL'],
    'a length of 1': ['000000010000', 'E_PROTOCOL'],
  }
  for (const [name, [hex, code]] of Object.entries(leads)) {
    it(`refuses ${name} from the first six bytes`, () => {
      assert.throws(
        () => decode([fromHex(hex)]),
        (error) => isGridError(error) && error.code === code,
      )
    })
  }

  it('takes a body of exactly the longest length from the lead', () => {
    assert.doesNotThrow(() =>
      new FrameDecoder({ head() {}, body() {} }).push(fromHex('000400030001')),
    )
  })

  it('says when the bytes end inside a frame, wherever they do', () => {
    const bytes = concat(frameStart(fromHex('8101'), 3), new Uint8Array(3))
    for (let end = 1; end < bytes.length; end++) {
      assert.throws(
        () => decode([bytes.subarray(0, end)]),
        (error) => isGridError(error, 'E_PROTOCOL'),
        `cut after ${end}`,
      )
    }
  })

  it('gives frames or a typed error for garbage, never anything else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }),
        fc.boolean(),
        (pieces, likely) => {
          // half of the runs begin as a frame might, so as to reach what lies behind the lead
          const all = likely ? [fromHex('0000'), ...pieces] : pieces
          try {
            decode(all)
          } catch (error) {
            assert.ok(isGridError(error, 'E_TOO_LARGE', 'E_PROTOCOL'), String(error))
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('refuses to make what it would not take', () => {
    assert.throws(() => frameStart(new Uint8Array(0)), RangeError)
    assert.throws(() => frameStart(new Uint8Array(maxHeadBytes + 1)), RangeError)
    assert.throws(() => frameStart(fromHex('80'), maxFrameBodyBytes + 1), RangeError)
  })
})
