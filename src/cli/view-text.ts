/** A running node at one moment, as `grid top` shows it. */
import { formatByteSize } from '../base/byte-size.ts'
import { plainText } from '../base/plain-text.ts'
import type { NodeView } from '../node/running/own-verbs.ts'
import type { ScrubReport } from '../storage/scrub/scrubber.ts'
import type { Facts } from './output.ts'
import { isoText, momentText, spanText } from './time-text.ts'

/** Lines for a terminal of so many columns; rates are those since `before`. */
export function viewText(view: NodeView, before: NodeView | undefined, columns: number): string {
  const { peerId, nickname, software, upMs, memoryBytes, connections, peers } = view
  const rates = ratesOf(view, before)
  const lines = [
    `${nickname === '' ? 'node' : nickname}  ${peerId}  ${software}  up ${spanText(upMs)}`,
    `memory ${formatByteSize(memoryBytes)}  connections ${connections}  peers ${peers}`,
    `in ${formatByteSize(rates.inBytesPerSecond)}/s (${formatByteSize(view.inBytes)})  ` +
      `out ${formatByteSize(rates.outBytesPerSecond)}/s (${formatByteSize(view.outBytes)})`,
    ...storageLines(view),
    '',
    `${'request'.padEnd(16)}${'count'.padStart(10)}${'a second'.padStart(10)}${'failed'.padStart(10)}${'now'.padStart(6)}`,
    ...Object.entries(view.requests).map(([verb, { requests, failed, underWay }]) => {
      const rate = (rates.requestsPerSecond[verb] ?? 0).toFixed(1)
      const columns = [
        String(requests).padStart(10),
        rate.padStart(10),
        String(failed).padStart(10),
      ]
      return `${verb.padEnd(16)}${columns.join('')}${String(underWay).padStart(6)}`
    }),
  ]
  return lines.map((line) => plainText(line, Math.max(20, columns - 1))).join('\n')
}

export function viewFacts(view: NodeView, before: NodeView | undefined): Facts {
  const { storage, scrub, nowMs, ...rest } = view
  return {
    ...rest,
    time: isoText(nowMs),
    rates: ratesOf(view, before),
    storage: storage ?? null,
    scrub: scrub === undefined ? null : scrubFacts(scrub),
  }
}

/** `read through last 2026-01-02 03:04:05Z: 812 shares, 0 damaged`. */
export function scrubText({ lastFull, running }: ScrubReport): string {
  const last =
    lastFull === undefined
      ? 'not all shares have been read through yet'
      : `all shares were read through by ${momentText(lastFull.endedMs)}: ${lastFull.checked}, ${lastFull.damaged} damaged, ${lastFull.lost} lost`
  if (running === undefined) return last
  return `${last}; reading now: ${running.checked} so far, ${running.damaged} damaged`
}

export function scrubFacts({ lastFull, running }: ScrubReport): Facts {
  return {
    running: running ?? null,
    lastFull: lastFull
      ? {
          ...lastFull,
          startedMs: undefined,
          endedMs: undefined,
          started: isoText(lastFull.startedMs),
          ended: isoText(lastFull.endedMs),
        }
      : null,
  }
}

function storageLines({ storage, scrub }: NodeView): string[] {
  if (storage === undefined) return ['keeps no shares']
  const { shareCount, shareBytes, diskBytes, freeBytes, damagedCount, quarantinedCount } = storage
  const words = [
    `shares ${shareCount}`,
    formatByteSize(shareBytes),
    `on disk ${formatByteSize(diskBytes)}`,
    storage.readOnly ? 'takes no more' : `free ${formatByteSize(freeBytes)}`,
  ]
  if (quarantinedCount > 0) words.push(`in quarantine ${quarantinedCount}`)
  if (damagedCount > 0) words.push(`DAMAGED ${damagedCount}`)
  return [words.join('  '), ...(scrub === undefined ? [] : [scrubText(scrub)])]
}

interface Rates {
  inBytesPerSecond: number
  outBytesPerSecond: number
  requestsPerSecond: Readonly<Record<string, number>>
}

/** Of the time since `before`, or since the node began. */
function ratesOf(view: NodeView, before: NodeView | undefined): Rates {
  const seconds = Math.max(0.001, (view.upMs - (before?.upMs ?? 0)) / 1000)
  const rate = (now: number, then = 0): number => Math.max(0, Math.round((now - then) / seconds))
  return {
    inBytesPerSecond: rate(view.inBytes, before?.inBytes),
    outBytesPerSecond: rate(view.outBytes, before?.outBytes),
    requestsPerSecond: Object.fromEntries(
      Object.entries(view.requests).map(([verb, { requests }]) => {
        const then = before?.requests[verb]?.requests ?? 0
        return [verb, Math.round((10 * (requests - then)) / seconds) / 10]
      }),
    ),
  }
}
