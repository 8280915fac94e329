/**
 * A prune, step by step (docs/specs/prune.md, "Steps"): read clocks, read the log, plan, mark, list,
 * release, push, and touch what kept snapshots want. It may end between any two, and be begun anew:
 * nothing is remembered from one to the next, and nothing is released that was not marked afresh.
 */
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { mapWithin } from '../../base/limit.ts'
import type { LogView } from '../../log/log-view.ts'
import { maxReleasedIndexes } from '../../log/release.ts'
import type { NewRelease } from '../../log/release-entry.ts'
import type { AppendReport } from '../../log/quorum-append.ts'
import { type PeerVerdict, verdictOf } from '../../node/peers/candidate.ts'
import type { LogAccount, TouchReport } from '../../node/logs/log-account.ts'
import type { ReadableLog } from '../../node/logs/readable-log.ts'
import type { SliceReader } from '../../tree/slice-reader.ts'
import { type Doubt, doubtsOf } from './doubts.ts'
import { Garbage } from './garbage.ts'
import { mark } from './mark.ts'
import { type Plan, planPrune } from './plan.ts'
import type { RetentionPolicy } from './policy.ts'
import { type PrunableLog, readPrunable } from './prunable.ts'
import { pushRelease } from './push.ts'
import { type Cutoff, cutoffOf } from './server-clocks.ts'

/** Lists that are read at once: one that is slow keeps nobody waiting. */
const serversTogether = 8

export interface PruneParts {
  log: ReadableLog
  account: LogAccount
  /** Reads nodes of trees. */
  reader: SliceReader
  clock: Clock
  /** Signs a release into the log; resolves once a quorum has it. */
  release: (release: NewRelease, options: { signal?: AbortSignal }) => Promise<AppendReport>
}

export interface PruneOptions {
  signal?: AbortSignal
  /** Called often while snapshots are walked, with the objects come to so far. */
  onProgress?: (objects: number) => void
}

/** What is going to be done, and what that comes to. */
export interface PlannedPrune extends PrunableLog {
  view: LogView
  cutoff: Cutoff
  plan: Plan
  garbage: Garbage
  doubts: readonly Doubt[]
  /** Servers that told what they hold. */
  listed: readonly string[]
  /** Those that did not, and why. */
  silent: readonly PeerVerdict[]
}

export interface PruneReport {
  /** Releases that are in the log now. */
  releases: number
  objects: number
  /** Holds that ended, and that stay since they were touched. */
  changed: number
  kept: number
  /** Servers that did not take a release, and why: they get one by the next prune. */
  silent: readonly PeerVerdict[]
  /** What kept snapshots stand on and was not held everywhere. */
  touched: TouchReport & { wanted: number }
}

/**
 * Looks, and changes nothing.
 *
 * @throws E_FORKED, E_TRUNCATED, E_NOT_ENOUGH_SERVERS where the log cannot be known; E_USAGE if no
 *   snapshot has passed a restore test lately; whatever keeps a kept snapshot from being walked
 */
export async function planOf(
  parts: PruneParts,
  policy: RetentionPolicy,
  options: PruneOptions = {},
): Promise<PlannedPrune> {
  const { log, account, reader, clock } = parts
  const { signal } = options
  // clocks come first: what is touched from here on is none of what is released
  const ownMs = clock.nowMs()
  const statuses = await account.statuses({ signal })
  const clocks = statuses.map(({ server, status: { nowMs } }) => ({ server, nowMs }))
  const cutoff = cutoffOf(clocks, ownMs)
  checkClock(cutoff)
  const view = await log.read({ signal })
  checkKnown(view)
  const prunable = await readPrunable(log, view, { signal })
  const { snapshots } = prunable
  const { rules } = view
  const plan = planPrune({
    ...{ nowMs: ownMs, policy, snapshots },
    tested: rules.checkpoints.flatMap(({ tested }) =>
      tested.map(({ id, testedMs }) => ({ id: toHex(id), testedMs })),
    ),
    entriesPerDay: Object.fromEntries(
      rules.certificates.map(({ subject, limits }) => [toHex(subject), limits.entriesPerDay]),
    ),
  })
  if (plan.refusal !== undefined) throw untested()
  const keptIds = new Set(plan.kept.map(({ id }) => id))
  const kept = snapshots
    .filter(({ id }) => keptIds.has(id))
    .sort((a, b) => (a.receivedMs ?? ownMs) - (b.receivedMs ?? ownMs) || a.seq - b.seq)
  const tops = kept.map(({ device, seq, top }) => ({ name: `${device}:${seq}`, top }))
  const marked = await mark(reader, tops, options)
  const garbage = new Garbage(marked, cutoff.cutoffMs ?? 0)
  const { listed, silent } = await list(account, garbage, cutoff, options)
  const newBytes = new Map(kept.map(({ id }, i) => [id, marked.newBytes[i]]))
  const { servers } = garbage
  const doubts = doubtsOf({ nowMs: ownMs, snapshots, plan, newBytes, servers })
  return { ...prunable, view, cutoff, plan, garbage, doubts, listed, silent }
}

/** Does what was planned. Throws E_NOT_DURABLE: nothing was pushed that is not in the log. */
export async function carryOut(
  { account, release }: Pick<PruneParts, 'account' | 'release'>,
  { cutoff, garbage }: Pick<PlannedPrune, 'cutoff' | 'garbage'>,
  { signal }: PruneOptions = {},
): Promise<PruneReport> {
  const report = { releases: 0, objects: 0, changed: 0, kept: 0 }
  const silent = new Map<string, PeerVerdict>()
  const { wanting } = garbage
  const touched = await account.touch(wanting, { signal })
  for (const verdict of touched.verdicts) silent.set(verdict.peerId, verdict)
  const { released } = garbage
  for (let from = 0; from < released.length; from += maxReleasedIndexes) {
    const storageIndexes = released.slice(from, from + maxReleasedIndexes)
    const cutoffMs = cutoff.cutoffMs!
    const { entry } = await release({ server: undefined, cutoffMs, storageIndexes }, { signal })
    const pushed = await pushRelease(account, entry, cutoff.servers, { signal })
    report.releases++
    report.objects += storageIndexes.length
    report.changed += pushed.changed
    report.kept += pushed.kept
    for (const verdict of pushed.silent) silent.set(verdict.peerId, verdict)
  }
  const { size: wanted } = new Set(wanting)
  return { ...report, silent: [...silent.values()], touched: { ...touched, wanted } }
}

/** One server that knows of no account holds nothing for it; one that fails is left out. */
async function list(
  account: LogAccount,
  garbage: Garbage,
  { servers, cutoffMs }: Cutoff,
  { signal }: PruneOptions,
): Promise<Pick<PlannedPrune, 'listed' | 'silent'>> {
  const listed: string[] = []
  const silent: PeerVerdict[] = []
  if (cutoffMs === undefined) return { listed, silent }
  await mapWithin(serversTogether, servers, async (server) => {
    try {
      await garbage.add(account.held(server, { signal }))
      listed.push(server)
    } catch (error) {
      if (signal?.aborted || !isGridError(error)) throw error
      silent.push(verdictOf(server, error))
    }
  })
  return { listed, silent }
}

/** Where most clocks differ from this one, it is this one that is wrong. */
function checkClock({ servers, astray }: Cutoff): void {
  if (servers.length === 0 && astray.length === 0)
    throw new GridError('E_UNREACHABLE', 'no storage server answers', {
      hint: 'see `grid status`; nothing was released',
    })
  if (astray.length < servers.length) return
  throw new GridError('E_USAGE', `the clocks of ${astray.length} servers differ from this one`, {
    hint: "set this machine's clock; nothing was released",
    facts: { astray },
  })
}

/** A log of which something may be missing is not pruned: what is not seen would be garbage. */
function checkKnown({ conclusion: { state, answered, quorum } }: LogView): void {
  const facts = { state, answered, quorum }
  switch (state) {
    case 'FRESH':
      return
    case 'STALE-POSSIBLE':
      throw new GridError(
        'E_NOT_ENOUGH_SERVERS',
        `${answered} log servers answer, and ${quorum} are needed to know all snapshots`,
        { hint: 'see `grid status` for the servers; nothing was released', facts },
      )
    case 'FORKED':
      throw new GridError('E_FORKED', 'a chain of the log was written twice', {
        hint: 'see `grid log audit`, and revoke the device: grid log revoke',
        facts,
      })
    case 'TRUNCATED':
      throw new GridError('E_TRUNCATED', 'servers hide entries of the log', {
        hint: 'see `grid log audit`; nothing was released',
        facts,
      })
  }
}

function untested(): GridError {
  return new GridError('E_USAGE', 'no snapshot has passed a restore test in the last 90 days', {
    hint: 'run `grid restore-test` with the admin cap at hand, then prune',
  })
}
