/**
 * Sees to it that servers hold what a snapshot is going to stand on, when it is committed
 * (docs/specs/prune.md, "Commit"): a prune may be under way, and knows nothing of it yet. What this
 * run has put is held, and so is what the device's last snapshot stands on; all else is touched.
 */
import { equalBytes, toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import { storageIndexOf } from '../encoding/descriptor.ts'
import type { ChainWriter } from '../log/chain-writer.ts'
import type { LogAccount } from '../node/logs/log-account.ts'
import type { Redundancy } from '../node/placement/placement.ts'
import type { ObjectRef } from '../tree/refs.ts'
import type { RunMemory } from './memory/run-memory.ts'

export interface FreshParts {
  account: LogAccount
  writer: ChainWriter
  clock: Clock
  redundancy: Redundancy
}

/** What was put longer ago is touched again: releases spare what was touched in the last 72 h. */
const freshMs = 47 * 3_600_000
/** A snapshot that is received stays for 30 days, whatever comes after it. */
const trustedMs = 20 * 24 * 3_600_000
const touchedTogether = 16_384

/** When the first object of a run may have been put. */
export interface RunStart {
  monotonicMs: number
  /** By the wall clock: the other one does not count while a machine sleeps. */
  wallMs: number
}

export function startOfRun(clock: Clock): RunStart {
  return { monotonicMs: clock.monotonicMs(), wallMs: clock.nowMs() }
}

/**
 * @throws E_NOT_ENOUGH_SERVERS if too few servers hold something that no put of this run has stored:
 *   `facts.wanting` says how many objects
 */
export async function keepFresh(
  parts: FreshParts,
  memory: RunMemory,
  start: RunStart,
  options: { signal?: AbortSignal },
): Promise<void> {
  const isTrusted = isKept(parts, memory.snapshotId)
  const isLong = elapsedMs(parts.clock, start) > freshMs
  const isAllTouched = memory.before === undefined || isTrusted
  if (isAllTouched && !isLong && !memory.unfinished.wasUsed) return
  const before = isTrusted ? memory.before : undefined
  const { objects } = memory
  objects.settle()
  let wanting = 0
  let batch: ObjectRef[] = []
  for (const object of objects) {
    if (before?.has(object) === true) continue
    if (batch.push(object) < touchedTogether) continue
    wanting += await touched(parts, batch, options)
    batch = []
  }
  if (batch.length > 0) wanting += await touched(parts, batch, options)
  if (wanting === 0) return
  throw new GridError(
    'E_NOT_ENOUGH_SERVERS',
    `${wanting} objects that the backup stands on are held by too few servers`,
    { hint: 'see `grid status` for the servers, and run it again', facts: { wanting } },
  )
}

/** By the clock that went further, whichever way: one that was set may only make a run seem longer. */
function elapsedMs(clock: Clock, { monotonicMs, wallMs }: RunStart): number {
  return Math.max(clock.monotonicMs() - monotonicMs, Math.abs(clock.nowMs() - wallMs))
}

/** Whether prunes keep the snapshot that the cache is of. */
function isKept({ writer, clock }: FreshParts, snapshotId: Uint8Array | undefined): boolean {
  const entry = snapshotId && writer.committed(snapshotId)
  if (entry === undefined) return false
  const newest = writer.newest('snapshot')
  if (newest !== undefined && equalBytes(newest.id, entry.id)) return true
  // a machine that was put back may have got its clock of then, too: it is no earlier than its last entry
  const nowMs = Math.max(clock.nowMs(), newest?.fields.clientMs ?? 0)
  const ageMs = nowMs - entry.fields.clientMs
  return ageMs >= 0 && ageMs <= trustedMs
}

/** How many of `objects` are held by too few. */
async function touched(
  { account, redundancy }: FreshParts,
  objects: readonly ObjectRef[],
  options: { signal?: AbortSignal },
): Promise<number> {
  const indexes = objects.map(({ root }) => storageIndexOf(root))
  const { holders, verdicts } = await account.touch(indexes, options)
  // a server that is away may have it: enough that do make up for what a prune takes from it
  const isWanting = (object: ObjectRef, i: number): boolean => {
    const held = holders.get(toHex(indexes[i])) ?? 0
    return held < object.k || held + verdicts.length < happyOf(object, redundancy)
  }
  return objects.filter(isWanting).length
}

/** How many servers make an object stored, also of one that was coded otherwise than now. */
function happyOf({ k, n }: ObjectRef, redundancy: Redundancy): number {
  if (n === redundancy.n) return Math.max(k, redundancy.happy)
  return Math.max(k, Math.round((n * redundancy.happy) / redundancy.n))
}
