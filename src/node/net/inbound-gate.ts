/** Who may connect: counts and rates of inbound connections by the address they come from. */
import type { Clock } from '../../base/clock.ts'
import { originOf } from '../../base/multiaddr.ts'
import { TokenBucket } from '../../base/token-bucket.ts'
import { addressScope } from '../../introducer/address-scope.ts'
import type { NetLimits } from './net-limits.ts'

type GateLimits = Pick<
  NetLimits,
  'maxPerPublicAddress' | 'maxPerPrivateAddress' | 'newPerSecondPublic' | 'newPerSecondPrivate'
>

interface Visitor {
  open: number
  rate: TokenBucket
  lastMs: number
}

/** A bucket is full again after this time, so that its visitor can be forgotten. */
const forgetMs = 1_000
/** Visitors remembered before those that can be forgotten are. */
const maxVisitors = 1024

export class InboundGate {
  readonly #clock: Clock
  readonly #limits: GateLimits
  readonly #visitors = new Map<string, Visitor>()

  constructor(clock: Clock, limits: GateLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  /**
   * Lets a connection from `address`, a multiaddr, in: returns what to call when it has ended. Or
   * undefined where it may not come in.
   */
  admit(address: string): (() => void) | undefined {
    const isPrivate = addressScope(address) === 'private'
    const { maxPerPrivateAddress, maxPerPublicAddress } = this.#limits
    const visitor = this.#visitor(originOf(address), isPrivate)
    visitor.lastMs = this.#clock.monotonicMs()
    const most = isPrivate ? maxPerPrivateAddress : maxPerPublicAddress
    if (visitor.open >= most || !visitor.rate.tryTake(1)) return undefined
    visitor.open++
    let inside = true
    return () => {
      if (inside) visitor.open--
      inside = false
    }
  }

  #visitor(origin: string, isPrivate: boolean): Visitor {
    const known = this.#visitors.get(origin)
    if (known !== undefined) return known
    if (this.#visitors.size >= maxVisitors) this.#forget()
    const perSecond = isPrivate ? this.#limits.newPerSecondPrivate : this.#limits.newPerSecondPublic
    const rate = new TokenBucket({
      clock: this.#clock,
      tokensPerSecond: perSecond,
      burst: perSecond,
    })
    const visitor = { open: 0, rate, lastMs: 0 }
    this.#visitors.set(origin, visitor)
    return visitor
  }

  #forget(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [origin, { open, lastMs }] of this.#visitors) {
      if (open === 0 && nowMs - lastMs >= forgetMs) this.#visitors.delete(origin)
    }
  }
}
