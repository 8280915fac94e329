/**
 * Looks after what verify caps stand on: checks it, repairs what has lost too many shares, and renews
 * leases, again and again. It holds no key to read anything, and one cap that fails stops no other.
 */
import { type Clock, sleep } from '../base/clock.ts'
import { asGridError } from '../base/errors.ts'
import { capFingerprint } from '../caps/describe.ts'
import type { CheckDepth } from '../node/check/check-run.ts'
import { CheckTally } from '../node/check/check-tally.ts'
import {
  type CheckableObject,
  type ObjectState,
  repairThreshold,
} from '../node/check/object-check.ts'
import type { VerifyCap } from '../node/check/objects-of-cap.ts'
import type { RepairedObject } from '../node/repair/repair-run.ts'
import type { Upkeep } from '../node/upkeep.ts'
import type { KeeperCaps } from './keeper-caps.ts'
import type { CapState, KeeperState } from './keeper-state.ts'

/** Plain data for a log: no cap, no key. */
export type KeeperEvent =
  | { event: 'started'; caps: number; due: number }
  | {
      event: 'object'
      cap: string
      root: Uint8Array
      state: ObjectState
      outcome: RepairedObject['outcome']
      before: number
      servers: number
      written: number
      reason?: string
    }
  | { event: 'hidden'; cap: string; what: string; code: string; reason: string }
  | { event: 'renewal-failed'; cap: string; server: string; code: string; reason: string }
  | ({ event: 'visited'; cap: string; written: number; renewed: number; nextMs: number } & Visit)
  | { event: 'failed'; cap: string; code: string; reason: string; nextMs: number }

/** What one visit to a cap found, after repair. */
export interface Visit {
  objects: number
  healthy: number
  /** Fewer shares than there should be, but more than what is repaired at. */
  degraded: number
  /** Could not be repaired, for want of servers or otherwise. */
  unmended: number
  lost: number
  unknown: number
}

export interface KeeperParts {
  clock: Clock
  upkeep: Upkeep
  caps: KeeperCaps
  state: KeeperState
  /** Time between two visits to a cap. */
  everyMs: number
  depth: CheckDepth
  /** An object with so many shares or fewer is repaired; by its coding unless given. */
  atMost?: ((object: CheckableObject) => number) | undefined
  onEvent: (event: KeeperEvent) => void | Promise<void>
  /** Called when every lease of what a cap stands on was prolonged, at all servers. */
  onRenewed?: (cap: VerifyCap) => Promise<void>
}

/** After a visit that failed, and then twice as long each time, as far as `everyMs`. */
const retryMs = 15 * 60_000
/** The longest sleep: the caps and the clock may have changed. */
const napMs = 10 * 60_000

export class Keeper {
  readonly #parts: KeeperParts

  constructor(parts: KeeperParts) {
    this.#parts = parts
  }

  /** Visits every cap that is due, once. @returns what was found, by cap; undefined for one that failed */
  async runOnce(options: { signal?: AbortSignal } = {}): Promise<(Visit | undefined)[]> {
    const due = await this.#due()
    const visits: (Visit | undefined)[] = []
    for (const cap of due) visits.push(await this.#visit(cap, options))
    return visits
  }

  /** Goes on until the signal aborts, with its reason. */
  async run(options: { signal: AbortSignal }): Promise<never> {
    for (;;) {
      await this.runOnce(options)
      await sleep(this.#parts.clock, napMs, options)
    }
  }

  /** Caps that are due, the longest waiting first. */
  async #due(): Promise<VerifyCap[]> {
    const { caps, state, clock, onEvent, everyMs } = this.#parts
    const all = await caps.list()
    state.keepOnly(all)
    const nowMs = clock.nowMs()
    const dueMs = (cap: VerifyCap): number => {
      const known = state.get(cap)
      // a clock that was set back, or a shorter time between visits, keeps nobody waiting
      if (known === undefined || known.visitedMs > nowMs) return 0
      return Math.min(known.dueMs, known.visitedMs + everyMs)
    }
    const due = all.filter((cap) => dueMs(cap) <= nowMs).sort((a, b) => dueMs(a) - dueMs(b))
    if (due.length > 0) await onEvent({ event: 'started', caps: all.length, due: due.length })
    return due
  }

  async #visit(cap: VerifyCap, options: { signal?: AbortSignal }): Promise<Visit | undefined> {
    const { clock, state, onEvent, onRenewed, everyMs } = this.#parts
    const visitedMs = Math.floor(clock.nowMs())
    const name = capFingerprint(cap)
    const remember = async (found: Pick<CapState, 'failures' | 'objects' | 'unwell'>) => {
      const { failures } = found
      const waitMs = failures === 0 ? everyMs : Math.min(everyMs, retryMs * 2 ** (failures - 1))
      const dueMs = Math.floor(visitedMs + waitMs)
      await state.set(cap, { visitedMs, dueMs, ...found })
      return dueMs
    }
    try {
      const { visit, written, renewed, isRenewed } = await this.#lookAfter(cap, name, options)
      const unwell = visit.unmended + visit.lost + visit.unknown
      const failures = unwell > 0 || !isRenewed ? (state.get(cap)?.failures ?? 0) + 1 : 0
      const nextMs = await remember({ failures, objects: visit.objects, unwell })
      if (isRenewed && visit.unknown === 0) await onRenewed?.(cap)
      await onEvent({ event: 'visited', cap: name, written, renewed, nextMs, ...visit })
      return visit
    } catch (error) {
      options.signal?.throwIfAborted()
      const { code, message } = asGridError(error, 'E_INTERNAL', 'a visit')
      const failures = (state.get(cap)?.failures ?? 0) + 1
      const nextMs = await remember({ failures, objects: 0, unwell: 0 })
      await onEvent({ event: 'failed', cap: name, code, reason: message, nextMs })
      return undefined
    }
  }

  async #lookAfter(
    cap: VerifyCap,
    name: string,
    options: { signal?: AbortSignal },
  ): Promise<{ visit: Visit; written: number; renewed: number; isRenewed: boolean }> {
    const { upkeep, depth, atMost = repairThreshold, onEvent } = this.#parts
    const tally = new CheckTally()
    const visit: Visit = { objects: 0, healthy: 0, degraded: 0, unmended: 0, lost: 0, unknown: 0 }
    let written = 0
    let renewed = 0
    const failed = new Map<string, { code: string; message: string }>()
    const onHidden = tally.hide.bind(tally)
    for await (const batch of upkeep.repair([cap], { depth, atMost, onHidden, ...options })) {
      for (const repaired of batch) {
        count(visit, repaired)
        written += repaired.report?.written ?? 0
        if (repaired.outcome !== 'sound') await onEvent(eventOf(name, repaired))
      }
      // what was put just now has its lease, and what stays is prolonged
      const report = await upkeep.renew(
        batch.map(({ found }) => found.object),
        // one that did not is asked again at the next visit: it may take a minute to say nothing
        { except: failed, ...options },
      )
      renewed += report.held
      for (const verdict of report.failed) failed.set(verdict.peerId, verdict)
    }
    visit.unknown += tally.hiddenCount
    for (const { what, error } of tally.hidden) {
      const { code, message } = error
      await onEvent({ event: 'hidden', cap: name, what, code, reason: message })
    }
    for (const [server, { code, message }] of failed)
      await onEvent({ event: 'renewal-failed', cap: name, server, code, reason: message })
    return { visit, written, renewed, isRenewed: failed.size === 0 }
  }
}

function count(visit: Visit, { found, outcome, servers }: RepairedObject): void {
  visit.objects++
  if (servers >= found.object.n && outcome !== 'failed') visit.healthy++
  else if (found.state === 'lost') visit.lost++
  else if (found.state === 'unknown') visit.unknown++
  else if (outcome === 'sound' || outcome === 'mended') visit.degraded++
  else visit.unmended++
}

function eventOf(
  cap: string,
  { found, outcome, servers, report, error }: RepairedObject,
): KeeperEvent {
  const { object, state, claimed } = found
  const written = report?.written ?? 0
  const reason = error === undefined ? {} : { reason: error.message }
  const { root } = object
  return {
    event: 'object',
    cap,
    root,
    state,
    outcome,
    before: claimed,
    servers,
    written,
    ...reason,
  }
}
