/** The storage of a running node: shares, logs and holds in one directory, and what is done for them in the background. */
import { type Clock, sleep } from '../../base/clock.ts'
import type { Disk } from '../../base/disk.ts'
import { errorText } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import type { Trace } from '../../base/trace.ts'
import { version } from '../../base/version.ts'
import type { Admission } from '../../storage/admission.ts'
import { DiskLogStore } from '../../storage/disk-log-store.ts'
import { DiskStore } from '../../storage/disk-store.ts'
import { DiskUsage } from '../../storage/disk-usage.ts'
import { openDiskHolds } from '../../storage/holds/open-holds.ts'
import { LocalPeer } from '../../storage/local-peer.ts'
import { diskScrubRecord } from '../../storage/scrub/scrub-state.ts'
import { Scrubber } from '../../storage/scrub/scrubber.ts'
import type { Traffic } from '../../storage/traffic.ts'
import type { Config } from '../home/config.ts'
import { processWriters } from '../peers/store-writers.ts'
import { sweepAndTell } from './own-sweep.ts'

export interface OwnStorageParts {
  /** Peer id. */
  id: string
  identitySeed: Uint8Array
  config: Config['storage']
  admission: Admission
  disk: Disk
  clock: Clock
  random: Random
  trace: Trace
  traffic: Traffic
  /** See `IndexRowsOptions`. */
  forgetMapped: ((path: string) => void) | undefined
}

export interface OwnStorage {
  storage: LocalPeer
  scrubber: Scrubber
}

/** After a start there are more urgent things. */
const firstSweepMs = 10 * 60_000
const sweepEveryMs = 6 * 3_600_000

/** Throws E_IO. */
export async function openOwnStorage(parts: OwnStorageParts): Promise<OwnStorage> {
  const { id, config, admission, disk, clock, random, trace, traffic, forgetMapped } = parts
  const { directory, reserveBytes, readOnly, leaseDays, quarantineDays } = config
  const place = { disk, root: directory, writers: processWriters }
  const store = new DiskStore(place)
  await store.open()
  // the home's lock keeps other nodes away, and commands use a running node
  const logStore = new DiskLogStore({ ...place, alone: true })
  await logStore.open()
  const open = (): ReturnType<typeof openDiskHolds> =>
    openDiskHolds({ ...place, clock, trace, forgetMapped })
  const storage = new LocalPeer({
    ...{ id, store, clock, trace, software: version, reserveBytes, readOnly },
    usage: new DiskUsage({ disk, clock, root: directory }),
    logs: { store: logStore, seed: parts.identitySeed },
    holds: { open, random, admission, leaseDays, quarantineDays },
  })
  const scrubber = new Scrubber({
    ...{ id, store, clock, trace },
    record: diskScrubRecord({ disk, root: directory }),
    isBusy: () => traffic.isBusy,
    onDamaged: (share) => storage.noteDamaged(share),
    expected: () => storage.expectedShares(),
  })
  return { storage, scrubber }
}

/** Deletes what is due, every few hours, until the signal aborts; rejects with its reason. */
export async function sweepNowAndThen(
  storage: LocalPeer,
  { clock, trace, signal }: { clock: Clock; trace: Trace; signal: AbortSignal },
): Promise<never> {
  await sleep(clock, firstSweepMs, { signal })
  for (;;) {
    try {
      await sweepAndTell(storage, trace, { signal })
    } catch (error) {
      signal.throwIfAborted()
      trace.event('sweep.failed', { cause: errorText(error) })
    }
    await sleep(clock, sweepEveryMs, { signal })
  }
}
