/**
 * The journal of holds: what a server has acknowledged of them (docs/specs/holds.md, "Journal"). An
 * index can be lost; this may not be.
 */
import type { HoldIndex } from './hold-index.ts'
import type { HoldRecord } from './hold-record.ts'

export interface HoldJournal {
  /** Must have resolved before anything of an index changes that lies on disk. Throws E_FULL, E_IO. */
  begin(): Promise<void>
  /**
   * Adds records, in the order of the calls; none, to wait for those before. If `durable`, it resolves
   * when they would survive a power cut, and everything before them too. Throws E_FULL, E_IO; later calls may succeed again.
   */
  append(records: readonly HoldRecord[], options: { durable: boolean }): Promise<void>
  /** Whether no other process has changed the index since this one was opened. Throws E_IO. */
  isAlone(): Promise<boolean>
  /**
   * To be called before records are added that the index is changed by only then, and what it gives once
   * it is: until then they are not put away.
   */
  pin(): () => void
  /** Brings `index` up to what the journal said when it was opened; what is added is to be in that from then on. */
  replay(index: HoldIndex): Promise<void>
  /** Ends it in order: `index`, which is closed too, has all that was added. */
  close(index: HoldIndex): Promise<void>
}

/** Of a server whose shares do not outlive it either. */
export class NoHoldJournal implements HoldJournal {
  async begin(): Promise<void> {}

  async append(): Promise<void> {}

  async isAlone(): Promise<boolean> {
    return true
  }

  pin(): () => void {
    return () => {}
  }

  async replay(): Promise<void> {}

  async close(index: HoldIndex): Promise<void> {
    await index.close()
  }
}
