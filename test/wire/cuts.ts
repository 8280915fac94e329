/** `bytes` cut into pieces of the sizes drawn; a size of 0 counts as 1. */
export function cuts(bytes: Uint8Array, sizes: Iterable<number>): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let rest = bytes
  for (const size of sizes) {
    if (rest.length === 0) break
    pieces.push(rest.subarray(0, Math.max(1, size)))
    rest = rest.subarray(Math.max(1, size))
  }
  return pieces
}
