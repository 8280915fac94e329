/** What was promised in a run of keeping, and whether it is so. */
import { concat, equalBytes, toHex } from '../../../src/base/bytes.ts'
import type { Clock } from '../../../src/base/clock.ts'
import type { ObjectCheck } from '../../../src/node/check/object-check.ts'
import type { RepairedObject } from '../../../src/node/repair/repair-run.ts'
import type { StoragePeer } from '../../../src/storage/peer.ts'
import { altered } from '../altered.ts'
import { distinctHolders } from '../holders.ts'
import type { Tally } from '../tally.ts'
import type { KeptSnapshot } from './keep-log.ts'
import type { KeepObject } from './keep-objects.ts'
import type { KeepServer } from './keep-server.ts'

export interface Placement {
  shareNumber: number
}

/** By number of the server. */
export type Placements = ReadonlyMap<number, Placement>

export interface KeepJudgeOptions {
  clock: Clock
  servers: readonly KeepServer[]
  objects: readonly KeepObject[]
  n: number
  tally: Tally
  onViolation: (what: string) => void
}

export class KeepJudge {
  readonly #options: KeepJudgeOptions
  #disturbances = 0
  /** The same of all that were ever committed. */
  readonly #committed = new Map<KeptSnapshot, ReadonlyMap<number, Placements>>()
  /** Where the device that committed a snapshot counts each of its objects. */
  readonly #kept = new Map<KeptSnapshot, ReadonlyMap<number, Placements>>()

  constructor(options: KeepJudgeOptions) {
    this.#options = options
  }

  /** `fresh`: what was put or touched for it; all else it takes over from the one before. */
  committed(
    snapshot: KeptSnapshot,
    fresh: ReadonlyMap<number, Placements>,
    before: KeptSnapshot | undefined,
  ): void {
    const old = before && this.#committed.get(before)
    const placements = new Map<number, Placements>()
    for (const number of snapshot.objects) {
      placements.set(
        number,
        fresh.get(number) ?? old?.get(number) ?? this.#lastOf(snapshot, number),
      )
    }
    this.#kept.set(snapshot, placements)
    this.#committed.set(snapshot, placements)
    this.audit()
  }

  /** Where an object was when the same device last counted on it. */
  #lastOf({ device }: KeptSnapshot, number: number): Placements {
    const before = [...this.#committed].filter(([each]) => each.device === device)
    return before.findLast(([, placements]) => placements.has(number))?.[1].get(number) ?? new Map()
  }

  /** A prune has decided, and signed, that these are let go of. */
  dropped(snapshots: readonly KeptSnapshot[]): void {
    for (const each of snapshots) this.#kept.delete(each)
  }

  /** Something has befallen a server. */
  disturbed(): void {
    this.#disturbances++
  }

  /** Grows with all that befalls servers. */
  get disturbances(): number {
    return this.#disturbances
  }

  /** How many good shares of each object are on distinct servers, whether these run or not. */
  goodOf(numbers: readonly number[]): Map<number, number> {
    const { servers, objects, n } = this.#options
    return new Map(
      numbers.map((number) => {
        const { storageIndex } = objects[number]
        const found = servers.map(({ server }) => server.ledger.found(storageIndex, n))
        return [number, distinctHolders(found)]
      }),
    )
  }

  /**
   * What a check has found of an object, and a repair made of it, that began when `before` good shares
   * of it were on distinct servers, and after so many disturbances.
   */
  checked(
    number: number,
    { before, since }: { before: number; since: number },
    found: ObjectCheck,
    repaired?: RepairedObject,
  ): void {
    const { tally, onViolation, n, servers } = this.#options
    const now = this.goodOf([number]).get(number) ?? 0
    tally.add(`check: ${found.state}`)
    if (found.unheard.length > 0) tally.reached('check: with a server silent')
    if (found.state === 'healthy' && Math.max(before, now) < n) {
      onViolation(`I3: object ${number} is called healthy with ${now} of ${n} good shares`)
    }
    if (found.state === 'lost' && found.unheard.length > 0) {
      onViolation(`I3: object ${number} is called lost, and not every server has answered`)
    }
    if (repaired === undefined) return
    tally.add(`repair: ${repaired.outcome}`)
    if (repaired.outcome === 'mended') tally.reached('repair: mended')
    if (repaired.servers > n) onViolation(`I3: ${repaired.servers} servers with ${n} shares`)
    const written = repaired.report?.written ?? 0
    const areWell = !servers.some(({ server }) => server.isUnwell)
    const isQuiet = areWell && since === this.#disturbances && found.unheard.length === 0
    if (isQuiet && now < before) {
      onViolation(`I4: a repair left ${now} good shares of object ${number}, of ${before}`)
    }
    if (isQuiet && written > n - before) {
      onViolation(`I4: ${written} shares were written of object ${number}, which lacked fewer`)
    }
  }

  /**
   * `peer`, for who repairs: each share that is put must be the one that it should be, on a server that
   * has none of the object but what others have, too.
   */
  watched(peer: StoragePeer): StoragePeer {
    const { objects, onViolation, servers, n } = this.#options
    const { ledger } = servers.find(({ id }) => id === peer.id)!.server
    const before = new Map(
      objects.map(({ storageIndex }) => [toHex(storageIndex), ledger.found(storageIndex, n)]),
    )
    return altered<StoragePeer>(peer, {
      putShare: async (index, shareNumber, share, options) => {
        const pieces: Uint8Array[] = []
        for await (const piece of share.pieces) pieces.push(piece.slice())
        const object = objects.find(({ storageIndex }) => equalBytes(storageIndex, index))
        const should = object?.shares[shareNumber]
        if (should === undefined || !equalBytes(concat(...pieces), should)) {
          onViolation(`I4: a repair puts what is not share ${shareNumber} of any object`)
        }
        const still = ledger.found(index, n)
        const others = before.get(toHex(index))?.filter((each) => still.includes(each)) ?? []
        const isElsewhere = (number: number): boolean =>
          servers.some(
            ({ id, server }) => id !== peer.id && server.ledger.found(index, n).includes(number),
          )
        if (others.some((each) => each !== shareNumber && !isElsewhere(each))) {
          onViolation(`I4: a repair puts share ${shareNumber} where share ${others[0]} is`)
        }
        return peer.putShare(index, shareNumber, { ...share, pieces }, options)
      },
    })
  }

  /** I5: of each snapshot that is kept, each share is where it was when it was committed. */
  audit(): void {
    const { objects, servers, onViolation } = this.#options
    for (const [{ device, seq }, placements] of this.#kept) {
      for (const [number, places] of placements) {
        for (const [server, { shareNumber }] of places) {
          const { ledger } = servers[server].server
          if (ledger.has(objects[number].storageIndex, shareNumber)) continue
          if (!servers[server].isTrue) continue
          const si = toHex(objects[number].storageIndex).slice(0, 8)
          onViolation(
            `I5: share ${shareNumber} of object ${number} (${si}) of snapshot ${device}/${seq}, ` +
              `which is kept, is gone from ${servers[server].id}`,
          )
        }
      }
    }
  }
}
