/**
 * Makes the missing shares of one object from those that are left, and puts them where they belong
 * (docs/specs/placement.md, "Check and repair"). Every share that stays has been seen whole, and every
 * new one hit the root before it was sent, so damage is never spread.
 */
import { storageIndexOf } from '../../encoding/descriptor.ts'
import type { EncodedShares } from '../../encoding/encoder.ts'
import type { Candidate, PeerVerdict } from '../peers/candidate.ts'
import type { CheckableObject, Claim } from '../check/object-check.ts'
import { concludeObject, type ObjectCheck } from '../check/object-check.ts'
import { checkWhole, type WholeCheckContext } from '../check/whole-check.ts'
import type { ObjectReport } from '../objects/object-report.ts'
import { uploadObject } from '../objects/object-upload.ts'
import {
  domainLimit,
  type Holdings,
  matchShares,
  permuted,
  spread,
} from '../placement/placement.ts'

export interface MendReport {
  /** What a check of every byte found before. */
  before: ObjectCheck
  /** Distinct servers that have a distinct, sound share each now. */
  servers: number
  /** Shares that were written, and their bytes. */
  written: number
  writtenBytes: number
  /** Servers that did not help, and why. */
  verdicts: PeerVerdict[]
}

/**
 * Which servers are to hold the shares. `missing`: those that have them keep them, and what is missing
 * goes to the next ones in order. `preferred`: each object's first n servers shall have one each, so
 * that what lies elsewhere is copied to them.
 */
export type MendGoal = 'missing' | 'preferred'

/**
 * The servers among which shares are matched, in order: for `preferred` those alone that should have one.
 * One that says it has a share, and shows nothing of it now, is given none: it may have two then.
 */
function mendSites(
  goal: MendGoal,
  object: CheckableObject,
  claims: readonly Claim[],
  answered: readonly Candidate[],
): Candidate[] {
  const ordered = permuted(storageIndexOf(object.root), answered)
  const accepting = ordered.filter(({ accepts }) => accepts)
  const apart = { limit: domainLimit(object), wanted: object.n }
  const sites = goal === 'missing' ? ordered : spread(accepting, [], apart)
  const unsure = new Set(
    claims.flatMap(({ candidate, answer }) =>
      answer === 'silent' || answer === 'refuses' ? candidate.id : [],
    ),
  )
  return sites.map((site) => (unsure.has(site.id) ? { ...site, accepts: false } : site))
}

/** How many servers would have a share each when all went well, by what is claimed now. */
export function reachable(
  goal: MendGoal,
  object: CheckableObject,
  claims: readonly Claim[],
  answered: readonly Candidate[],
): { now: number; then: number } {
  const sites = mendSites(goal, object, claims, answered)
  const { held, damaged } = holdingsOf(claims, sites)
  const none = sites.map((site) => ({ ...site, accepts: false }))
  return {
    now: matchShares(object, none, held).size,
    then: matchShares(object, sites, held, damaged).size,
  }
}

/**
 * Reads k shares, makes all n, sees the others whole, and puts what is missing.
 *
 * @param claims - what servers say, of those in `answered`; what is found is written into them
 * @param made - the shares, where the caller has made them from something else; handed over
 * @throws E_NOT_ENOUGH_SERVERS or E_FULL where nothing could be placed
 */
export async function mendObject(
  context: WholeCheckContext,
  answered: readonly Candidate[],
  check: ObjectCheck,
  goal: MendGoal,
  options: { signal?: AbortSignal; made?: EncodedShares } = {},
): Promise<MendReport> {
  const { object, claims, unheard } = check
  const { signal, made } = options
  const shares = await checkWhole(context, object, claims, { signal, made })
  const before = concludeObject(object, claims, unheard)
  const nothing = { before, servers: before.claimed, written: 0, writtenBytes: 0, verdicts: [] }
  if (shares === undefined) return nothing
  const sites = mendSites(goal, object, claims, answered)
  const holdings = holdingsOf(claims, sites)
  const { k, n } = object
  const shareBytes = shares.shares[0].length
  const report = await uploadObject(
    context,
    sites,
    shares,
    { k, n, happy: 1 },
    {
      ...(signal && { signal }),
      holdings,
    },
  )
  return { ...nothing, ...countOf(report, shareBytes) }
}

function countOf(
  { holders, sentBytes, verdicts }: ObjectReport,
  shareBytes: number,
): Pick<MendReport, 'servers' | 'written' | 'writtenBytes' | 'verdicts'> {
  const written = Math.round(sentBytes / shareBytes)
  return { servers: holders.size, written, writtenBytes: sentBytes, verdicts }
}

function holdingsOf(claims: readonly Claim[], sites: readonly Candidate[]): Holdings {
  const ids = new Set(sites.map(({ id }) => id))
  const held = new Map<string, number[]>()
  const damaged = new Map<string, number[]>()
  for (const { candidate, shareNumber, answer } of claims) {
    if (!ids.has(candidate.id)) continue
    const where = answer === 'has' ? held : answer === 'damaged' ? damaged : undefined
    where?.set(candidate.id, [...(where.get(candidate.id) ?? []), shareNumber])
  }
  return { held, damaged }
}
