/**
 * Checks many objects as they come, with no key: what servers claim, a sample of it looked into, or
 * every byte. Memory does not grow with their number.
 */
import { Budget, mapWithin, within } from '../../base/limit.ts'
import { randomBelow } from '../../base/random.ts'
import { encodedLength } from '../../encoding/object.ts'
import { maxCiphertextBytes } from '../../encoding/padme.ts'
import { maxHaveIndexes } from '../../storage/peer.ts'
import type { Candidate } from '../peers/candidate.ts'
import { auditBlock } from './block-audit.ts'
import {
  type CheckableObject,
  type Claim,
  concludeObject,
  type ObjectCheck,
} from './object-check.ts'
import { type Patience, Presence, type PresenceReport } from './presence.ts'
import { checkWhole, type WholeCheckContext } from './whole-check.ts'

export interface CheckDepth {
  /**
   * Part of all shares of which a block is read, 0 … 1. Some of every server in each thousand objects,
   * unless it is 0; a server that gives a wrong one has all the others looked at too.
   */
  sample: number
  /** Whether every byte is checked instead. */
  whole: boolean
}

/** What the check of one object has found, with what a repair needs to go on from there. */
export interface FoundObject extends ObjectCheck {
  /** Servers that said what they have, whether or not it is this object. */
  answered: readonly Candidate[]
}

export const usualDepth: CheckDepth = { sample: 0.01, whole: false }

/** Blocks that are asked for together. */
const blocksTogether = 64
/** Bytes of shares made anew that are in memory at once, at least one object's; and how many objects. */
const wholeBytes = 64 * 2 ** 20
const wholeTogether = 8

/** Yields what is found of each object, in batches of at most 1,024, in their order. */
export async function* checkObjects(
  context: WholeCheckContext,
  candidates: readonly Candidate[],
  objects: AsyncIterable<CheckableObject> | Iterable<CheckableObject>,
  depth: CheckDepth,
  given: { patience?: Patience; signal?: AbortSignal } = {},
): AsyncGenerator<FoundObject[]> {
  const run = new CheckRun(context, candidates, depth, given)
  let under: Promise<FoundObject[]> | undefined
  try {
    for await (const batch of batchesOf(objects)) {
      // one is looked into while the next one is gathered
      const done = under
      const checking = run.check(batch, done)
      checking.catch(() => undefined)
      under = checking
      if (done !== undefined) yield await done
    }
    if (under !== undefined) yield await under
  } finally {
    await under?.catch(() => undefined)
  }
}

class CheckRun {
  readonly #context: WholeCheckContext
  readonly #presence: Presence
  readonly #depth: CheckDepth
  readonly #options: { signal?: AbortSignal }
  /** Servers that claimed a share and gave none, or a wrong one. */
  readonly #caught = new Set<string>()
  readonly #bytes = new Budget(wholeBytes)

  constructor(
    context: WholeCheckContext,
    candidates: readonly Candidate[],
    depth: CheckDepth,
    { patience, signal }: { patience?: Patience; signal?: AbortSignal },
  ) {
    this.#context = context
    this.#presence = new Presence(context, candidates, patience)
    this.#depth = depth
    this.#options = signal === undefined ? {} : { signal }
  }

  /** @param turn - what has to end before this batch is looked into */
  async check(
    objects: readonly CheckableObject[],
    turn: Promise<unknown> | undefined,
  ): Promise<FoundObject[]> {
    const report = await this.#presence.ask(objects, this.#options)
    await turn
    if (this.#depth.whole) await this.#checkAll(objects, report)
    else await this.#sample(objects, report)
    const { claims, unheard, answered } = report
    return objects.map((object, i) => ({ ...concludeObject(object, claims[i], unheard), answered }))
  }

  async #checkAll(objects: readonly CheckableObject[], { claims }: PresenceReport): Promise<void> {
    const numbers = objects.map((_, i) => i)
    await mapWithin(wholeTogether, numbers, async (i) => {
      const work = async (): Promise<void> => {
        const shares = await checkWhole(this.#context, objects[i], claims[i], this.#options)
        shares?.release(true)
      }
      await within(this.#bytes, sharesBytesOf(objects[i]), work, this.#options)
    })
  }

  async #sample(objects: readonly CheckableObject[], { claims }: PresenceReport): Promise<void> {
    const { sample } = this.#depth
    if (sample === 0) return
    const byServer = new Map<string, Looked[]>()
    for (const [i, object] of objects.entries()) {
      for (const claim of claims[i]) {
        const known = byServer.get(claim.candidate.id)
        if (known === undefined) byServer.set(claim.candidate.id, [{ object, claim }])
        else known.push({ object, claim })
      }
    }
    const chosen = [...byServer.values()].flatMap((all) => this.#chosen(all, sample))
    await this.#look(chosen)
    // who was caught once is believed nothing
    const rest = [...byServer.entries()].flatMap(([id, all]) =>
      this.#caught.has(id) ? all.filter(({ claim }) => isUnseen(claim)) : [],
    )
    await this.#look(rest)
  }

  #chosen(all: Looked[], sample: number): Looked[] {
    const { random } = this.#context
    const wanted = Math.min(all.length, Math.ceil(all.length * sample))
    // a shuffle of the first ones
    for (let i = 0; i < wanted; i++) {
      const j = i + randomBelow(random, all.length - i)
      const other = all[i]
      all[i] = all[j]
      all[j] = other
    }
    return all.slice(0, wanted)
  }

  async #look(chosen: readonly Looked[]): Promise<void> {
    await mapWithin(blocksTogether, chosen, async ({ object, claim }) => {
      await auditBlock(this.#context, object, claim, this.#options)
      if (claim.answer !== 'has') this.#caught.add(claim.candidate.id)
    })
  }
}

interface Looked {
  object: CheckableObject
  claim: Claim
}

function isUnseen({ answer, evidence }: Claim): boolean {
  return answer === 'has' && evidence === 'claim'
}

/** What the shares of an object take together; as much as they can where its length is not known. */
export function sharesBytesOf(object: CheckableObject): number {
  return encodedLength(object.ciphertextBytes ?? maxCiphertextBytes, object)
}

async function* batchesOf(
  objects: AsyncIterable<CheckableObject> | Iterable<CheckableObject>,
): AsyncGenerator<CheckableObject[]> {
  let batch: CheckableObject[] = []
  for await (const object of objects) {
    batch.push(object)
    if (batch.length < maxHaveIndexes) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
