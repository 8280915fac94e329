/** The machine that prunes: it marks, lists, signs a release and pushes it, and dies at times in between. */
import { Garbage } from '../../../src/backup/prune/garbage.ts'
import { indexKey } from '../../../src/backup/prune/index-set.ts'
import { planPrune } from '../../../src/backup/prune/plan.ts'
import { type Cutoff, cutoffOf, type ServerClock } from '../../../src/backup/prune/server-clocks.ts'
import { type ListedHold, maxListedHolds } from '../../../src/storage/hold-peer.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { KeepClient, orRefused } from './keep-client.ts'
import { type KeptSnapshot, type LoggedRelease, prunerNumber } from './keep-log.ts'
import type { KeepParts } from './keep-parts.ts'
import { hourMs, type PruneItem } from './keep-plan.ts'

export class KeepPruner {
  readonly #parts: KeepParts
  #client: KeepClient
  #busy: string | undefined
  #lives = 0
  /** The newest release that each server has acknowledged, by peer id. */
  readonly #pushed = new Map<string, number>()

  constructor(parts: KeepParts) {
    this.#parts = parts
    this.#client = this.#born()
  }

  get underWay(): readonly string[] {
    return this.#busy === undefined ? [] : [this.#busy]
  }

  async prune(item: PruneItem): Promise<void> {
    await this.#alone(`prune at ${item.atMs}`, (client) => this.#prune(client, item))
  }

  /** Hands servers what they have missed. */
  async push(): Promise<void> {
    await this.#alone('push', (client) => this.#push(client, 1000))
  }

  async cancel(): Promise<void> {
    await this.#alone('cancel', async (client) => {
      const { log, clock, tally } = this.#parts
      const last = log.releases.at(-1)
      if (last === undefined || last.cutoffMs === 0) return 'nothing to take back'
      log.release(0, last.indexes, clock.nowMs())
      tally.reached('prune: taken back')
      return this.#push(client, 1000)
    })
  }

  /** Says again what has been said, in any order. */
  async replay(): Promise<void> {
    await this.#alone('replay', async (client) => {
      const { log, random, onReplayed } = this.#parts
      if (log.releases.length === 0) return 'nothing to say again'
      const { releaseSeq, signed } = random.pick(log.releases)
      for (const peer of client.peers) {
        if (releaseSeq > (this.#pushed.get(peer.id) ?? 0)) continue
        const reply = await orRefused(peer.release(signed))
        if (reply !== undefined) onReplayed(peer.id, reply)
      }
      return 'said again'
    })
  }

  async #alone(name: string, work: (client: KeepClient) => Promise<string>): Promise<void> {
    const { tally, journal } = this.#parts
    if (this.#busy !== undefined) {
      tally.add('pruner: busy')
      return
    }
    const client = this.#client
    this.#busy = name
    const outcome = await work(client)
    tally.add(`${name.split(' ')[0]}: ${outcome}`)
    journal.write('pruner', name, { outcome })
    this.#busy = undefined
  }

  async #prune(
    client: KeepClient,
    { keepLast, paceMs, diesAt, hasty }: PruneItem,
  ): Promise<string> {
    const { log, judge, objects, clock, options } = this.#parts
    let steps = 0
    /** False where the process dies before its next step. */
    const goesOn = async (): Promise<boolean> => {
      if (steps++ === diesAt) return this.#die()
      await client.pause(paceMs)
      return true
    }
    const { cutoffMs, servers } = await this.#cutoff(client)
    if (cutoffMs === undefined) return 'no clock to go by'
    if (!(await goesOn())) return 'died'
    const dropped = hasty
      ? log.snapshots.filter((each) => !isKept(each, log.snapshots, keepLast))
      : this.#planned(client, keepLast)
    const kept = log.snapshots.filter((each) => !dropped.includes(each))
    const reached = new Map(
      kept
        .flatMap((each) => [...each.objects])
        .map((number) => [indexKey(objects[number].storageIndex), options.n]),
    )
    if (!(await goesOn())) return 'died'
    const garbage = new Garbage({ objects: reached }, cutoffMs)
    const right = client.peers.filter(({ id }) => servers.includes(id))
    for (const peer of right) {
      const held = await orRefused(holdsOf(peer))
      if (held !== undefined) await garbage.add([held])
      if (!(await goesOn())) return 'died'
    }
    for (const peer of right) await orRefused(peer.touch(garbage.wanting))
    if (garbage.releasedCount === 0) return 'nothing to let go of'
    judge.dropped(dropped)
    log.release(cutoffMs, garbage.released, clock.nowMs())
    if (!(await goesOn())) return 'died'
    return this.#push(client, paceMs)
  }

  /** What the planner would let go of, after a restore test of the newest snapshot. */
  #planned(client: KeepClient, last: number): KeptSnapshot[] {
    const { snapshots } = this.#parts.log
    const nowMs = client.clock.nowMs()
    const idOf = ({ device, seq }: KeptSnapshot): string => `${device}/${seq}`
    const newest = snapshots.at(-1)
    const { dropped } = planPrune({
      ...{ nowMs, policy: { last }, entriesPerDay: {} },
      tested: newest === undefined ? [] : [{ id: idOf(newest), testedMs: nowMs }],
      snapshots: snapshots.map((each) => ({
        ...{ id: idOf(each), chain: String(each.device), seq: each.seq, series: '' },
        ...{ receivedMs: each.receivedMs, tags: [], seen: [] },
      })),
    })
    return snapshots.filter((each) => dropped.includes(idOf(each)))
  }

  /** What was touched before this may be let go of, and who may be asked to. */
  async #cutoff(client: KeepClient): Promise<Pick<Cutoff, 'cutoffMs' | 'servers'>> {
    const { rules, tally } = this.#parts
    const clocks: ServerClock[] = []
    for (const peer of client.peers) {
      const status = await orRefused(peer.status())
      if (status !== undefined) clocks.push({ server: peer.id, nowMs: status.nowMs })
    }
    const { cutoffMs, servers, astray } = cutoffOf(clocks, client.clock.nowMs())
    if (astray.length > 0) tally.reached('prune: a clock was left out')
    return { servers, cutoffMs: cutoffMs && cutoffMs + rules.lessMarginMs }
  }

  async #push(client: KeepClient, paceMs: number): Promise<string> {
    const { log, tally } = this.#parts
    for (const peer of client.peers) {
      const missed = log.releases.filter(({ releaseSeq }) => {
        return releaseSeq > (this.#pushed.get(peer.id) ?? 0)
      })
      const status = await orRefused(peer.status())
      if (status === undefined) continue
      if (Math.abs(status.nowMs - client.clock.nowMs()) > hourMs) continue
      for (const release of missed) {
        await client.pause(paceMs)
        if (!(await this.#handOver(peer, release))) break
      }
      if (missed.length > 1) tally.reached('prune: a server got what it had missed')
    }
    return 'pushed'
  }

  async #handOver(peer: StoragePeer, { releaseSeq, signed }: LoggedRelease): Promise<boolean> {
    const reply = await orRefused(peer.release(signed))
    if (reply === undefined) return false
    const { tally } = this.#parts
    tally.add('release: ended', reply.changed)
    if (reply.kept > 0) tally.reached('release: a touch saved what was let go of')
    this.#pushed.set(peer.id, releaseSeq)
    return true
  }

  #die(): false {
    this.#parts.tally.reached('prune: died at work')
    this.#client.clock.stop()
    this.#client = this.#born()
    return false
  }

  #born(): KeepClient {
    return new KeepClient(`pruner-${this.#lives++}`, this.#parts, prunerNumber)
  }
}

/** Whether fewer than `keepLast` of the same device came after it. */
function isKept(
  { device, seq }: KeptSnapshot,
  all: readonly KeptSnapshot[],
  keepLast: number,
): boolean {
  return all.filter((other) => other.device === device && other.seq > seq).length < keepLast
}

async function holdsOf(peer: StoragePeer): Promise<ListedHold[]> {
  const all: ListedHold[] = []
  for (;;) {
    const after = all.at(-1)?.storageIndex
    const { holds, complete } = await peer.listHolds({
      after,
      limit: maxListedHolds,
      which: 'held',
    })
    all.push(...holds)
    if (complete) return all
  }
}
