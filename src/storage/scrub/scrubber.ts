/**
 * Reads every share through, again and again, and takes damaged ones out of service
 * (docs/specs/share-store.md, "Scrubbing"). It has time: what is asked of the server comes first.
 *
 * Invariants: a share is only set aside after it was read to its first wrong byte; one that cannot be
 * read, even at a second try, is told of and stays, as do a share of a newer format, and one that came
 * meanwhile. What a pass found is kept before the next one begins.
 */
import { type Clock, sleep } from '../../base/clock.ts'
import { asGridError, isGridError } from '../../base/errors.ts'
import { Pacer } from '../../base/pacer.ts'
import { noTrace, type Trace } from '../../base/trace.ts'
import { parseShareName, shareName } from '../share-name.ts'
import type { ShareEntry, ShareKey, ShareStore } from '../share-store.ts'
import { dayMs, isDue, longestPeriodMs } from './schedule.ts'
import {
  noCounts,
  type ScrubCounts,
  type ScrubPass,
  type ScrubRecord,
  type ScrubState,
} from './scrub-state.ts'
import { judge, type Verdict } from './verdict.ts'

export interface ScrubberOptions {
  /** Peer id of the server. */
  id: string
  store: ShareStore
  record: ScrubRecord
  clock: Clock
  trace?: Trace
  /** Whether anybody waits for the server. */
  isBusy?: () => boolean
  /** Shared by all that reads in the background; 5 MB/s unless told. */
  pacer?: Pacer
  /** Told of each share that was set aside; what it throws is nobody's business. */
  onDamaged?: (share: ShareEntry) => Promise<void>
  /** What should be here, if anybody knows: so that what was deleted on purpose is not missed. */
  expected?: () => AsyncIterable<ShareKey>
}

/** How it is, for the operator. */
export interface ScrubReport {
  lastFull: ScrubState['lastFull']
  /** The pass under way, if one is. */
  running: (ScrubCounts & { forced: boolean }) | undefined
}

const bytesPerSecond = 5_000_000
/** After a start there are more urgent things. */
const firstDelayMs = 10 * 60_000
/** What is found of the cursor after a crash is at most so old. */
const saveMs = 30_000
/** How long a piece waits for a busy server: it must get on all the same. */
const longestYieldMs = 1000
const yieldMs = 20
/** Shares that should be here, looked at before others get their turn. */
const keysAtOnce = 500
/** Unreadable shares that are remembered to be tried again; more are damaged at once. */
const maxAgain = 1000

export class Scrubber {
  readonly #options: ScrubberOptions
  readonly #trace: Trace
  readonly #pacer: Pacer
  #state: ScrubState | undefined
  #savedAtMs = -Infinity
  #isForced = false
  #wake: () => void = () => {}

  constructor(options: ScrubberOptions) {
    this.#options = options
    this.#trace = options.trace ?? noTrace
    this.#pacer = options.pacer ?? new Pacer({ clock: options.clock, bytesPerSecond })
  }

  /** Reads whatever is due, each day, until the signal aborts; rejects with its reason. */
  async run({ signal }: { signal: AbortSignal }): Promise<never> {
    const { clock } = this.#options
    await this.#load()
    await this.#rest(firstDelayMs, signal)
    for (;;) {
      signal.throwIfAborted()
      await this.#attempt(signal)
      const { doneMs } = await this.#load()
      const dueInMs = doneMs + dayMs - clock.nowMs()
      if (!this.#isForced) await this.#rest(Math.min(Math.max(dueInMs, 60_000), dayMs), signal)
    }
  }

  /** Reads every share, as soon as what is under way has ended. */
  force(): void {
    this.#isForced = true
    this.#wake()
  }

  async report(): Promise<ScrubReport> {
    const { lastFull, pass } = await this.#load()
    return { lastFull, running: pass && { ...countsOf(pass), forced: pass.forced } }
  }

  /**
   * Carries one pass out, or the rest of one that was cut short: all shares if it was forced, and
   * otherwise those that have come due since the last. @throws E_IO, the signal's reason
   */
  async pass({ signal }: { signal?: AbortSignal } = {}): Promise<ScrubCounts> {
    const state = await this.#load()
    const pass = (state.pass ??= this.#begin(state))
    try {
      for await (const entry of this.#options.store.entries(parseShareName(pass.after))) {
        signal?.throwIfAborted()
        const { storageIndex, shareNumber } = entry
        if (pass.forced || isDue(storageIndex, this.#options.id, pass.span))
          await this.#check(entry, pass, true, signal)
        pass.after = shareName(storageIndex, shareNumber)
        await this.#save(saveMs)
      }
      for (let name = pass.again[0]; name !== undefined; name = pass.again[0]) {
        await this.#check(parseShareName(name)!, pass, false, signal)
        pass.again.shift()
      }
      await this.#missAny(pass, signal)
    } catch (error) {
      await this.#save(0).catch(() => undefined)
      throw error
    }
    this.#end(state, pass)
    await this.#save(0)
    return countsOf(pass)
  }

  #begin(state: ScrubState): ScrubPass {
    const toMs = Math.floor(this.#options.clock.nowMs())
    const forced = this.#isForced
    this.#isForced = false
    // a clock that was put back must not keep shares from being read until it has caught up
    const span = { fromMs: Math.min(state.doneMs, toMs), toMs }
    state.roundFromMs = Math.min(state.roundFromMs, toMs)
    return { ...noCounts, span, forced, after: '', again: [] }
  }

  #end(state: ScrubState, pass: ScrubPass): void {
    const endedMs = Math.floor(this.#options.clock.nowMs())
    state.doneMs = pass.span.toMs
    state.pass = undefined
    state.round = sumOf(state.round, pass)
    if (pass.forced || pass.span.toMs - state.roundFromMs >= longestPeriodMs) {
      const startedMs = pass.forced ? pass.span.toMs : state.roundFromMs
      state.lastFull = { startedMs, endedMs, ...(pass.forced ? countsOf(pass) : state.round) }
      state.round = { ...noCounts }
      state.roundFromMs = pass.span.toMs
    }
    if (pass.checked > 0)
      this.#trace.event('scrub.done', { ...countsOf(pass), forced: pass.forced })
  }

  /** Reads one share, and does what follows. What cannot be read is tried again at the end, `isFirst`. */
  async #check(
    key: ShareKey,
    pass: ScrubPass,
    isFirst: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { store, expected, onDamaged } = this.#options
    const { storageIndex, shareNumber } = key
    const reader = await store.read(storageIndex, shareNumber).catch(unreadable)
    if (reader === undefined) {
      // it may have been deleted on purpose: that is looked at in the end, if anybody knows
      if (expected === undefined) this.#find('lost', key, pass)
      return
    }
    if (reader === 'unreadable') {
      if (isFirst && pass.again.length < maxAgain)
        pass.again.push(shareName(storageIndex, shareNumber))
      else this.#find('damaged', key, pass)
      return
    }
    try {
      const verdict = await judge(key, reader, (byteCount) => this.#pace(byteCount, signal)).catch(
        unreadable,
      )
      if (verdict === 'unreadable') {
        // no byte of it is known to be wrong: a disk that fails for an hour must not empty the store
        if (isFirst && pass.again.length < maxAgain)
          pass.again.push(shareName(storageIndex, shareNumber))
        else this.#find('damaged', key, pass)
        return
      }
      pass.checked++
      pass.checkedBytes += reader.shareBytes
      if (verdict === 'newer') pass.newer++
      if (verdict === 'sound' || verdict === 'newer') return
      const isGone = await store
        .setAside(storageIndex, shareNumber, reader)
        .catch((error: unknown) => {
          this.#trace.event('scrub.stuck', {
            cause: asGridError(error, 'E_IO', 'set aside').message,
          })
          return true
        })
      if (!isGone) return
      this.#find('damaged', key, pass)
      const { shareBytes } = reader
      await onDamaged?.({ storageIndex, shareNumber, shareBytes }).catch(() => undefined)
    } finally {
      await reader.close().catch(() => undefined)
    }
  }

  /** Finds out which of the shares that should be here are not, of those that are due. */
  async #missAny(pass: ScrubPass, signal: AbortSignal | undefined): Promise<void> {
    const { store, expected, id, clock } = this.#options
    let seen = 0
    for await (const key of expected?.() ?? []) {
      signal?.throwIfAborted()
      // nothing else here may take a turn of its own
      if (++seen % keysAtOnce === 0) await sleep(clock, 1)
      const { storageIndex, shareNumber } = key
      if (!pass.forced && !isDue(storageIndex, id, pass.span)) continue
      if (!(await store.list(storageIndex)).includes(shareNumber)) this.#find('lost', key, pass)
    }
  }

  #find(what: 'damaged' | 'lost', key: ShareKey, pass: ScrubPass): void {
    pass[what]++
    const name = shareName(key.storageIndex, key.shareNumber)
    this.#trace.event(`share.${what}`, { share: name })
  }

  async #pace(byteCount: number, signal: AbortSignal | undefined): Promise<void> {
    const { clock, isBusy = () => false } = this.#options
    const options = { ...(signal && { signal }) }
    await this.#pacer.take(byteCount, options)
    for (let waitedMs = 0; isBusy() && waitedMs < longestYieldMs; waitedMs += yieldMs)
      await sleep(clock, yieldMs, options)
  }

  /** A pass that fails is tried again, from where it was, when the next is due. */
  async #attempt(signal: AbortSignal): Promise<void> {
    try {
      await this.pass({ signal })
      if (this.#isForced) await this.pass({ signal })
    } catch (error) {
      signal.throwIfAborted()
      this.#trace.event('scrub.failed', { cause: asGridError(error, 'E_IO', 'scrub').message })
    }
  }

  async #rest(delayMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort(new Error('woken'))
    const either = AbortSignal.any([signal, woken.signal])
    await sleep(this.#options.clock, delayMs, { signal: either }).catch(() => undefined)
    this.#wake = () => {}
  }

  async #load(): Promise<ScrubState> {
    if (this.#state !== undefined) return this.#state
    const nowMs = Math.floor(this.#options.clock.nowMs())
    const fresh = { doneMs: nowMs, roundFromMs: nowMs, round: { ...noCounts } }
    const kept = await this.#options.record.load().catch(() => undefined)
    return (this.#state ??= kept ?? { ...fresh, pass: undefined, lastFull: undefined })
  }

  async #save(everyMs: number): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#state === undefined || nowMs - this.#savedAtMs < everyMs) return
    this.#savedAtMs = nowMs
    await this.#options.record.save(this.#state)
  }
}

function countsOf({ checked, checkedBytes, damaged, newer, lost }: ScrubCounts): ScrubCounts {
  return { checked, checkedBytes, damaged, newer, lost }
}

function sumOf(a: ScrubCounts, b: ScrubCounts): ScrubCounts {
  return {
    checked: a.checked + b.checked,
    checkedBytes: a.checkedBytes + b.checkedBytes,
    damaged: a.damaged + b.damaged,
    newer: a.newer + b.newer,
    lost: a.lost + b.lost,
  }
}

function unreadable(error: unknown): 'unreadable' {
  if (isGridError(error, 'E_IO')) return 'unreadable'
  throw error
}

export type { Verdict }
