/**
 * The inner loop of the chunker: a gear hash over a run of bytes, and the places where it makes a
 * candidate for a cut (docs/specs/encoding.md, "Extents"). Compiled by scripts/kernel.js.
 *
 * Nothing here allocates or outlasts a call: all of memory belongs to the caller, who has checked
 * that every address lies within it (one outside would trap).
 */

/** The hash shifts a bit a byte: after 64 bytes it depends on nothing before them. */
const windowBytes = 64

/** A candidate has a hash whose top five bits are zero. */
const belowCandidate: u64 = 1 << 59

/** Where the next candidate goes. */
let block: usize = 0
let place: usize = 0

/**
 * Hashes `count` windows: the first is the 64 bytes at `source`, each next one a byte further on.
 * Eight at a time, so `count` is rounded up to a multiple of 8 wherever room is concerned.
 *
 * @param gear - 256 u64, little-endian
 * @param source - 63 + count bytes
 * @param blocks - room for `count` blocks of 16 bytes; each candidate fills in the first half of
 *   the next one with its hash, big-endian
 * @param places - room for `count` u32; each candidate's number, 0 … count-1, little-endian
 * @returns how many candidates there are
 */
export function scan(gear: usize, source: usize, count: u32, blocks: usize, places: usize): u32 {
  block = blocks
  place = places
  let hash: u64 = 0
  for (const first = source + windowBytes - 1; source < first; source++) {
    hash = (hash << 1) + load<u64>(gear + ((<usize>load<u8>(source)) << 3))
  }
  for (let number: u32 = 0; number < count; number += 8, source += 8) {
    const bytes = load<u64>(source)
    hash = next(hash, gear, bytes << 3, number)
    hash = next(hash, gear, bytes >> 5, number + 1)
    hash = next(hash, gear, bytes >> 13, number + 2)
    hash = next(hash, gear, bytes >> 21, number + 3)
    hash = next(hash, gear, bytes >> 29, number + 4)
    hash = next(hash, gear, bytes >> 37, number + 5)
    hash = next(hash, gear, bytes >> 45, number + 6)
    hash = next(hash, gear, bytes >> 53, number + 7)
  }
  while (place > places && load<u32>(place - 4) >= count) place -= 4
  return <u32>((place - places) >> 2)
}

/** Takes in one byte, which stands in bits 3 to 10 of `shifted` and so is an index of u64. */
@inline
function next(hash: u64, gear: usize, shifted: u64, number: u32): u64 {
  const after = (hash << 1) + load<u64>(gear + (<usize>(shifted & 0x7f8)))
  if (after < belowCandidate) {
    store<u64>(block, bswap(after))
    store<u32>(place, number)
    block += 16
    place += 4
  }
  return after
}
