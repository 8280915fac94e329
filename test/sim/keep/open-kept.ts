/** The process of a server that keeps shares and holds: all that is real, and no timer of its own. */
import { soleWriter } from '../../../src/storage/disk-store.ts'
import { type Admission, freeTerms, openAdmission } from '../../../src/storage/admission.ts'
import { DiskHoldJournal } from '../../../src/storage/holds/disk-hold-journal.ts'
import { MemoryHoldIndex } from '../../../src/storage/holds/memory-hold-index.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { isDue } from '../../../src/storage/holds/apply-record.ts'
import { onDisk } from '../../../src/storage/disk-failure.ts'
import { shareName, sharePrefix } from '../../../src/storage/share-name.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { diskScrubRecord } from '../../../src/storage/scrub/scrub-state.ts'
import { Scrubber } from '../../../src/storage/scrub/scrubber.ts'
import { storeRoot } from '../ledger.ts'
import type { Premises } from '../sim-server.ts'
import type { SimRandom } from '../sim-random.ts'
import type { KeepOptions } from './keep-plan.ts'

/** What runs at a server now. */
export interface Kept {
  peer: StoragePeer
  scrubber: Scrubber
  /** One run of what deletes; how many shares it deleted. */
  sweep(consent: boolean): Promise<number>
}

/** The index of holds is in memory: each start builds it anew from the journal and the shares. */
export async function openKept(
  premises: Premises,
  { quarantineDays, quotaBytes }: KeepOptions,
  random: SimRandom,
): Promise<Kept> {
  const { disk, store, clock, id } = premises
  await store.open()
  const directory = `${storeRoot}/holds`
  const journal = await DiskHoldJournal.open({ disk, directory, clock, writers: soleWriter })
  const index = new MemoryHoldIndex()
  const admission: Admission = {
    ...openAdmission,
    // whoever asks on the account is charged to it
    admit: (_client, _wish, payer) =>
      payer === undefined
        ? { admitted: true, ...freeTerms }
        : { admitted: true, ...freeTerms, payer, quotaBytes },
  }
  const peer = new LocalPeer({
    ...{ id, store, clock, reserveBytes: premises.reserveBytes },
    holds: { index, journal, random, admission, quarantineDays },
  })
  const record = diskScrubRecord({ disk, root: storeRoot })
  const scrubber = new Scrubber({ id, store, record, clock })
  // INTERIM
  const sweep = async (): Promise<number> => {
    let n = 0
    const nowMs = clock.nowMs()
    for (const { storageIndex, object } of index.page({ after: undefined, limit: 1000 }).objects) {
      if (object.holds.length === 0 || !isDue(object, quarantineDays * 86_400_000, nowMs)) continue
      const numbers = await store.list(storageIndex)
      await index.change((w) => w.setObject(storageIndex, undefined))
      for (const number of numbers) {
        const name = shareName(storageIndex, number)
        const dir = `${storeRoot}/shares/${sharePrefix(name)}`
        await onDisk('write', disk.unlink(`${dir}/${name}`))
        await onDisk('sync', disk.syncDirectory(dir))
        n++
      }
      await journal.append([{ kind: 'gone', atMs: nowMs, storageIndexes: [storageIndex] }], {
        durable: true,
      })
    }
    return n
  }
  return { peer, scrubber, sweep }
}
