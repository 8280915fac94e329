/** Work that the running node of a home does for its operator, waited for. */
import { sleep } from '../base/clock.ts'
import { GridError } from '../base/errors.ts'
import type { OwnNode } from '../node/running/own-verbs.ts'
import type { Context } from './command.ts'

const pollMs = { first: 20, last: 500 }

/**
 * Resolves to what came of job `job`. A signal that ends the wait leaves the node at its work. Throws what the
 * job threw, E_USAGE for undefined, which is the answer of a node that keeps no shares.
 */
export async function finished<T>(
  { world, signal }: Pick<Context, 'world' | 'signal'>,
  node: OwnNode,
  job: number | undefined,
): Promise<T> {
  if (job === undefined) throw new GridError('E_USAGE', 'this node keeps no shares')
  for (let waitMs = pollMs.first; ; waitMs = Math.min(2 * waitMs, pollMs.last)) {
    const { report, error } = await node.outcome(job)
    if (error !== undefined) throw new GridError(error.code, error.message)
    if (report !== undefined) return report as T
    await sleep(world.clock, waitMs, { signal })
  }
}
