/** k, happy and n on a command line: all three or none. */
import { GridError } from '../base/errors.ts'
import type { Redundancy } from '../node/placement/placement.ts'
import { value, type Value } from './option.ts'

export const redundancyOptions: { k: Value<number>; happy: Value<number>; n: Value<number> } = {
  k: count('--k <COUNT>', 'shares that are enough to rebuild it'),
  happy: count('--happy <COUNT>', 'servers that must hold a share before it counts as stored'),
  n: count('--n <COUNT>', 'shares to make, each for another server'),
}

/** What was asked for, or undefined to leave it to the config. @throws E_USAGE */
export function redundancyOf(options: {
  k: number | undefined
  happy: number | undefined
  n: number | undefined
}): Redundancy | undefined {
  const { k, happy, n } = options
  if (k === undefined && happy === undefined && n === undefined) return undefined
  if (k === undefined || happy === undefined || n === undefined) {
    throw new GridError('E_USAGE', 'give --k, --happy and --n, or none of them')
  }
  if (k > happy || happy > n) {
    throw new GridError(
      'E_USAGE',
      `--k ${k} --happy ${happy} --n ${n} does not fit: k ≤ happy ≤ n is needed`,
    )
  }
  return { k, happy, n }
}

function count(flags: string, summary: string): Value<number> {
  return value(flags, summary, 'a number of 1 to 255', (text) => {
    const number = /^\d{1,3}$/.test(text) ? Number(text) : 0
    return number >= 1 && number <= 255 ? number : undefined
  })
}
