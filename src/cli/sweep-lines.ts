/** How a sweep looks on a terminal, and in JSON. */
import { formatByteSize } from '../base/byte-size.ts'
import type { Amount } from '../storage/holds/sweep-look.ts'
import type { SweepReport } from '../storage/holds/sweeper.ts'
import type { Facts } from './output.ts'
import { isoText, momentText } from './time-text.ts'

export function sweepFacts(name: string, report: SweepReport): Facts {
  const { nextMs, clockUntilMs, refusal, ...rest } = report
  return {
    ...{ name, ...rest, next: isoText(nextMs), refusal: refusal ?? null },
    clockUntil: isoText(clockUntilMs),
  }
}

/** What is due, what waits, and why nothing goes; one line. */
export function sweepLine(name: string, report: SweepReport): string {
  const { deletedShares, deletedBytes, due, waiting, nextMs } = report
  const words = [due.objects === 0 ? 'nothing is due' : `${amountText(due)} are due`]
  if (deletedShares > 0)
    words.push(`${deletedShares} shares were deleted (${formatByteSize(deletedBytes)})`)
  if (nextMs !== undefined)
    words.push(`${amountText(waiting)} wait in quarantine, the next until ${momentText(nextMs)}`)
  const why = refusalText(report)
  return `${name}: ${[...words, ...(why === undefined ? [] : [why])].join('; ')}`
}

/** Such as `3 objects (9 shares, 1.2 MiB)`. */
export function amountText({ objects, shares, bytes }: Amount): string {
  return `${objects} objects (${shares} shares, ${formatByteSize(bytes)})`
}

function refusalText({ refusal, clockUntilMs, freeShares }: SweepReport): string | undefined {
  switch (refusal) {
    case 'index':
      return 'the index of holds may not know every share: a sweep looks at all of them first'
    case 'clock':
      return `nothing goes before ${momentText(clockUntilMs ?? NaN)}, since the clock jumped, or nothing ran here for long; if it is right now: --trust-clock`
    case 'consent':
      return `more than ${freeShares} shares go only if you agree: --consent`
    case undefined:
      return undefined
  }
}
