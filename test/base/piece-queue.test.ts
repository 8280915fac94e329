import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { concat } from '../../src/base/bytes.ts'
import { PieceQueue } from '../../src/base/piece-queue.ts'

function drained(queue: PieceQueue): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) pieces.push(piece)
  return pieces
}

describe('piece queue', () => {
  it('gives what it was given, cut anywhere', () => {
    const lengths = fc.oneof(fc.nat(20), fc.nat(5000), fc.constantFrom(4095, 4096, 4097))
    const steps = fc.array(fc.oneof(lengths, fc.constant('take' as const)), { maxLength: 60 })
    fc.assert(
      fc.property(steps, (given) => {
        const queue = new PieceQueue()
        const [put, taken]: Uint8Array[][] = [[], []]
        let next = 0
        for (const step of given) {
          if (step === 'take') taken.push(queue.shift() ?? new Uint8Array(0))
          else {
            const piece = Uint8Array.from({ length: step }, () => next++)
            put.push(piece)
            queue.push(piece)
          }
          const left = concat(...put).length - concat(...taken).length
          assert.equal(queue.bytes, left)
        }
        const rest = drained(queue)
        assert.ok(rest.every(({ length }) => length > 0))
        assert.deepEqual(concat(...taken, ...rest), concat(...put))
      }),
    )
  })

  it('holds many small pieces as few', () => {
    const queue = new PieceQueue()
    for (let i = 0; i < 2 ** 20; i++) queue.push(Uint8Array.of(i))
    const pieces = drained(queue)
    assert.ok(pieces.length <= 2 + 2 ** 20 / 4096, `${pieces.length}`)
    const held = pieces.reduce((bytes, { buffer }) => bytes + buffer.byteLength, 0)
    assert.ok(held <= 2 ** 20 + 8192, `${held}`)
  })

  it('holds pieces of any lengths in twice their bytes', () => {
    const queue = new PieceQueue()
    for (let i = 0; i < 100; i++)
      for (const length of [4096, 1, 2049]) queue.push(new Uint8Array(length))
    const { bytes } = queue
    const held = drained(queue).reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
    assert.ok(held <= 2 * bytes + 4096, `${held} for ${bytes}`)
  })

  it('copies nothing that is taken before more comes, and forgets what it is told to', () => {
    const queue = new PieceQueue()
    const piece = new Uint8Array(3)
    queue.push(piece)
    assert.equal(queue.shift(), piece)
    queue.push(piece)
    queue.push(piece)
    queue.clear()
    assert.equal(queue.bytes, 0)
    assert.equal(queue.shift(), undefined)
  })
})
