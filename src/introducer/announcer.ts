/** A node's own announcement: always one that counts, for every introducer to be given. */
import { Bell } from '../base/bell.ts'
import type { Clock } from '../base/clock.ts'
import { equalBytes } from '../base/bytes.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { peerIdOf } from '../base/peer-id.ts'
import {
  type Announcement,
  maxAddresses,
  type NodeFacts,
  signAnnouncement,
} from './announcement.ts'

export interface AnnouncerOptions {
  gridName: string
  /** Of the node's key, 32 bytes. */
  seed: Uint8Array
  clock: Clock
  /** What to say now; asked for each announcement. Of more than 16 addresses the first 16 are said. */
  describe: () => { addresses: readonly string[]; facts: NodeFacts }
  /** What shows that the node is a member of its grid. */
  certificate?: Uint8Array
  /** Called when another node seems to run with this one's key: once an hour at most. */
  onTwin?: () => void
}

const lifetimeMs = 24 * 3600 * 1000
/** How often a node says anew that it is there, and how much room it has left. */
export const renewMs: number = 3600 * 1000

/** Times an hour that ours is numbered above another: a clock that was ahead takes one for each introducer. */
const maxOvertakes = 16
/** So many mean that another process goes above ours: both see it before either stops. */
const twinOvertakes = 8

export class Announcer {
  readonly nodeId: string
  readonly #options: AnnouncerOptions
  readonly #renewed = new Bell()
  #current: Announcement
  #overtakes = 0
  #cancel: () => void = () => {}

  constructor(options: AnnouncerOptions) {
    this.#options = options
    this.nodeId = peerIdOf(publicKeyOfSeed(options.seed))
    this.#current = this.#sign(0)
    this.#renewLater()
  }

  get current(): Announcement {
    return this.#current
  }

  /** Announces anew, for instance because addresses or facts have changed. */
  renew(): void {
    this.#current = this.#sign(this.#current.seq)
    this.#cancel()
    this.#renewLater()
    this.#renewed.ring()
  }

  /**
   * Takes in an announcement of this node, of this process or an earlier one, that somebody holds. If it would count for more
   * than ours, since the clock was ahead when it was made, ours is numbered above it. One that comes again and again
   * is of another process, with the same key: two who each go above the other would do nothing else.
   */
  heard(announcement: Announcement): void {
    const { seq, bytes } = this.#current
    if (announcement.seq < seq || equalBytes(announcement.bytes, bytes)) return
    this.#overtakes++
    if (this.#overtakes === twinOvertakes) this.#options.onTwin?.()
    if (this.#overtakes > maxOvertakes) return
    this.#current = { ...this.#current, seq: announcement.seq }
    this.renew()
  }

  /**
   * The announcement to give after `last`: waits while that is still the current one. Rejects with
   * the signal's reason.
   */
  async next(
    last: Announcement | undefined,
    options: { signal: AbortSignal },
  ): Promise<Announcement> {
    while (this.#current === last) await this.#renewed.next(options)
    return this.#current
  }

  close(): void {
    this.#cancel()
  }

  /** Wall time in ms for a number: it grows from one start of the node to the next, without a file. */
  #sign(lastSeq: number): Announcement {
    const { gridName, seed, clock, describe, certificate } = this.#options
    const { addresses, facts } = describe()
    const nowMs = clock.nowMs()
    const statement = {
      gridName,
      addresses: addresses.slice(0, maxAddresses),
      seq: Math.max(nowMs, lastSeq + 1),
      expiresAtMs: nowMs + lifetimeMs,
      facts,
      ...(certificate && { certificate }),
    }
    return signAnnouncement(statement, seed)
  }

  #renewLater(): void {
    this.#cancel = this.#options.clock.after(renewMs, () => {
      this.#overtakes = 0
      this.renew()
    })
  }
}
