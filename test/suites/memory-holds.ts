/** Holds of a server that does not outlive its process. */
import type { OpenHolds } from '../../src/storage/holds/hold-keeper.ts'
import { NoHoldJournal } from '../../src/storage/holds/hold-journal.ts'
import { BriefSweepMemory } from '../../src/storage/holds/sweep-memory.ts'
import { MemoryHoldIndex } from '../../src/storage/holds/memory-hold-index.ts'

export async function memoryHolds(): Promise<OpenHolds> {
  const memory = new BriefSweepMemory()
  return { index: new MemoryHoldIndex(), journal: new NoHoldJournal(), memory }
}
