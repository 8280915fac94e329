/** Prolongs the leases of objects at every server that has shares of them. Anyone may, without a key. */
import { mapWithin } from '../../base/limit.ts'
import { storageIndexOf } from '../../encoding/descriptor.ts'
import { maxTouchIndexes } from '../../storage/hold-peer.ts'
import { type Candidate, type PeerVerdict, verdictOf } from '../peers/candidate.ts'
import { patiently } from '../check/block-audit.ts'
import type { CheckableObject } from '../check/object-check.ts'
import type { WholeCheckContext } from '../check/whole-check.ts'

export interface RenewReport {
  /** Pairs of a server and an object whose shares there are held afterwards. */
  held: number
  /** Servers that did not do it for all of them, once each. */
  failed: PeerVerdict[]
}

/** A server syncs what it has renewed before it answers. */
const renewMs = 60_000
const serversTogether = 16

export async function renewLeases(
  context: Pick<WholeCheckContext, 'clock'>,
  candidates: readonly Candidate[],
  objects: readonly CheckableObject[],
  options: { signal?: AbortSignal } = {},
): Promise<RenewReport> {
  const report: RenewReport = { held: 0, failed: [] }
  await mapWithin(serversTogether, candidates, async ({ id, peer }) => {
    try {
      for (let at = 0; at < objects.length; at += maxTouchIndexes) {
        const some = objects.slice(at, at + maxTouchIndexes)
        const indexes = some.map(({ root }) => storageIndexOf(root))
        const ask = (signal: AbortSignal) => peer.renew(indexes, { signal })
        const outcomes = await patiently(context, options, ask, renewMs)
        report.held += outcomes.filter((outcome) => outcome !== 'absent').length
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      report.failed.push(verdictOf(id, error))
    }
  })
  return report
}
