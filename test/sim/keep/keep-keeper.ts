/** The machine that looks after what is kept: it checks, and puts what is missing. */
import type { Encoder } from '../../../src/encoding/encoder.ts'
import { InlineEncoder } from '../../../src/encoding/inline-encoder.ts'
import type { Candidate } from '../../../src/node/peers/candidate.ts'
import { checkObjects, type FoundObject } from '../../../src/node/check/check-run.ts'
import type { CheckableObject } from '../../../src/node/check/object-check.ts'
import type { WholeCheckContext } from '../../../src/node/check/whole-check.ts'
import { PeerHealth } from '../../../src/node/peers/peer-health.ts'
import { type RepairedObject, repairObjects } from '../../../src/node/repair/repair-run.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { minCiphertextBytes } from '../../../src/encoding/padme.ts'
import { KeepClient } from './keep-client.ts'
import type { KeepParts } from './keep-parts.ts'
import type { KeepItem } from './keep-plan.ts'

type Check = Extract<KeepItem, { kind: 'check' }>

export class KeepKeeper {
  readonly #parts: KeepParts
  readonly #encoder: Encoder
  #busy: string | undefined

  constructor(parts: KeepParts) {
    this.#parts = parts
    this.#encoder = new InlineEncoder(parts.code)
  }

  get underWay(): readonly string[] {
    return this.#busy === undefined ? [] : [this.#busy]
  }

  async check({ atMs, repair, whole }: Check): Promise<void> {
    const { tally, judge, objects, log, rules } = this.#parts
    if (this.#busy !== undefined) {
      tally.add('check: busy')
      return
    }
    this.#busy = `check at ${atMs}`
    const client = new KeepClient('keeper', this.#parts)
    const wanted = new Set(log.snapshots.slice(-3).flatMap((each) => [...each.objects]))
    const checked = [...wanted].map((number) => this.#checkable(number))
    const before = judge.goodOf([...wanted])
    const since = judge.disturbances
    const depth = { sample: whole ? 0 : 1, whole }
    const context = this.#context(client)
    const candidates = this.#candidates(client)
    const numberOf = new Map(objects.map(({ root, number }) => [toHex(root), number]))
    const note = (found: FoundObject, repaired?: RepairedObject): void => {
      const number = numberOf.get(toHex(found.object.root))!
      judge.checked(number, { before: before.get(number) ?? 0, since }, found, repaired)
    }
    try {
      if (repair) {
        const run = { goal: 'missing', depth } as const
        for await (const batch of repairObjects(context, candidates, checked, run))
          for (const repaired of batch) note(rules.found(repaired.found), repaired)
      } else {
        for await (const batch of checkObjects(context, candidates, checked, depth))
          for (const found of batch) note(rules.found(found))
      }
    } catch (error) {
      if (!isGridError(error)) throw error
      tally.add(`check: ${error.code}`)
    }
    this.#busy = undefined
  }

  #checkable(number: number): CheckableObject {
    const { options, objects } = this.#parts
    const { k, n } = options
    return { root: objects[number].root, k, n, ciphertextBytes: minCiphertextBytes }
  }

  #candidates(client: KeepClient): Candidate[] {
    const { judge } = this.#parts
    return client.peers.map((peer) => ({
      ...{ id: peer.id, domain: undefined, accepts: true },
      peer: judge.watched(peer),
    }))
  }

  #context(client: KeepClient): WholeCheckContext {
    const { random } = this.#parts
    const { clock } = client
    const encoder = this.#encoder
    return { clock, random, health: new PeerHealth(clock), encoder, smallEncoder: encoder }
  }
}
