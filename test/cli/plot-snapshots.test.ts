import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import fc from 'fast-check'
import { type PlotPoint, plotSnapshots } from '../../src/cli/plot-snapshots.ts'

const dayMs = 86_400_000
const startMs = Date.UTC(2026, 2, 28, 22)
const gibi = 2 ** 30

/** Snapshots of some machines, one a day. */
function points(labels: string[], days: number): PlotPoint[] {
  return Array.from({ length: days }, (_, day) =>
    labels.map((label, i) => ({
      timeMs: startMs + day * dayMs + i * 3_600_000,
      label,
      totalBytes: (i + 1) * 10 * gibi + day * gibi,
      addedBytes: day === 0 ? 10 * gibi : ((day * 7) % 5) * (i + 1) * 100 * 2 ** 20,
    })),
  ).flat()
}

/** Every tag closes, and nothing but text and tags of pictures is in it. */
function checkForm(svg: string): void {
  assert.ok(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'))
  const open: string[] = []
  const left = svg.replace(
    /<(\/?)([a-z]+)((?: [a-z-]+(?::[a-z]+)?="[^"<]*")*)(\/?)>/gi,
    (_, end: string, name: string, _attributes, closed: string) => {
      assert.ok(['svg', 'title', 'text', 'path', 'rect', 'circle'].includes(name), name)
      if (end === '/') assert.equal(open.pop(), name)
      else if (closed === '') open.push(name)
      return ''
    },
  )
  assert.deepEqual(open, [])
  assert.doesNotMatch(left, /[<>]|&(?!(amp|lt|gt|quot);)/)
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/)
}

describe('plot of snapshots', () => {
  it('shows sizes with units and days, and each machine by its name', () => {
    const svg = plotSnapshots(points(['attic', 'cellar'], 30), { title: 'backup' })
    checkForm(svg)
    for (const text of ['attic', 'cellar', 'backup', '20.0 GiB', '2026-04-05', 'added in a day']) {
      assert.ok(svg.includes(`>${text}<`), text)
    }
    assert.equal(svg.match(/<path d="M[^"]*L/g)?.length, 2)
  })

  it('is the same for the same points, in whatever order', () => {
    const given = points(['attic', 'cellar'], 9)
    const svg = plotSnapshots(given, { title: 'x' })
    assert.equal(plotSnapshots([...given].reverse(), { title: 'x' }), svg)
    assert.equal(plotSnapshots(given, { title: 'x' }), svg)
  })

  it('tells hours where there are few days', () => {
    const svg = plotSnapshots(points([''], 1), { title: '' })
    checkForm(svg)
    assert.match(svg, />03-28 12:00</)
  })

  it('draws none, one, equal ones, and those that added nothing', () => {
    checkForm(plotSnapshots([], { title: 'x' }))
    const one = { timeMs: startMs, label: 'a', totalBytes: 0, addedBytes: 0 }
    for (const given of [[one], [one, one], [{ ...one, totalBytes: 2 ** 53 - 1 }]]) {
      checkForm(plotSnapshots(given, { title: 'x' }))
    }
    const wrong = [Number.NaN, -1, Infinity].map((totalBytes) => ({ ...one, totalBytes }))
    const svg = plotSnapshots(wrong.slice(0, 2), { title: 'x' })
    assert.match(svg, /no snapshots/)
  })

  it('lets no text in it do anything', () => {
    const evil = '</text><script>alert(1)</script>"&\u202e\u0007'
    const svg = plotSnapshots(points([evil, "'onload='x"], 2), { title: evil })
    checkForm(svg)
    assert.ok(svg.includes('&lt;script&gt;'))
    const many = Array.from({ length: 40 }, (_, i) => `machine ${i}`)
    const crowd = plotSnapshots(points(many, 2), { title: 'x' })
    checkForm(crowd)
    assert.match(crowd, />others</)
    assert.doesNotMatch(crowd, />machine 9</)
  })

  it('is whole for any points', () => {
    const bytes = fc.oneof(fc.maxSafeNat(), fc.double(), fc.constantFrom(0, 1, 1023, 1024))
    const point = fc.record({
      timeMs: fc.oneof(fc.integer({ min: -8e15, max: 8e15 }), fc.double()),
      label: fc.string({ unit: 'binary', maxLength: 20 }),
      totalBytes: bytes,
      addedBytes: bytes,
    })
    fc.assert(
      fc.property(fc.array(point, { maxLength: 20 }), fc.string(), (given, title) => {
        checkForm(plotSnapshots(given, { title }))
      }),
    )
  })
})
