/** All that an index says of holds, as the fewest records that say it. */
import type { StorageIndex } from '../request.ts'
import type { Hold } from './held-object.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldRecord, RecordedHold } from './hold-record.ts'

/** Objects read from the index at once. */
const pageObjects = 4096

type HeldRecord = Extract<HoldRecord, { kind: 'held' }> & { holds: RecordedHold[] }

interface Releases {
  hold: Hold
  storageIndexes: StorageIndex[]
}

/** Groups of records, each of which fits into memory; to be written before anything changes. */
export function* snapshotOf(index: HoldIndex, atMs: number): Generator<HoldRecord[]> {
  for (const { account, author, releaseSeq } of index.releases()) {
    yield [{ kind: 'released', atMs, account, author, releaseSeq, cutoffMs: 0, storageIndexes: [] }]
  }
  let after: StorageIndex | undefined
  for (;;) {
    const { objects, complete } = index.page({ after, limit: pageObjects })
    const held = new Map<string, HeldRecord>()
    const released = new Map<string, Releases>()
    for (const { storageIndex, object } of objects) {
      for (const hold of object.holds) {
        addHold(held, hold, { storageIndex, chargedBytes: object.chargedBytes }, atMs)
        if (hold.releasedMs > 0) addRelease(released, hold, storageIndex)
      }
    }
    yield [
      ...held.values(),
      ...[...released.values()].map(({ hold, storageIndexes }) => releaseOf(hold, storageIndexes)),
    ]
    if (complete) return
    after = objects.at(-1)?.storageIndex
  }
}

function addRelease(into: Map<string, Releases>, hold: Hold, storageIndex: StorageIndex): void {
  const key = `${hold.holder} ${hold.releasedMs} ${hold.cutoffMs}`
  const releases = into.get(key) ?? { hold, storageIndexes: [] }
  releases.storageIndexes.push(storageIndex)
  into.set(key, releases)
}

function addHold(
  into: Map<string, HeldRecord>,
  { holder, payer, touchedMs, expiresMs }: Hold,
  of: Pick<RecordedHold, 'storageIndex' | 'chargedBytes'>,
  atMs: number,
): void {
  const key = `${holder} ${payer}`
  const record = into.get(key) ?? { kind: 'held', atMs, holder, payer, holds: [] }
  record.holds.push({ ...of, touchedMs, expiresMs })
  into.set(key, record)
}

/** Dated as it was carried out: quarantine goes on from there. */
function releaseOf(hold: Hold, storageIndexes: StorageIndex[]): HoldRecord {
  const { holder: account, releasedMs: atMs, cutoffMs } = hold
  const author = new Uint8Array(32)
  return { kind: 'released', atMs, account, author, releaseSeq: 0, cutoffMs, storageIndexes }
}
