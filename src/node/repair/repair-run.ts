/**
 * Repairs many objects as they come: what a check finds short of its n shares is mended, several at a
 * time within a bound of bytes. Running it again goes on where it ended, and does nothing where all is
 * well: what servers have is all the state there is.
 */
import { type GridError, isGridError } from '../../base/errors.ts'
import { Budget, mapWithin, within } from '../../base/limit.ts'
import type { Candidate } from '../peers/candidate.ts'
import {
  type CheckDepth,
  checkObjects,
  type FoundObject,
  sharesBytesOf,
} from '../check/check-run.ts'
import type { CheckableObject } from '../check/object-check.ts'
import type { WholeCheckContext } from '../check/whole-check.ts'
import { type MendGoal, mendObject, type MendReport, reachable } from './mend-object.ts'

export interface RepairOptions {
  goal: MendGoal
  depth: CheckDepth
  /** Objects with more shares than this are left as they are; undefined: all that lack one are mended. */
  atMost?: ((object: CheckableObject) => number) | undefined
  signal?: AbortSignal
}

/**
 * What became of one object. `sound`: it lacks nothing, or not so much that it should be repaired.
 * `mended`: shares were put. `stuck`: no server is left that could take one. `hopeless`: too few shares
 * are left. `failed`: see the error.
 */
export interface RepairedObject {
  found: FoundObject
  outcome: 'sound' | 'mended' | 'stuck' | 'hopeless' | 'failed'
  /** Distinct servers with distinct shares afterwards, as far as they are known. */
  servers: number
  report: MendReport | undefined
  error: GridError | undefined
}

/** Bytes of shares made anew that are in memory at once, at least one object's; and how many objects. */
const madeBytes = 96 * 2 ** 20
const mendTogether = 8

/** Yields what became of each object, in batches, in their order. */
export async function* repairObjects(
  context: WholeCheckContext,
  candidates: readonly Candidate[],
  objects: AsyncIterable<CheckableObject> | Iterable<CheckableObject>,
  options: RepairOptions,
): AsyncGenerator<RepairedObject[]> {
  const { depth, signal } = options
  const budget = new Budget(madeBytes)
  const given = signal === undefined ? {} : { signal }
  const patient = { ...given, patience: 'long' } as const
  for await (const batch of checkObjects(context, candidates, objects, depth, patient)) {
    yield await mapWithin(mendTogether, batch, async (found) => {
      if (isLeft(found, options)) return result(found, 'sound')
      const work = (): Promise<RepairedObject> => repairObject(context, found, options)
      return within(budget, sharesBytesOf(found.object), work, given)
    })
  }
}

async function repairObject(
  context: WholeCheckContext,
  found: FoundObject,
  { goal, signal }: RepairOptions,
): Promise<RepairedObject> {
  const { object, claims, answered } = found
  if (found.claimed < object.k) return result(found, 'hopeless')
  const { now, then } = reachable(goal, object, claims, answered)
  const lacks = goal === 'missing' && now < object.n
  if (then <= now) return result(found, lacks ? 'stuck' : 'sound')
  try {
    const report = await mendObject(context, answered, found, goal, signal ? { signal } : {})
    const { written, servers, before } = report
    if (written > 0) return { ...result(found, 'mended'), servers, report }
    const outcome = before.claimed < object.k ? 'hopeless' : 'stuck'
    return { ...result(found, outcome), servers, report }
  } catch (error) {
    signal?.throwIfAborted()
    if (!isGridError(error)) throw error
    return { ...result(found, 'failed'), error }
  }
}

function isLeft(found: FoundObject, { goal, atMost }: RepairOptions): boolean {
  if (goal === 'preferred') return false
  const { state, object, claimed, claims } = found
  if (claims.some(({ answer }) => answer === 'damaged')) return false
  return state === 'healthy' || (atMost !== undefined && claimed > atMost(object))
}

function result(found: FoundObject, outcome: RepairedObject['outcome']): RepairedObject {
  return { found, outcome, servers: found.claimed, report: undefined, error: undefined }
}
