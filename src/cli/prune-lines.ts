/** What a prune is going to do, for people and programs. */
import { formatByteSize } from '../base/byte-size.ts'
import type { Doubt } from '../backup/prune/doubts.ts'
import type { KeptSnapshot } from '../backup/prune/plan.ts'
import type { Prunable } from '../backup/prune/prunable.ts'
import type { PlannedPrune } from '../backup/prune/prune.ts'
import { deviceName } from './log-cap.ts'
import type { Facts, Output } from './output.ts'

/** One line for each snapshot, the oldest first. */
export async function writePlan(output: Output, planned: PlannedPrune): Promise<void> {
  const kept = new Map(planned.plan.kept.map((each) => [each.id, each]))
  const sorted = [...planned.snapshots].sort(
    (a, b) => (a.receivedMs ?? Infinity) - (b.receivedMs ?? Infinity) || a.seq - b.seq,
  )
  for (const each of sorted) await output.item(...lineOf(each, kept.get(each.id)))
}

/** `keep  a2b3c4d5e6  2026-01-02 03:04:05Z  laptop:12  recent, weekly`. */
function lineOf(each: Prunable, kept: KeptSnapshot | undefined): [Facts, string] {
  const { shortId, receivedMs, device, author, seq } = each
  const name = deviceName(device, author)
  const reasons = kept?.reasons ?? []
  const verdict = kept === undefined ? 'drop' : 'keep'
  const received = receivedMs === undefined ? undefined : new Date(receivedMs).toISOString()
  const when = received === undefined ? 'no time' : `${received.slice(0, 19).replace('T', ' ')}Z`
  const facts = { shortId, verdict, reasons, device: name, seq, ...(received && { received }) }
  return [
    facts,
    [verdict, shortId, when, `${name}:${seq}`, reasons.join(', ')].join('  ').trimEnd(),
  ]
}

/** Why it should be looked at first, one line. */
export function doubtText(doubt: Doubt): string {
  if (doubt.kind === 'shrinks')
    return `${formatByteSize(doubt.freedBytes)} of ${formatByteSize(doubt.heldBytes)} would be given up`
  const { snapshot, part } = doubt
  const name = `${deviceName(snapshot.device, snapshot.author)}:${snapshot.seq}`
  return `${name} replaced ${Math.round(part * 100)} % of what was backed up, and older snapshots would go`
}
