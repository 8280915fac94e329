/**
 * The least in which backups and prunes can meet (docs/specs/prune.md, "Model"): servers with holds,
 * a quarantine and clocks, devices with a cache that may be put back, and a pruner that may be cut
 * short at any point and whose releases may come late, again, and out of order.
 *
 * Time goes in days. An object is a bit, a set of objects a mask. Of the snapshots of a device are
 * known the newest, the union of older ones that are kept, and of those that a prune is dropping.
 */
import type { Model, State, Step } from './explore.ts'

/** How those involved behave. `soundRules` is what the specification demands. */
export interface Rules {
  /** Between the start of a mark and the cutoff. */
  marginDays: number
  /** How long a device may wait between a touch and the commit that relies on it. */
  freshDays: number
  /** Whether a server lets a release take a hold that was touched since the cutoff. */
  releaseHeedsTouches: boolean
  /** Whether a device relies on a cache though its chain has gone on. */
  trustsOldCache: boolean
  /** Whether an entry that was signed long ago may be offered as it is. */
  offersStaleEntries: boolean
  /** Whether the newest snapshot of each device is marked. */
  keepsNewest: boolean
  /** Whether a put of what is there already counts as a touch. */
  hadCountsAsTouch: boolean
  /** Whether what is taken back counts as touched. */
  takingBackTouches: boolean
  /** Whether a server left out of the cutoff, for its clock, is left out of the push too. */
  sparesWrongClocks: boolean
}

export const soundRules: Rules = {
  marginDays: 3,
  freshDays: 2,
  releaseHeedsTouches: true,
  trustsOldCache: false,
  offersStaleEntries: false,
  keepsNewest: true,
  hadCountsAsTouch: true,
  takingBackTouches: true,
  sparesWrongClocks: true,
}

export interface Bounds {
  objects: number
  devices: number
  /** By server, in days: how far its clock is off. Of one beyond -1 the pruner takes no notice. */
  clocks: readonly number[]
  days: number
  quarantineDays: number
  /** Prunes that come as far as a release, and releases that are taken back. */
  prunes: number
  takeBacks: number
  /** Whether the second server may be away. */
  absences: boolean
  /** Times that the first device's cache is put back. */
  rollbacks: number
  /** Whether entries may stay pending. */
  pending: boolean
  /** Servers on which an object of a kept snapshot may be missing. */
  mayLose: number
}

/** Times are kept one and a bit up, so that none is below 0 and 0 is never. */
const zero = 20
/** A reference that stands on the cache and not on a touch. */
const fromCache = 1

const idle = 0
const marked = 1
const listed = 2

export class PruneModel implements Model {
  readonly #rules: Rules
  readonly #bounds: Bounds
  readonly #servers: number
  readonly #devices: number
  readonly #pruner: number
  readonly #releases: number
  readonly #length: number
  readonly first: State

  constructor(rules: Rules, bounds: Bounds) {
    this.#rules = rules
    this.#bounds = bounds
    // 0 day, 1 whether the second server is away, 2 rollbacks left, 3 take-backs left
    this.#servers = 4
    this.#devices = this.#servers + bounds.clocks.length * bounds.objects * 2
    this.#pruner = this.#devices + bounds.devices * (7 + bounds.objects)
    this.#releases = this.#pruner + 5
    this.#length = this.#releases + 1 + bounds.prunes * (3 + bounds.devices)
    this.first = new Uint8Array(this.#length)
    this.first[2] = bounds.rollbacks
    this.first[3] = bounds.takeBacks
  }

  fault(state: State): string | undefined {
    const { clocks, devices, mayLose } = this.#bounds
    let needed = 0
    for (let d = 0; d < devices; d++) {
      const at = this.#device(d)
      needed |= state[at] | state[at + 1] | state[at + 2]
    }
    for (let o = 0; needed >> o > 0; o++) {
      if ((needed & (1 << o)) === 0) continue
      const holders = clocks.filter((_, s) => state[this.#hold(s, o)] > 0).length
      if (holders < clocks.length - mayLose) return `object ${o} is kept, and on ${holders} servers`
    }
    return undefined
  }

  next(state: State): Step[] {
    const steps: Step[] = []
    const take = (action: string, change: (next: State) => void): void => {
      const next = state.slice()
      change(next)
      steps.push({ action, state: next })
    }
    if (state[0] < this.#bounds.days) take('a day goes by', (next) => this.#day(next))
    if (this.#bounds.absences)
      take('server 1 comes or goes', (next) => {
        next[1] ^= 1
      })
    for (let d = 0; d < this.#bounds.devices; d++) this.#deviceSteps(state, d, take)
    this.#prunerSteps(state, take)
    this.#releaseSteps(state, take)
    return steps
  }

  #hold(s: number, o: number): number {
    return this.#servers + (s * this.#bounds.objects + o) * 2
  }

  /** newest, older, dropping, cache, cache before, whether the cache is the newest's, pending; references. */
  #device(d: number): number {
    return this.#devices + d * (7 + this.#bounds.objects)
  }

  /** cutoff, objects, whether taken back, and of each device what it dropped. */
  #release(r: number): number {
    return this.#releases + 1 + r * (3 + this.#bounds.devices)
  }

  #isUp(state: State, s: number): boolean {
    return s !== 1 || state[1] === 0
  }

  #clock(state: State, s: number): number {
    return zero + state[0] + this.#bounds.clocks[s]
  }

  #isTrusted(s: number): boolean {
    return this.#bounds.clocks[s] >= -1
  }

  /** Whether every server has these objects, released or not. */
  #isEverywhere(state: State, mask: number): boolean {
    return this.#bounds.clocks.every((_, s) => {
      for (let o = 0; mask >> o > 0; o++)
        if ((mask & (1 << o)) !== 0 && state[this.#hold(s, o)] === 0) return false
      return true
    })
  }

  /** Servers delete as soon as they may. */
  #day(next: State): void {
    next[0]++
    for (let s = 0; s < this.#bounds.clocks.length; s++)
      for (let o = 0; o < this.#bounds.objects; o++) {
        const at = this.#hold(s, o)
        const sinceDay = next[at + 1]
        if (sinceDay > 0 && next[0] + 1 - sinceDay >= this.#bounds.quarantineDays)
          next.fill(0, at, at + 2)
      }
  }

  #put(next: State, o: number): void {
    for (let s = 0; s < this.#bounds.clocks.length; s++) {
      if (!this.#isUp(next, s)) continue
      const at = this.#hold(s, o)
      const had = next[at] > 0
      if (had && !this.#rules.hadCountsAsTouch) continue
      next[at] = this.#clock(next, s)
      next[at + 1] = 0
    }
  }

  #deviceSteps(
    state: State,
    d: number,
    take: (action: string, change: (next: State) => void) => void,
  ): void {
    const { objects, pending } = this.#bounds
    const { freshDays, trustsOldCache, offersStaleEntries } = this.#rules
    const at = this.#device(d)
    const refs = at + 7
    const isCacheGood = state[at + 5] === 1 || trustsOldCache
    for (let o = 0; o < objects; o++) {
      const now = zero + state[0]
      if (state[refs + o] !== now)
        take(`device ${d} puts ${o}`, (next) => {
          this.#put(next, o)
          next[refs + o] = now
        })
      if (state[refs + o] === 0 && isCacheGood && (state[at + 3] & (1 << o)) !== 0)
        take(`device ${d} takes ${o} from its cache`, (next) => {
          next[refs + o] = fromCache
        })
    }
    let mask = 0
    let isFresh = true
    for (let o = 0; o < objects; o++) {
      const ref = state[refs + o]
      if (ref === 0) continue
      mask |= 1 << o
      if (ref !== fromCache && zero + state[0] - ref > freshDays) isFresh = false
      // a pending entry is the newest to itself: of what it took from a cache it may be the only one
      if (ref === fromCache && state[at + 5] === 0 && !trustsOldCache) isFresh = false
    }
    if (isFresh || (state[at + 6] !== 0 && offersStaleEntries))
      take(`device ${d} commits ${mask}`, (next) => this.#commit(next, d, mask))
    if (pending && mask !== 0 && isFresh && state[at + 6] === 0)
      take(`device ${d} signs ${mask}, and reaches no log server`, (next) => {
        next[at + 6] = mask
      })
    if (d === 0 && state[2] > 0 && state[at + 4] !== 0)
      take('the cache of device 0 is put back', (next) => {
        next[2]--
        next[at + 3] = next[at + 4]
        next[at + 5] = 0
        next.fill(0, at + 6, refs + objects)
      })
  }

  #commit(next: State, d: number, mask: number): void {
    const at = this.#device(d)
    next[at + 1] |= next[at]
    next[at] = mask
    next[at + 4] = next[at + 3]
    next[at + 3] = mask
    next[at + 5] = 1
    next.fill(0, at + 6, at + 7 + this.#bounds.objects)
  }

  #prunerSteps(state: State, take: (action: string, change: (next: State) => void) => void): void {
    const { devices, clocks, objects, prunes } = this.#bounds
    const at = this.#pruner
    if (state[at] === idle && state[this.#releases] < prunes) {
      for (let drop = 0; drop < 2 ** devices; drop++) {
        const drops = Array.from({ length: devices }, (_, d) => d).filter((d) => drop & (1 << d))
        if (drops.some((d) => state[this.#device(d) + 1] === 0)) continue
        take(`a prune marks, and drops what is old of ${drops.join() || 'nobody'}`, (next) => {
          const read = clocks.flatMap((_, s) =>
            this.#isUp(next, s) && this.#isTrusted(s) ? this.#clock(next, s) : [],
          )
          next[at] = marked
          next[at + 1] = Math.min(...read) - this.#rules.marginDays
          let reached = 0
          for (let d = 0; d < devices; d++) {
            const device = this.#device(d)
            if (this.#rules.keepsNewest) reached |= next[device]
            if ((drop & (1 << d)) === 0) reached |= next[device + 1]
            else {
              next[device + 2] = next[device + 1]
              next[device + 1] = 0
            }
          }
          next[at + 2] = reached
        })
      }
    }
    if (state[at] === marked)
      take('it lists', (next) => {
        let held = 0
        for (let s = 0; s < clocks.length; s++)
          for (let o = 0; o < objects; o++) {
            const hold = this.#hold(s, o)
            if (this.#isUp(next, s) && next[hold] > 0 && next[hold + 1] === 0) held |= 1 << o
          }
        next[at] = listed
        next[at + 3] = held & ~next[at + 2]
      })
    if (state[at] !== idle)
      take('it is cut short', (next) => {
        for (let d = 0; d < devices; d++) {
          const device = this.#device(d)
          next[device + 1] |= next[device + 2]
          next[device + 2] = 0
        }
        next.fill(0, at, at + 5)
      })
    if (state[at] === listed && state[at + 3] !== 0)
      take('it commits its release', (next) => {
        const release = this.#release(next[this.#releases]++)
        next[release] = next[at + 1]
        next[release + 1] = next[at + 3]
        for (let d = 0; d < devices; d++) {
          next[release + 3 + d] = next[this.#device(d) + 2]
          next[this.#device(d) + 2] = 0
        }
        next.fill(0, at, at + 5)
      })
  }

  /** Whoever has read the log may hand any release to any server, whenever and as often as he likes. */
  #releaseSteps(state: State, take: (action: string, change: (next: State) => void) => void): void {
    const { clocks, devices, objects } = this.#bounds
    for (let r = 0; r < state[this.#releases]; r++) {
      const at = this.#release(r)
      for (let s = 0; s < clocks.length; s++) {
        const isSpared = !this.#isTrusted(s) && this.#rules.sparesWrongClocks
        if (!this.#isUp(state, s) || isSpared) continue
        take(`server ${s} carries out release ${r}`, (next) => {
          for (let o = 0; o < objects; o++) {
            const hold = this.#hold(s, o)
            const isNamed = (next[at + 1] & (1 << o)) !== 0
            if (!isNamed || next[hold] === 0 || next[hold + 1] > 0) continue
            const isOld = next[hold] < next[at] || !this.#rules.releaseHeedsTouches
            if (isOld) next[hold + 1] = next[0] + 1
          }
        })
      }
      // the quarantine is over as soon as the first server has deleted something
      const isWhole = state[1] === 0 && this.#isEverywhere(state, state[at + 1])
      if (state[3] > 0 && state[at + 2] === 0 && isWhole)
        take(`release ${r} is taken back everywhere`, (next) => {
          next[3]--
          next[at + 2] = 1
          for (let s = 0; s < clocks.length; s++)
            for (let o = 0; o < objects; o++) {
              const hold = this.#hold(s, o)
              if ((next[at + 1] & (1 << o)) === 0 || next[hold] === 0) continue
              next[hold + 1] = 0
              if (this.#rules.takingBackTouches) next[hold] = this.#clock(next, s)
            }
          for (let d = 0; d < devices; d++) next[this.#device(d) + 1] |= next[at + 3 + d]
        })
    }
  }
}
