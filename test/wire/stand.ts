/** A caller and an answerer on a channel in memory, on virtual time. */
import { type Channel, channelPair } from '../../src/base/channel.ts'
import { Budget } from '../../src/base/limit.ts'
import { type Answer, type Verb, type Verbs, answer } from '../../src/wire/answerer.ts'
import type { IncomingBody } from '../../src/wire/body.ts'
import { type Caller, openCaller } from '../../src/wire/caller.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'

export interface Stand {
  clock: SimClock
  caller: Caller
  budget: Budget
  /** Settles when the answering side has ended everything. */
  served: Promise<void>
}

export const mib: number = 1024 * 1024

export async function stand(
  verbs: Record<string, Verb<unknown>>,
  options: { budget?: Budget; channels?: [Channel, Channel] } = {},
): Promise<Stand> {
  const clock = new SimClock(new SimRandom('wire'))
  const budget = options.budget ?? new Budget(128 * mib)
  const [near, far] = options.channels ?? channelPair({ ids: ['client', 'server'] })
  const served = answer(far, verbsOf(verbs), { clock, budget })
  return { clock, caller: await openCaller(near, { clock }), budget, served }
}

export function verbsOf(verbs: Record<string, Verb<unknown>>): Verbs {
  return new Map(Object.entries(verbs))
}

/** A verb that takes any arguments, and bodies of up to 32 MiB. */
export function verb(
  handle: (body: IncomingBody, signal: AbortSignal) => Answer | Promise<Answer>,
  options: { deadlineMs?: number; answerBytes?: number } = {},
): Verb<unknown> {
  return {
    deadlineMs: options.deadlineMs ?? 600_000,
    maxBodyBytes: 32 * mib,
    parse: (args) => args,
    answerBytes: () => options.answerBytes ?? 0,
    handle: async (_args, body, { signal }) => handle(body, signal),
  }
}

/** `length` bytes that differ from place to place. */
export function patterned(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff
  return bytes
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Rejects when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
}
