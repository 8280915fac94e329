/** How the findings of a check are told, to people and to programs. */
import { toBase32 } from '../base/base32.ts'
import type { Candidate } from '../node/peers/candidate.ts'
import type { CheckDepth, FoundObject } from '../node/check/check-run.ts'
import type { CheckTally } from '../node/check/check-tally.ts'
import { answersOf, type CheckableObject } from '../node/check/object-check.ts'
import type { Grid } from '../node/grid.ts'
import type { Context } from './command.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { flag, value, type Flag, type Value } from './option.ts'
import type { Facts } from './output.ts'

export const depthOptions: { sample: Value<number>; verify: Flag } = {
  sample: value(
    '--sample <PART>',
    'part of all shares to look into: a block of each; 1% unless given',
    'a part like 5%',
    parsePart,
  ),
  verify: flag(
    '--verify',
    'check every byte: read, decode and code again, and let servers prove theirs',
  ),
}

/** Lines for people about single objects, at most; programs get all of them. */
const maxLines = 50
const shownLetters = 12

export function depthOf({
  sample,
  verify,
}: {
  sample: number | undefined
  verify: boolean
}): CheckDepth {
  return { sample: sample ?? 0.01, whole: verify }
}

/** An object as messages name it: the beginning of its storage index. */
export function objectName({ root }: Pick<CheckableObject, 'root'>): string {
  return toBase32(root).slice(0, shownLetters)
}

/** Tells of objects that are not healthy, as items. */
export class FoundLines {
  readonly #context: Context
  readonly #candidates: () => readonly Candidate[]
  #lines = 0

  constructor(context: Context, candidates: () => readonly Candidate[]) {
    this.#context = context
    this.#candidates = candidates
  }

  async add(found: FoundObject): Promise<void> {
    const { state, object, claimed, verified, claims } = found
    const isWrong = claims.some(({ answer }) => answer === 'damaged' || answer === 'absent')
    if (state === 'healthy' && !isWrong) return
    this.#lines++
    const { output } = this.#context
    if (!output.json && this.#lines > maxLines) return
    const name = objectName(object)
    const servers = answersOf(found, this.#candidates())
    const facts = { object: name, state, servers: claimed, verified, k: object.k, n: object.n }
    const counts = `${claimed} of ${object.n} shares, ${object.k} needed`
    await output.item({ ...facts, answers: servers }, `${state}  ${name}  ${counts}`)
  }

  /** Says how many were not told of. */
  end(): void {
    const more = this.#lines - maxLines
    if (more > 0) this.#context.output.note(`and ${more} more; --json tells of all`)
  }
}

/** Tells of servers that do not answer or are wrong, and of what could not be looked into. */
export async function warnOf(context: Context, grid: Grid, tally: CheckTally): Promise<void> {
  const { output } = context
  for (const [id, { silent, refuses, damaged, missing }] of tally.servers) {
    const faults = [
      silent > 0 ? 'does not answer, so nobody knows what it has' : '',
      refuses > 0 ? 'will not say what it has' : '',
      damaged > 0 ? `has ${damaged} shares damaged` : '',
      missing > 0 ? `has lost ${missing} shares that it says it has` : '',
    ].filter((text) => text !== '')
    if (faults.length === 0) continue
    const facts = { peerId: id, silent, refuses, damaged, missing }
    await output.warning(`${grid.nickname(id)} ${faults.join(', and ')}`, facts)
  }
  for (const { what, error } of tally.hidden) {
    const message = `${what}: ${error.message}; what is below it is unknown`
    await output.warning(message, { what, code: error.code })
  }
}

/** 0 only where all is healthy and nothing unknown. */
export function exitOf(tally: CheckTally): ExitCode {
  if (tally.states.lost > 0) return exitCodes.notEnoughShares
  if (tally.isRepairable) return exitCodes.damageFound
  return tally.isHealthy ? exitCodes.ok : exitCodes.partlyDone
}

export function tallyFacts(tally: CheckTally): Facts {
  const { objects, states, looked, damaged, hiddenCount, leastServers } = tally
  const least = leastServers === undefined ? {} : { leastServers }
  return { objects, ...states, ...least, sharesLookedInto: looked, damaged, hidden: hiddenCount }
}

function parsePart(given: string): number | undefined {
  const [, digits = ''] = /^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(given) ?? []
  const percent = Number(digits)
  return digits !== '' && percent <= 100 ? percent / 100 : undefined
}
