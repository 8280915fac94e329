/** A random few of many: what is looked at where not everything can be. */
import { type Random, randomBelow } from '../base/random.ts'

/** Each as likely as any other, in no order that means anything; all of them if there are no more. */
export function sampleOf<T>(all: Iterable<T>, count: number, random: Random): T[] {
  const chosen: T[] = []
  let seen = 0
  for (const item of all) {
    seen++
    if (chosen.length < count) chosen.push(item)
    else {
      const place = randomBelow(random, seen)
      if (place < count) chosen[place] = item
    }
  }
  return chosen
}
