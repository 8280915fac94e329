/**
 * A machine that backs up: it puts what its servers lack, touches what it remembers to have put, and
 * commits a snapshot that refers only to what it may refer to (docs/specs/holds.md, "Freshness").
 */
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { KeepClient, orRefused } from './keep-client.ts'
import type { Placement, Placements } from './keep-judge.ts'
import type { KeepObject } from './keep-objects.ts'
import type { KeepParts } from './keep-parts.ts'
import { type BackupItem, hourMs } from './keep-plan.ts'

/** What is written down beside a snapshot, and what an earlier day's copy of it lacks. */
interface Memory {
  /** Seq of the snapshot that this was written down with. */
  seq: number
  /** Numbers of objects that were once put. */
  known: ReadonlySet<number>
}

/** When an object was made fresh, by the machine's monotonic clock, and where it is. */
interface Fresh {
  sinceMs: number
  placements: Placements
}

export class KeepDevice {
  readonly id: string
  readonly number: number
  readonly #parts: KeepParts
  #client: KeepClient
  #busy: string | undefined
  readonly #memories: Memory[] = [{ seq: 0, known: new Set() }]
  #lives = 0

  constructor(number: number, parts: KeepParts) {
    this.number = number
    this.id = `device-${number}`
    this.#parts = parts
    this.#client = this.#born()
  }

  get underWay(): readonly string[] {
    return this.#busy === undefined ? [] : [this.#busy]
  }

  crash(): void {
    if (this.#busy !== undefined) this.#parts.tally.reached('device: died at work')
    this.#busy = undefined
    this.#client.clock.stop()
    this.#client = this.#born()
  }

  /** Its memory is that of an earlier backup again. */
  forget(): void {
    this.crash()
    if (this.#memories.length > 1) this.#memories.pop()
  }

  async backup(item: BackupItem): Promise<void> {
    const { tally, journal } = this.#parts
    if (this.#busy !== undefined) {
      tally.add('backup: the one before still runs')
      return
    }
    const client = this.#client
    this.#busy = `backup at ${item.atMs}`
    journal.write(this.id, 'backup', { objects: item.objects })
    const outcome = await this.#backUp(client, item)
    if (client !== this.#client) return
    this.#busy = undefined
    tally.add(`backup: ${outcome}`)
    journal.write(this.id, 'backup ended', { outcome })
  }

  async #backUp(client: KeepClient, { objects, paceMs, commitMs }: BackupItem): Promise<string> {
    const { log, judge, clock, tally, rules } = this.#parts
    const memory = this.#memories.at(-1)!
    const newest = log.newestOf(this.number)
    const trusted = new Set(newest?.seq === memory.seq ? newest.objects : [])
    const fresh = new Map<number, Fresh>()
    for (const number of objects) {
      if (trusted.has(number)) continue
      await client.pause(paceMs)
      if (!rules.touches && memory.known.has(number)) {
        trusted.add(number)
        continue
      }
      const made = await this.#secure(client, this.#parts.objects[number])
      if (made === undefined) return 'too few servers'
      fresh.set(number, made)
    }
    const stale = (): number[] =>
      [...fresh].flatMap(([number, { sinceMs }]) =>
        client.clock.monotonicMs() - sinceMs > rules.freshMs - hourMs ? [number] : [],
      )
    for (let tries = 0; ; tries++) {
      for (const number of stale()) {
        tally.reached('backup: touched again before its commit')
        const again = await this.#secure(client, this.#parts.objects[number])
        if (again === undefined) return 'too few servers'
        fresh.set(number, again)
      }
      // an entry may wait for its quorum; one that has waited too long is signed anew
      if (tries < 2) await client.pause(commitMs)
      if (stale().length === 0) break
    }
    if (client !== this.#client) return 'dead'
    const snapshot = log.commit(this.number, new Set(objects), clock.nowMs())
    judge.committed(
      snapshot,
      new Map([...fresh].map(([number, { placements }]) => [number, placements])),
      newest,
    )
    this.#memories.push({ seq: snapshot.seq, known: new Set([...memory.known, ...objects]) })
    return 'committed'
  }

  /** Holds an object at every server that answers, one share each; undefined for fewer than happy. */
  async #secure(client: KeepClient, object: KeepObject): Promise<Fresh | undefined> {
    const { options } = this.#parts
    const sinceMs = client.clock.monotonicMs()
    const placements = new Map<number, Placement>()
    const taken = new Set<number>()
    const order = client.peers.map((_, i) => (i + object.number) % client.peers.length)
    for (const server of order) {
      const peer = client.peers[server]
      const had = await orRefused(this.#touch(peer, object))
      const shareNumber = had?.find((each) => !taken.has(each))
      if (shareNumber === undefined) continue
      taken.add(shareNumber)
      placements.set(server, { shareNumber })
    }
    for (const server of order) {
      const shareNumber = [...Array(options.n).keys()].find((each) => !taken.has(each))
      if (placements.has(server) || shareNumber === undefined) continue
      const stored = await orRefused(this.#put(client.peers[server], object, shareNumber))
      if (stored === undefined) continue
      taken.add(shareNumber)
      placements.set(server, { shareNumber })
    }
    return placements.size < options.happy ? undefined : { sinceMs, placements }
  }

  async #touch(peer: StoragePeer, object: KeepObject): Promise<number[]> {
    const indexes = [object.storageIndex]
    const [outcome] = await peer.touch(indexes)
    if (outcome === 'absent') return []
    const [numbers] = await peer.have(indexes)
    return numbers
  }

  async #put(
    peer: StoragePeer,
    { storageIndex, shares }: KeepObject,
    shareNumber: number,
  ): Promise<string> {
    const bytes = shares[shareNumber]
    const body = { shareBytes: bytes.length, pieces: [bytes] }
    return peer.putShare(storageIndex, shareNumber, body)
  }

  #born(): KeepClient {
    return new KeepClient(`${this.id}-${this.#lives++}`, this.#parts, this.number)
  }
}
