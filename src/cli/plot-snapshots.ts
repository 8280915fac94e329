/**
 * A picture of backups over time, as SVG: above how large each was, below what each day added. Load
 * it lazily: it needs the scales and shapes of d3, which nothing else does (docs/keys.md says why d3).
 *
 * Its colours are read on light and on dark paper alike, and it has no background of its own. The same
 * points give the same bytes; times are in UTC.
 */
import { scaleLinear, scaleUtc } from 'd3-scale'
import { curveStepAfter, line } from 'd3-shape'
import { formatByteSize } from '../base/byte-size.ts'
import { plainText } from '../base/plain-text.ts'

/** One snapshot. */
export interface PlotPoint {
  timeMs: number
  /** What belongs together, such as the name of a machine; may hold anything. */
  label: string
  totalBytes: number
  addedBytes: number
}

const width = 800
const margin = { left: 84, right: 20, top: 44 }
const panels = {
  total: { title: 'size of a snapshot', top: 78, bottom: 258 },
  added: { title: 'added in a day', top: 308, bottom: 428 },
} as const
const height = 470
const dayMs = 86_400_000
/** Dates beyond it have no text. */
const maxTimeMs = 8e15
/** Pixels that a time takes with its margins, and so how many fit. */
const timeWidth = 84
const mostTicks = Math.floor((width - margin.left - margin.right) / timeWidth)
const ink = '#767676'
/** Each has a contrast of 3 or more against white and against black. */
const colours = ['#2f7fc1', '#c2571a', '#2e8b57', '#a05bb5', '#b8860b', '#708090']
const others = 'others'

interface Series {
  label: string
  colour: string
  points: PlotPoint[]
}

type Scale = (value: number) => number

/** The whole file, for points in any order. Those whose numbers are none are left out. */
export function plotSnapshots(points: readonly PlotPoint[], { title }: { title: string }): string {
  const sound = points
    .filter(({ timeMs, totalBytes, addedBytes }) => {
      return Math.abs(timeMs) < maxTimeMs && isSize(totalBytes) && isSize(addedBytes)
    })
    .sort((a, b) => a.timeMs - b.timeMs)
  const series = seriesOf(sound)
  const body =
    sound.length === 0
      ? [words('no snapshots', width / 2, height / 2, 'middle')]
      : [...legend(series), ...drawn(sound, series)]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<text x="${margin.left}" y="24" font-size="16" fill="${ink}">${escaped(title)}</text>`,
    ...body,
    '</svg>',
    '',
  ].join('\n')
}

function drawn(points: readonly PlotPoint[], series: readonly Series[]): string[] {
  const firstMs = dayOf(points[0].timeMs)
  const lastMs = dayOf(points[points.length - 1].timeMs) + dayMs
  const x = scaleUtc([firstMs, lastMs], [margin.left, width - margin.right])
  const days = addedByDay(series)
  const total = bytesScale(most(points.map(({ totalBytes }) => totalBytes)), panels.total)
  const added = bytesScale(most([...days.values()].map(sum)), panels.added)
  // the scale takes a number of ticks for a wish
  const dates = x.ticks(mostTicks).filter((date) => x(date) <= width - timeWidth / 2)
  const step = Math.ceil(dates.length / mostTicks)
  const ticks = dates
    .filter((_, i) => i % step === 0)
    .map((date) => ({ at: x(date), text: timeText(date, lastMs - firstMs) }))
  return [
    ...panelOf(panels.total, total, ticks),
    ...series.map((each) => sizeLine(each, x, total.y, lastMs)),
    ...panelOf(panels.added, added, ticks),
    ...[...days].flatMap(([day, bytes]) => bars(day, bytes, series, x, added.y)),
  ]
}

/** The first labels in their order of appearance; all that are left are one. */
function seriesOf(points: readonly PlotPoint[]): Series[] {
  const byLabel = new Map<string, PlotPoint[]>()
  const labels = [...new Set(points.map(({ label }) => label))]
  const own = new Set(labels.length > colours.length ? labels.slice(0, colours.length - 1) : labels)
  for (const point of points) {
    const label = own.has(point.label) ? point.label : others
    const list = byLabel.get(label) ?? []
    byLabel.set(label, list)
    list.push(point)
  }
  return [...byLabel].map(([label, list], i) => ({
    label,
    colour: colours[i % colours.length],
    points: list,
  }))
}

/** Added bytes by the beginning of the day, in the order of the series. */
function addedByDay(series: readonly Series[]): Map<number, number[]> {
  const days = new Map<number, number[]>()
  for (const [i, { points }] of series.entries()) {
    for (const { timeMs, addedBytes } of points) {
      const day = dayOf(timeMs)
      const bytes = days.get(day) ?? series.map(() => 0)
      bytes[i] += addedBytes
      days.set(day, bytes)
    }
  }
  return days
}

/** Ticks at round numbers of the largest unit that fits. */
function bytesScale(
  mostBytes: number,
  { top, bottom }: { top: number; bottom: number },
): { y: Scale; ticks: { at: number; text: string }[] } {
  const unit = 1024 ** Math.max(0, Math.floor(Math.log2(Math.max(1, mostBytes)) / 10))
  const inUnits = scaleLinear([0, Math.max(1, mostBytes) / unit], [bottom, top]).nice(4)
  const y = (bytes: number): number => inUnits(bytes / unit)
  const ticks = inUnits.ticks(4).map((value) => ({
    at: inUnits(value),
    text: value === 0 ? '0' : formatByteSize(Math.round(value * unit)),
  }))
  return { y, ticks }
}

function panelOf(
  { title, top, bottom }: { title: string; top: number; bottom: number },
  { ticks }: { ticks: readonly { at: number; text: string }[] },
  times: readonly { at: number; text: string }[],
): string[] {
  const right = width - margin.right
  return [
    `<text x="${margin.left}" y="${top - 10}" fill="${ink}">${title}</text>`,
    ...ticks.flatMap(({ at, text }) => [
      `<path d="M${margin.left} ${px(at)}H${right}" stroke="${ink}" stroke-opacity="0.3"/>`,
      words(text, margin.left - 8, at + 4, 'end'),
    ]),
    ...times.flatMap(({ at, text }) => [
      `<path d="M${px(at)} ${bottom}v5" stroke="${ink}"/>`,
      words(text, at, bottom + 18, 'middle'),
    ]),
  ]
}

/** A line of steps from snapshot to snapshot, with a dot at each if they are few. */
function sizeLine({ points, colour }: Series, x: Scale, y: Scale, lastMs: number): string {
  const last = points[points.length - 1]
  const corners: [number, number][] = [
    ...points,
    { ...last, timeMs: Math.min(last.timeMs, lastMs) },
  ].map(({ timeMs, totalBytes }) => [x(timeMs), y(totalBytes)])
  const path = line().curve(curveStepAfter).digits(1)(corners) ?? ''
  const isSparse = points.length <= 60
  const dots = isSparse
    ? corners
        .slice(0, -1)
        .map(([cx, cy]) => `<circle cx="${px(cx)}" cy="${px(cy)}" r="2.5" fill="${colour}"/>`)
    : []
  return [`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots].join('\n')
}

/** One on top of the other. */
function bars(
  day: number,
  bytes: readonly number[],
  series: readonly Series[],
  x: Scale,
  y: Scale,
): string[] {
  const left = x(day)
  const barWidth = Math.min(40, Math.max(1, (x(day + dayMs) - left) * 0.8))
  const middle = (left + x(day + dayMs)) / 2
  let below = 0
  return bytes.flatMap((each, i) => {
    if (each === 0) return []
    const [bottom, top] = [y(below), y(below + each)]
    below += each
    return [
      `<rect x="${px(middle - barWidth / 2)}" y="${px(top)}" width="${px(barWidth)}" height="${px(bottom - top)}" fill="${series[i].colour}"/>`,
    ]
  })
}

/** Nothing for one label: the title says whose it is. */
function legend(series: readonly Series[]): string[] {
  if (series.length < 2) return []
  const step = (width - margin.left - margin.right) / colours.length
  return series.flatMap(({ label, colour }, i) => {
    const left = margin.left + i * step
    return [
      `<rect x="${px(left)}" y="${margin.top - 9}" width="10" height="10" fill="${colour}"/>`,
      words(plainText(label === '' ? 'no name' : label, 16), left + 15, margin.top, 'start'),
    ]
  })
}

function words(text: string, x: number, y: number, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}" fill="${ink}">${escaped(text)}</text>`
}

/** A day; an hour where there are few days. */
function timeText(date: Date, spanMs: number): string {
  const text = date.toISOString()
  return spanMs <= 3 * dayMs ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(0, 10)
}

function isSize(bytes: number): boolean {
  return bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER
}

function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs) * dayMs
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}

/** Of any number of them; 0 for none. */
function most(values: readonly number[]): number {
  return values.reduce((all, value) => Math.max(all, value), 0)
}

/** A coordinate, to a tenth. */
function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escaped(text: string): string {
  return plainText(text, 120)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
