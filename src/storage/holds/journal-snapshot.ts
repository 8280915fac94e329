/** All that an index says of holds, as the fewest records that say it. */
import type { StorageIndex } from '../request.ts'
import type { Hold, Holder } from './held-object.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldRecord, RecordedHold } from './hold-record.ts'

/** Objects read from the index at once. */
const pageObjects = 4096

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
    const held = new Map<Holder, RecordedHold[]>()
    const released = new Map<string, Releases>()
    for (const { storageIndex, object } of objects) {
      for (const hold of object.holds) {
        const { holder, touchedMs, expiresMs } = hold
        const { chargedBytes } = object
        const recorded = { storageIndex, chargedBytes, touchedMs, expiresMs }
        pushTo(held, holder, recorded)
        if (hold.releasedMs > 0) addRelease(released, hold, storageIndex)
      }
    }
    yield [
      ...[...held].map(([holder, holds]): HoldRecord => ({ kind: 'held', atMs, holder, holds })),
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

function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}

/** Dated as it was carried out: quarantine goes on from there. */
function releaseOf(hold: Hold, storageIndexes: StorageIndex[]): HoldRecord {
  const { holder: account, releasedMs: atMs, cutoffMs } = hold
  const author = new Uint8Array(32)
  return { kind: 'released', atMs, account, author, releaseSeq: 0, cutoffMs, storageIndexes }
}
