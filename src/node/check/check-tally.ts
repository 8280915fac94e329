/** What a check has found so far, added up. */
import type { Hidden } from './objects-of-cap.ts'
import { type ObjectCheck, type ObjectState, objectStates } from './object-check.ts'

/** What is wrong, by server. */
export interface ServerTally {
  /** Shares that it gave, or was believed to have. */
  has: number
  damaged: number
  /** Shares that it claimed, and did not have. */
  missing: number
  /** Objects about which it did not answer, and about which it would not. */
  silent: number
  refuses: number
}

const maxKept = 1000

export class CheckTally {
  readonly states: Record<ObjectState, number> = {
    healthy: 0,
    degraded: 0,
    repairable: 0,
    lost: 0,
    unknown: 0,
  }
  readonly servers: Map<string, ServerTally> = new Map<string, ServerTally>()
  /** What could not be looked into; the first thousand. */
  readonly hidden: Hidden[] = []
  hiddenCount = 0
  objects = 0
  /** Shares that were looked into, and those among all that were found wrong. */
  looked = 0
  damaged = 0
  /** The least number of distinct servers that any object is on; undefined before the first. */
  leastServers: number | undefined

  add(check: ObjectCheck): void {
    this.objects++
    this.states[check.state]++
    this.leastServers = Math.min(this.leastServers ?? Infinity, check.claimed)
    for (const { candidate, answer, evidence } of check.claims) {
      const server = this.#server(candidate.id)
      if (evidence !== 'claim' || answer !== 'has') this.looked++
      if (answer === 'absent') server.missing++
      else server[answer]++
      if (answer === 'absent' || answer === 'damaged') this.damaged++
    }
    for (const { peerId, answer } of check.unheard) this.#server(peerId)[answer]++
  }

  hide(hidden: Hidden): void {
    this.hiddenCount++
    if (this.hidden.length < maxKept) this.hidden.push(hidden)
  }

  /** Whether all is well, and everything is known. */
  get isHealthy(): boolean {
    const { healthy } = this.states
    return healthy === this.objects && this.hiddenCount === 0 && this.damaged === 0
  }

  /** Whether something could be made better by a repair. */
  get isRepairable(): boolean {
    return this.states.degraded + this.states.repairable + this.damaged > 0
  }

  /** States that there are, in words. */
  get text(): string {
    const parts = objectStates.filter((state) => this.states[state] > 0)
    return parts.map((state) => `${this.states[state]} ${state}`).join(', ')
  }

  #server(id: string): ServerTally {
    const known = this.servers.get(id)
    if (known !== undefined) return known
    const fresh = { has: 0, damaged: 0, missing: 0, silent: 0, refuses: 0 }
    this.servers.set(id, fresh)
    return fresh
  }
}
