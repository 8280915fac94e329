/** What a prune should not do unasked (docs/specs/prune.md, "Doubts"). */
import { dayMs } from './calendar.ts'
import type { Plan } from './plan.ts'
import type { Prunable } from './prunable.ts'

export type Doubt =
  /** More than half of what is held would be given up. */
  | { kind: 'shrinks'; heldBytes: number; freedBytes: number }
  /** A snapshot has replaced much of the one before, of which no older ones would be left. */
  | { kind: 'replaced'; snapshot: Prunable; part: number }

export interface Doubtful {
  nowMs: number
  snapshots: readonly Prunable[]
  plan: Plan
  /** Ciphertext bytes that kept snapshots have added, by id. */
  newBytes: ReadonlyMap<string, number>
  heldBytes: number
  freedBytes: number
}

const maxFreedPart = 0.5
const maxReplacedPart = 0.3
const suspectMs = 90 * dayMs

export function doubtsOf(doubtful: Doubtful): Doubt[] {
  const { heldBytes, freedBytes } = doubtful
  const shrinks = freedBytes > maxFreedPart * heldBytes
  const doubts: Doubt[] = shrinks ? [{ kind: 'shrinks', heldBytes, freedBytes }] : []
  return [...doubts, ...replacedIn(doubtful)]
}

function* replacedIn({ nowMs, snapshots, plan, newBytes }: Doubtful): Generator<Doubt> {
  const dropped = new Set(plan.dropped)
  const series = new Map<string, Prunable[]>()
  for (const each of snapshots) {
    const key = `${each.chain} ${each.series}`
    series.set(key, [...(series.get(key) ?? []), each])
  }
  for (const all of series.values()) {
    let isAnyDropped = false
    let before: Prunable | undefined
    for (const snapshot of all) {
      const part = before === undefined ? 0 : replacedPart(before, snapshot, dropped, newBytes)
      const isLate = (snapshot.receivedMs ?? nowMs) >= nowMs - suspectMs
      if (isAnyDropped && isLate && part > maxReplacedPart)
        yield { kind: 'replaced', snapshot, part }
      isAnyDropped ||= dropped.has(snapshot.id)
      before = snapshot
    }
  }
}

/** By its own word, by what it really added where that is known, and by files that are gone. */
function replacedPart(
  before: Prunable,
  { id, totals, addedBytes }: Prunable,
  dropped: ReadonlySet<string>,
  newBytes: ReadonlyMap<string, number>,
): number {
  const bytes = Math.max(1, totals.bytes)
  const measured = dropped.has(before.id) ? 0 : (newBytes.get(id) ?? 0)
  const gone = (before.totals.files - totals.files) / Math.max(1, before.totals.files)
  return Math.min(1, Math.max((addedBytes ?? 0) / bytes, measured / bytes, gone))
}
