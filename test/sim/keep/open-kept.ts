/** The process of a server that keeps shares and holds: all that is real, and no timer of its own. */
import { type Admission, freeTerms, openAdmission } from '../../../src/storage/admission.ts'
import { soleWriter } from '../../../src/storage/disk-store.ts'
import type { Trace } from '../../../src/base/trace.ts'
import {
  DiskHoldJournal,
  type JournalLimits,
} from '../../../src/storage/holds/disk-hold-journal.ts'
import type { OpenHolds } from '../../../src/storage/holds/hold-keeper.ts'
import { MemoryHoldIndex } from '../../../src/storage/holds/memory-hold-index.ts'
import { DiskSweepMemory } from '../../../src/storage/holds/sweep-memory.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { diskScrubRecord } from '../../../src/storage/scrub/scrub-state.ts'
import { Scrubber } from '../../../src/storage/scrub/scrubber.ts'
import { storeRoot } from '../ledger.ts'
import type { SimRandom } from '../sim-random.ts'
import type { Premises } from '../sim-server.ts'
import type { KeepOptions } from './keep-plan.ts'

/** So small that a month fills some segments, and they are put into one now and then. */
const limits: JournalLimits = { segmentBytes: 256, endedBytes: 512 }

/** What runs at a server now. */
export interface Kept {
  peer: LocalPeer
  scrubber: Scrubber
}

/** The index of holds is in memory: each start builds it anew from the journal and the shares. */
export async function openKept(
  { disk, store, clock, id, reserveBytes }: Premises,
  { quarantineDays, quotaBytes }: KeepOptions,
  random: SimRandom,
  trace: Trace,
): Promise<Kept> {
  await store.open()
  const directory = `${storeRoot}/holds`
  const open = async (): Promise<OpenHolds> => ({
    journal: await DiskHoldJournal.open({
      ...{ disk, directory, clock, writers: soleWriter, trace, limits },
    }),
    index: new MemoryHoldIndex(),
    memory: new DiskSweepMemory(disk, directory),
  })
  const holds = { open, random, admission: admissionOf(quotaBytes), quarantineDays }
  const peer = new LocalPeer({ id, store, clock, reserveBytes, holds })
  const record = diskScrubRecord({ disk, root: storeRoot })
  return { peer, scrubber: new Scrubber({ id, store, record, clock }) }
}

/** Everyone is admitted, and whoever asks on an account is charged to it. */
function admissionOf(quotaBytes: number | undefined): Admission {
  return {
    ...openAdmission,
    admit: (_client, _wish, payer) =>
      payer === undefined
        ? { admitted: true, ...freeTerms }
        : { admitted: true, ...freeTerms, payer, quotaBytes },
  }
}
