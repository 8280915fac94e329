/** Hands servers what they lack of a log, as a reader of it may: they mark it late (docs/specs/log.md, "Appending"). */
import type { Clock } from '../base/clock.ts'
import { compareBytes } from '../base/bytes.ts'
import { asGridError, type GridError } from '../base/errors.ts'
import { type Handover, handoverOf } from './handover.ts'
import type { LogPeer } from './log-peer.ts'
import { type LogView, trustedEntriesOf } from './log-view.ts'

export interface Healed {
  server: string
  /** Undefined if it has all that was read now. */
  error: GridError | undefined
}

export interface HealOptions {
  /** Who are to be brought up. */
  targets: readonly LogPeer[]
  /** Who may be asked for what they lack. */
  peers: readonly LogPeer[]
  clock: Clock
  signal?: AbortSignal
}

/** Brings each of `targets` up to `view`. One that fails keeps none of the others back. */
export async function heal(
  view: LogView,
  { targets, peers, clock, signal }: HealOptions,
): Promise<Healed[]> {
  // what one lacks another may have: first those that have all, and none that did not answer
  const rank = new Map(
    view.servers.flatMap(({ verdict, server, reason }) =>
      reason === undefined ? [[server, verdict === 'current' ? 0 : 1] as const] : [],
    ),
  )
  const sources = peers
    .filter(({ id }) => rank.has(id))
    .sort((a, b) => rank.get(a.id)! - rank.get(b.id)!)
  const handover = handoverOf(view, { clock, peers: () => sources })
  return Promise.all(targets.map((peer) => healOne(handover, view, peer, { signal })))
}

async function healOne(
  handover: Handover,
  view: LogView,
  peer: LogPeer,
  options: { signal?: AbortSignal },
): Promise<Healed> {
  const heads = view.servers.find(({ server }) => server === peer.id)?.heads ?? []
  try {
    if (heads.length === 0) await handover.found(peer, options)
    for (const each of view.chains) {
      const head = heads.find(({ author }) => compareBytes(author, each.author) === 0)
      const range = { firstSeq: (head?.seq ?? 0) + 1, lastSeq: trustedEntriesOf(each).length }
      await handover.bring(peer, each.chain, range, options)
    }
    return { server: peer.id, error: undefined }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { server: peer.id, error: asGridError(error, 'E_PROTOCOL', 'a log server') }
  }
}
