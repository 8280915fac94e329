/**
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
 * 2002): the fewest items of a list that still fail, in the sense that none can be left out alone.
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let left = items
  let parts = 2
  while (left.length > 0) {
    const size = Math.max(1, Math.ceil(left.length / parts))
    const smaller = await firstFailing(left, size, fails)
    if (smaller !== undefined) {
      left = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) {
      break
    } else {
      parts *= 2
    }
  }
  return left
}

/** The list without the first run of `size` items that it fails without. */
async function firstFailing<T>(
  items: readonly T[],
  size: number,
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | undefined> {
  for (let at = 0; at < items.length; at += size) {
    const rest = [...items.slice(0, at), ...items.slice(at + size)]
    if (await fails(rest)) return rest
  }
  return undefined
}
