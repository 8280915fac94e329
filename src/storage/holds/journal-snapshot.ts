/**
 * All that an index says of holds, as the fewest records that say it, whatever of the records it came from
 * is carried out before them (docs/specs/holds.md, "Journal"). It is read beside serving: page by page,
 * each as it is then. What changes meanwhile is recorded elsewhere, and carried out after these.
 */
import type { StorageIndex } from '../request.ts'
import { type Hold, type Holder, isAccount } from './held-object.ts'
import type { HoldIndex } from './hold-index.ts'
import type { HoldRecord, RecordedHold } from './hold-record.ts'

/** Objects read from the index at once: a few ms, in which nobody is served. */
const pageObjects = 256
/** Holds gathered in memory, so that those of one holder come together. */
const gatheredHolds = 4096
/** Holds in one record at most: to make its bytes takes as long as a page. */
const recordHolds = 512

/** What a row of an index takes, at most unless there are about as many holders. */
const rowBytes = 64

/** Of no author: what it says was said before by releases of their own. */
const noAuthor = new Uint8Array(32)

export interface SnapshotOptions {
  /** When what it says was so, by the journal's time. */
  atMs: number
  /** Called between pages: lets others have their turn, or rejects to end it. */
  pause: () => Promise<void>
}

/** About how many bytes a snapshot would take: half as many or less, where each object has one hold. */
export function likelyBytes({ rowCount }: HoldIndex): number {
  return rowBytes * rowCount
}

/** Groups of records, each of which fits into memory. */
export async function* snapshotOf(
  index: HoldIndex,
  { atMs, pause }: SnapshotOptions,
): AsyncGenerator<HoldRecord[]> {
  const releases = index.releases()
  const released = new Set(releases.map(({ account }) => account))
  for (const { account, author, releaseSeq } of releases) {
    yield [{ kind: 'released', atMs, account, author, releaseSeq, cutoffMs: 0, storageIndexes: [] }]
  }
  let after: StorageIndex | undefined
  let gathered = new Gathered(atMs, released)
  for (;;) {
    const { objects, complete } = index.page({ after, limit: pageObjects })
    for (const { storageIndex, object } of objects) {
      for (const hold of object.holds) {
        gathered.add(hold, { storageIndex, chargedBytes: object.chargedBytes })
      }
    }
    if (complete || gathered.count >= gatheredHolds) {
      yield* gathered.records()
      gathered = new Gathered(atMs, released)
    }
    if (complete) return
    after = objects.at(-1)?.storageIndex ?? after
    await pause()
  }
}

interface Held {
  holder: Holder
  payer: Holder | undefined
  holds: RecordedHold[]
}

interface Ended {
  hold: Hold
  storageIndexes: StorageIndex[]
}

/** Holds by what their records have in common. */
class Gathered {
  readonly #atMs: number
  /** Accounts that ever released anything. */
  readonly #releasing: ReadonlySet<Holder>
  readonly #held = new Map<string, Held>()
  readonly #takenBack = new Map<Holder, StorageIndex[]>()
  readonly #released = new Map<string, Ended>()
  count = 0

  constructor(atMs: number, releasing: ReadonlySet<Holder>) {
    this.#atMs = atMs
    this.#releasing = releasing
  }

  add(hold: Hold, of: Pick<RecordedHold, 'storageIndex' | 'chargedBytes'>): void {
    const { holder, payer, touchedMs, expiresMs, releasedMs, cutoffMs } = hold
    const held = placeOf(this.#held, `${holder} ${payer}`, () => ({ holder, payer, holds: [] }))
    held.holds.push({ ...of, touchedMs, expiresMs })
    this.count++
    if (isAccount(holder) && this.#releasing.has(holder)) {
      placeOf(this.#takenBack, holder, () => []).push(of.storageIndex)
    }
    // released, or purged, as what clients without an account hold can be too
    if (releasedMs === 0) return
    const key = `${holder} ${releasedMs} ${cutoffMs}`
    placeOf(this.#released, key, () => ({ hold, storageIndexes: [] })).storageIndexes.push(
      of.storageIndex,
    )
  }

  /**
   * First that they are held; then that no release counts, as an earlier one may be read without what took
   * it back; then the releases that count.
   */
  *records(): Generator<HoldRecord[]> {
    const atMs = this.#atMs
    for (const { holder, payer, holds } of this.#held.values()) {
      yield inParts(holds).map((holds) => ({ kind: 'held', atMs, holder, payer, holds }))
    }
    for (const [account, storageIndexes] of this.#takenBack) {
      yield releasesOf({ atMs, account, cutoffMs: 0 }, storageIndexes)
    }
    // dated as they were carried out: quarantine goes on from there; where one is of later than the others,
    // what else was recorded until then is read before it
    const released = [...this.#released.values()]
    released.sort((a, b) => a.hold.releasedMs - b.hold.releasedMs)
    for (const { hold, storageIndexes } of released) {
      const { holder: account, releasedMs: atMs, cutoffMs } = hold
      yield releasesOf({ atMs, account, cutoffMs }, storageIndexes)
    }
  }
}

function releasesOf(
  of: { atMs: number; account: Holder; cutoffMs: number },
  storageIndexes: readonly StorageIndex[],
): HoldRecord[] {
  return inParts(storageIndexes).map((part) => ({
    ...{ kind: 'released', ...of, author: noAuthor, releaseSeq: 0, storageIndexes: part },
  }))
}

function placeOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

function inParts<T>(rows: readonly T[]): T[][] {
  const parts: T[][] = []
  for (let from = 0; from < rows.length; from += recordHolds) {
    parts.push(rows.slice(from, from + recordHolds))
  }
  return parts
}
