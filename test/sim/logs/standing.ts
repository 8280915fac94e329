/** Who of a run is well at what time, and so what may be asked of it. */
import { toHex } from '../../../src/base/bytes.ts'
import { quorumOf } from '../../../src/log/log-config.ts'
import type { Span } from '../judge.ts'
import { recoveryMs, troubleOf, type FaultEvent } from '../plan.ts'
import type { SimServer } from '../sim-server.ts'
import { isWithin, lastingTrouble, type LogPlan } from './log-plan.ts'
import type { LogTruth } from './log-truth.ts'
import type { SimLog } from './sim-log.ts'

/** Disks up to this size fill up. */
const smallDiskBytes = 2 ** 22

export class Standing {
  /** In every config of the plan at most f servers lie or forget. */
  readonly isTame: boolean
  /** Servers that lie or whose disks do, at some time. */
  readonly untrue: ReadonlySet<number>
  /** Authors, in hex, whose key more than one holds, or who may forget what they signed. */
  readonly disturbed: ReadonlySet<string>
  readonly #plan: LogPlan
  readonly #servers: readonly SimServer[]
  readonly #truth: LogTruth
  readonly #faults: readonly FaultEvent[]

  constructor(plan: LogPlan, servers: readonly SimServer[], truth: LogTruth, log: SimLog) {
    this.#plan = plan
    this.#servers = servers
    this.#truth = truth
    this.#faults = plan.items.filter((item) => item.kind === 'fault')
    const members = [...Array(plan.options.members).keys()]
    const moves = plan.items.flatMap((item) => (item.kind === 'move' ? [item.servers] : []))
    this.isTame = [members, ...moves].every((config) => isWithin(this.#faults, config))
    this.untrue = lastingTrouble(this.#faults)
    const disturbed = plan.items.flatMap((item) => {
      if (item.kind === 'fault') {
        return item.fault.kind === 'lie' && item.fault.lie === 'showsBranch' ? [1] : []
      }
      if (item.kind === 'attack') return usesKey.has(item.way) ? [item.device] : []
      return forgets.has(item.kind) ? [item.machine] : []
    })
    this.disturbed = new Set(disturbed.map((device) => toHex(log.deviceKey(device))))
  }

  /** Whether all faults were long over when the span began. */
  isAfterAll({ fromMs }: Span): boolean {
    return fromMs >= this.#plan.options.durationMs + recoveryMs
  }

  /** Servers, by number, that were in trouble at some time of the span. */
  unwell({ fromMs, toMs }: Span): Set<number> {
    const unwell = new Set<number>()
    for (const event of this.#faults) {
      const trouble = troubleOf(event)
      if (trouble.fromMs <= toMs && trouble.toMs >= fromMs) unwell.add(event.server)
    }
    for (const item of this.#plan.items) {
      if (item.kind !== 'split') continue
      if (item.atMs > toMs || item.atMs + item.forMs + recoveryMs < fromMs) continue
      for (const server of item.servers) unwell.add(server)
    }
    return unwell
  }

  /** Whether a quorum of each config that may be in force was well, and has the log. */
  isQuorumWell(span: Span): boolean {
    if (this.#plan.options.diskBytes <= smallDiskBytes) return false
    const unwell = this.unwell(span)
    return this.#truth.configs.every((config) => {
      const well = config.filter((i) => !unwell.has(i) && this.#servers[i].logLedger.hasLog)
      return well.length >= quorumOf(config.length)
    })
  }

  /** Whether some server's clock jumps in the run. */
  get clocksJump(): boolean {
    return this.#faults.some(({ fault }) => fault.kind === 'clock')
  }

  get hasLiar(): boolean {
    return this.#servers.some(({ lie }) => lie !== undefined)
  }
}

const forgets: ReadonlySet<string> = new Set(['lose', 'restore', 'clone'])
const usesKey: ReadonlySet<string> = new Set(['unlinked', 'wrong skip', 'wrong kind', 'other body'])
