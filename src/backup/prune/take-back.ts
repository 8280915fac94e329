/**
 * Takes back what prunes released, while servers still have it (docs/specs/prune.md, "Taking back").
 * What is in quarantine is touched and, so that it holds for whoever missed that, a release with the
 * cutoff 0 is written too.
 */
import { toHex } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import type { ReadHeader } from '../../log/entry.ts'
import { maxReleasedIndexes, readRelease } from '../../log/release.ts'
import type { PeerVerdict } from '../../node/peers/candidate.ts'
import { indexKey, indexOfKey } from './index-set.ts'
import type { PruneParts } from './prune.ts'
import { pushRelease } from './push.ts'

export interface TakenBack {
  /** Prunes of which the releases were taken back. */
  prunes: number
  objects: number
  /** Of these, objects that are back at some server, and those that no server has any more. */
  readopted: number
  lost: number
  silent: readonly PeerVerdict[]
}

/** The releases of one prune: they share their author and their cutoff. */
interface PastPrune {
  atMs: number
  indexes: Set<string>
}

/**
 * Takes the last `count` prunes back. May be repeated, for servers that did not answer.
 *
 * @throws E_USAGE if the log has no release; E_ABSENT, E_NOT_DURABLE
 */
export async function takeBack(
  { log, account, release }: PruneParts,
  count: number,
  { signal }: { signal?: AbortSignal } = {},
): Promise<TakenBack> {
  const past = await pastPrunes(log, { signal })
  const prunes = past.slice(Math.max(0, past.length - count))
  if (prunes.length === 0)
    throw new GridError('E_USAGE', 'the log has no release that could be taken back')
  const keys = new Set(prunes.flatMap(({ indexes }) => [...indexes]))
  const indexes = [...keys].sort().map(indexOfKey)
  const touched = await account.touch(indexes, { signal })
  const servers = (await account.statuses({ signal })).map(({ server }) => server)
  const silent = new Map(touched.verdicts.map((verdict) => [verdict.peerId, verdict]))
  for (let from = 0; from < indexes.length; from += maxReleasedIndexes) {
    const storageIndexes = indexes.slice(from, from + maxReleasedIndexes)
    const { entry } = await release({ server: undefined, cutoffMs: 0, storageIndexes }, { signal })
    const pushed = await pushRelease(account, entry, servers, { signal })
    for (const verdict of pushed.silent) silent.set(verdict.peerId, verdict)
  }
  const { holders, readopted } = touched
  const lost = indexes.length - holders.size
  const report = { prunes: prunes.length, objects: indexes.length, readopted, lost }
  return { ...report, silent: [...silent.values()] }
}

/** The oldest first. */
async function pastPrunes(
  log: PruneParts['log'],
  options: { signal?: AbortSignal },
): Promise<PastPrune[]> {
  const view = await log.read(options)
  const entries = [...view.entries('release')]
  const times = await log.receiptTimes(view, entries, options)
  const timeOf = ({ id, fields }: ReadHeader): number => times.get(toHex(id)) ?? fields.clientMs
  const past = new Map<string, PastPrune>()
  for (const entry of entries) {
    const { cutoffMs, storageIndexes } = readRelease(await log.body(view, entry, options))
    if (cutoffMs === 0) continue
    const key = `${toHex(entry.fields.author)} ${cutoffMs}`
    const prune = past.get(key) ?? { atMs: 0, indexes: new Set() }
    prune.atMs = Math.max(prune.atMs, timeOf(entry))
    for (const index of storageIndexes) prune.indexes.add(indexKey(index))
    past.set(key, prune)
  }
  return [...past.values()].sort((a, b) => a.atMs - b.atMs)
}
