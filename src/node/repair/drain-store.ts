/**
 * Empties a server: each share that it keeps is put onto another that has none of the same object.
 * Nothing is taken away, and no cap is needed: every server checks for itself what it is given. Going
 * on after an interruption is running it again, since what is there already is only looked for.
 */
import type { Clock } from '../../base/clock.ts'
import { equalBytes } from '../../base/bytes.ts'
import { isGridError } from '../../base/errors.ts'
import { hmac } from '../../base/hash.ts'
import { mapWithin } from '../../base/limit.ts'
import type { Random } from '../../base/random.ts'
import { type Coding, maxShareCount } from '../../encoding/descriptor.ts'
import { isNewerShare } from '../../encoding/newer-share.ts'
import { ShareVerifier } from '../../encoding/share-verifier.ts'
import { maxHaveIndexes } from '../../storage/peer.ts'
import type { ShareEntry, ShareStore } from '../../storage/share-store.ts'
import { type Candidate, type PeerVerdict, verdictOf } from '../peers/candidate.ts'
import { patiently } from '../check/block-audit.ts'
import type { Claim } from '../check/object-check.ts'
import { Presence } from '../check/presence.ts'
import type { PeerHealth } from '../peers/peer-health.ts'
import { domainLimit, permuted, spread } from '../placement/placement.ts'

export interface DrainContext {
  clock: Clock
  random: Random
  health: PeerHealth
}

export interface DrainReport {
  /** Shares that the server keeps. */
  shares: number
  /** Of these: put onto another server now; found there, and proven; */
  moved: number
  there: number
  /** without a server that has none of the object and takes one; not sound here; failed otherwise. */
  stuck: number
  damaged: number
  failed: number
  movedBytes: number
  /** Why puts failed, the last one of each server. */
  verdicts: Map<string, PeerVerdict>
}

const sharesTogether = 8
const nonceBytes = 32
const proofMs = 30_000

/**
 * @param store - what the server keeps, open
 * @param candidates - the other servers
 */
export async function drainStore(
  context: DrainContext,
  store: ShareStore,
  candidates: readonly Candidate[],
  options: { signal?: AbortSignal; onProgress?: (report: DrainReport) => void } = {},
): Promise<DrainReport> {
  const counts = { shares: 0, moved: 0, there: 0, stuck: 0, damaged: 0, failed: 0, movedBytes: 0 }
  const report: DrainReport = { ...counts, verdicts: new Map<string, PeerVerdict>() }
  const presence = new Presence(context, candidates, 'long')
  const drain = async (batch: readonly ShareEntry[]): Promise<void> => {
    // the storage index is all that is asked for, and any number may be claimed
    const named = batch.map(({ storageIndex }) => ({ root: storageIndex, k: 1, n: maxShareCount }))
    const { claims, answered } = await presence.ask(named, options)
    const numbers = batch.map((_, i) => i)
    await mapWithin(sharesTogether, numbers, async (i) => {
      options.signal?.throwIfAborted()
      await drainShare({ context, store, report, answered, options }, batch[i], claims[i])
      options.onProgress?.(report)
    })
  }
  let batch: ShareEntry[] = []
  for await (const entry of store.entries()) {
    batch.push(entry)
    if (batch.length < maxHaveIndexes) continue
    await drain(batch)
    batch = []
  }
  if (batch.length > 0) await drain(batch)
  return report
}

interface Run {
  context: DrainContext
  store: ShareStore
  report: DrainReport
  answered: readonly Candidate[]
  options: { signal?: AbortSignal }
}

async function drainShare(run: Run, entry: ShareEntry, claims: readonly Claim[]): Promise<void> {
  const { report, answered, options } = run
  const { storageIndex, shareNumber } = entry
  report.shares++
  const share = await readShare(run.store, entry)
  const coding = share && codingOf(entry, share)
  if (share === undefined || coding === undefined) {
    // of a newer format: other servers could not check it either
    if (share !== undefined && isNewerShare(storageIndex, share)) report.stuck++
    else report.damaged++
    return
  }
  for (const claim of claims) {
    // who takes no more may be about to go as well, and count on this very share
    const mayCount = claim.shareNumber === shareNumber && claim.candidate.accepts
    if (!mayCount || !(await isProven(run, entry, claim, share))) continue
    report.there++
    return
  }
  const holders = new Map(claims.map(({ candidate }) => [candidate.id, candidate]))
  const free = permuted(storageIndex, answered).filter(
    ({ id, accepts }) => accepts && !holders.has(id),
  )
  const limit = domainLimit(coding)
  for (const { id, peer } of spread(free, [...holders.values()], { limit })) {
    try {
      const body = { shareBytes: share.length, pieces: [share] }
      await peer.putShare(storageIndex, shareNumber, body, options)
      report.moved++
      report.movedBytes += share.length
      return
    } catch (error) {
      options.signal?.throwIfAborted()
      report.verdicts.set(id, verdictOf(id, error))
    }
  }
  if (free.length === 0) report.stuck++
  else report.failed++
}

/** Undefined where it has gone meanwhile or cannot be read. */
async function readShare(
  store: ShareStore,
  { storageIndex, shareNumber }: ShareEntry,
): Promise<Uint8Array | undefined> {
  try {
    const reader = await store.read(storageIndex, shareNumber)
    if (reader === undefined) return undefined
    try {
      return await reader.read(0, reader.shareBytes)
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (isGridError(error)) return undefined
    throw error
  }
}

/** Its coding, if every byte is what its storage index says. */
function codingOf(
  { storageIndex, shareNumber }: ShareEntry,
  share: Uint8Array,
): Coding | undefined {
  const verifier = new ShareVerifier(storageIndex, shareNumber, share.length)
  try {
    verifier.push(share)
    verifier.finish()
    return verifier.header?.descriptor
  } catch (error) {
    if (isGridError(error)) return undefined
    throw error
  }
}

/** A claim that cannot be proven is none: the share would be gone with this server. */
async function isProven(
  { context, options }: Run,
  { storageIndex, shareNumber }: ShareEntry,
  { candidate: { peer } }: Claim,
  share: Uint8Array,
): Promise<boolean> {
  const nonce = context.random.bytes(nonceBytes)
  try {
    const prove = (signal: AbortSignal): Promise<Uint8Array> =>
      peer.prove(storageIndex, shareNumber, nonce, { signal })
    return equalBytes(await patiently(context, options, prove, proofMs), hmac(nonce, share))
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isGridError(error)) return false
    throw error
  }
}
