/** The snapshots of a log as a prune looks at them: with a cap that reads them, or one that only verifies. */
import { toHex, u32be } from '../../base/bytes.ts'
import { GridError, isGridError } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import { toBase32 } from '../../base/base32.ts'
import { attenuate } from '../../caps/attenuate.ts'
import { isAuthorOf, type ReadHeader } from '../../log/entry.ts'
import type { LogView } from '../../log/log-view.ts'
import type { Snapshot, SnapshotTotals } from '../../log/snapshot-body.ts'
import type { LogSnapshot, ReadableLog } from '../../node/logs/readable-log.ts'
import { verifyNameOf } from '../../tree/directory-cap.ts'
import type { VerifyName } from '../../tree/verify-walk.ts'
import type { PlanSnapshot } from './plan.ts'

export interface Prunable extends PlanSnapshot {
  /** The first ten letters of the entry's id. */
  shortId: string
  /** Name of the device. */
  device: string
  author: Uint8Array
  /** What the mark begins with. */
  top: VerifyName
  totals: SnapshotTotals
  /** Plaintext bytes that were new or had changed; undefined where it does not tell. */
  addedBytes: number | undefined
}

export interface PrunableLog {
  /** Chain by chain, each by seq. */
  snapshots: readonly Prunable[]
  /** Entries that nobody can open: they hold nothing, and stand for nothing. */
  empty: readonly { shortId: string; device: string; seq: number }[]
}

/**
 * All trusted snapshots of a log.
 *
 * @throws E_ABSENT for one whose body no server gives; E_ENTRY for one that the cap at hand cannot
 *   open though another may
 */
export async function readPrunable(
  log: ReadableLog,
  view: LogView,
  options: { signal?: AbortSignal } = {},
): Promise<PrunableLog> {
  const entries = [...view.entries('snapshot')]
  const times = await log.receiptTimes(view, entries, options)
  const snapshots: Prunable[] = []
  const empty: PrunableLog['empty'][number][] = []
  let at = 0
  for await (const each of log.openAll(view, entries, options)) {
    const { author, device, seq } = each
    const shortId = toBase32(each.id).slice(0, 10)
    const entry = entries[at++]
    const opened = openedOf(each, log.role)
    if (opened === undefined) {
      empty.push({ shortId, device, seq })
      continue
    }
    snapshots.push({
      ...{ id: toHex(each.id), shortId, device, author, seq },
      ...{ chain: toHex(author), receivedMs: times.get(toHex(each.id)) },
      ...{ seen: seenBy(entry, view), ...opened },
    })
  }
  return { snapshots, empty }
}

type Opened = Pick<Prunable, 'series' | 'tags' | 'top' | 'totals' | 'addedBytes'>

function openedOf(each: LogSnapshot, role: ReadableLog['role']): Opened | undefined {
  const { snapshot, check, error, seq, device } = each
  if (snapshot !== undefined) {
    const top = verifyNameOf(attenuate(snapshot.cap, 'DIR-CHK-Verifier'))
    const { run, totals } = snapshot
    const [tags, addedBytes] = [run?.tags ?? [], run?.addedBytes]
    return { series: seriesOf(snapshot), tags, totals, addedBytes, top: known(top) }
  }
  if (check !== undefined) {
    const series = check.series === undefined ? '' : toHex(check.series)
    const top = known(verifyNameOf(check.cap))
    return { series, tags: [], totals: check.totals, addedBytes: undefined, top }
  }
  // nobody can restore what no reader opens; to a verifier it may be sealed wrongly alone
  if (role === 'reader' && isGridError(error, 'E_SEAL', 'E_ENTRY')) return undefined
  throw new GridError(error?.code ?? 'E_ENTRY', `${device}:${seq} cannot be opened`, {
    hint: 'nothing was released. Try again when all servers answer, or revoke its device from there on',
    ...(error && { cause: error }),
  })
}

/** A cap without a verify key names one object, and a directory is more. */
function known(top: VerifyName | undefined): VerifyName {
  if (top !== undefined) return top
  throw new GridError('E_ENTRY', 'a snapshot without a verify key')
}

function seriesOf({ run, paths }: Snapshot): string {
  if (run === undefined) return ''
  const parts = [run.root, ...paths].flatMap((path) => [u32be(path.length), path])
  return toHex(sha256(...parts))
}

function seenBy({ fields }: ReadHeader, { chains }: LogView): [chain: string, seq: number][] {
  return fields.acks.flatMap((ack) => {
    const author = chains.find(({ chain }) => {
      const head = chain.head?.fields
      return head !== undefined && isAuthorOf(head, ack)
    })?.author
    return author === undefined ? [] : [[toHex(author), ack.seq] as [string, number]]
  })
}
