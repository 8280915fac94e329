/** What a prune should not do unasked (docs/specs/prune.md, "Doubts"). */
import { dayMs } from './calendar.ts'
import type { HeldShare } from './garbage.ts'
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
  /** What each server that told holds. */
  servers: readonly HeldShare[]
}

const maxFreedPart = 0.5
const maxReplacedPart = 0.3
const suspectMs = 90 * dayMs

export function doubtsOf(doubtful: Doubtful): Doubt[] {
  const { servers } = doubtful
  const heldBytes = servers.reduce((sum, each) => sum + each.heldBytes, 0)
  const freedBytes = servers.reduce((sum, each) => sum + each.freedBytes, 0)
  // one that says it holds far more than it does drowns what the others say, but is one of them
  const shrinking = servers.filter(isShrinking).length
  const shrinks = isShrinking({ heldBytes, freedBytes }) || shrinking > servers.length / 2
  const doubts: Doubt[] = shrinks ? [{ kind: 'shrinks', heldBytes, freedBytes }] : []
  return [...doubts, ...replacedIn(doubtful)]
}

function isShrinking({ heldBytes, freedBytes }: HeldShare): boolean {
  return freedBytes > maxFreedPart * heldBytes
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
  const measured = dropped.has(before.id) ? 0 : (newBytes.get(id) ?? 0)
  const added = Math.max(measured, addedBytes ?? 0)
  // whatever it says: there is no more in it than there was, and what came to it
  const bytes = Math.max(1, Math.min(totals.bytes, before.totals.bytes + added))
  const gone = (before.totals.files - totals.files) / Math.max(1, before.totals.files)
  return Math.min(1, Math.max(added / bytes, gone))
}
