/**
 * Keys of a map as names of entries (docs/specs/versions.md, "Maps"): any bytes, in the order of
 * the keys, and none that a conflict's name could be taken for.
 */
import { concat, utf8 } from '../base/bytes.ts'

/** Of which each may take two in the name, and a conflict's name has to have room. */
export const maxKeyBytes = 360

const lead = 0x6b // k
const end = 0x01
/** Bytes that no name may hold, or that stand for others: the pair begins with what sorts there. */
const pairs: ReadonlyMap<number, readonly [number, number]> = new Map([
  [0x00, [0x01, 0x02]],
  [0x01, [0x01, 0x03]],
  [0x2e, [0x2e, 0x02]],
  [0x2f, [0x2e, 0x03]],
])

export type MapKey = string | Uint8Array

/** The bytes of a key; a text's are its UTF-8. Throws RangeError for more than 360. */
export function bytesOfKey(key: MapKey): Uint8Array {
  const bytes = typeof key === 'string' ? utf8(key) : key
  if (bytes.length > maxKeyBytes) throw new RangeError(`map: a key of ${bytes.length} bytes`)
  return bytes
}

/** The name of a key's entry; `isOpen` leaves out its end, so that all that begin so come behind it. */
export function nameOfKey(key: Uint8Array, isOpen = false): Uint8Array {
  const body = [...key].flatMap((byte) => pairs.get(byte) ?? [byte])
  return concat(Uint8Array.of(lead), Uint8Array.from(body), Uint8Array.of(...(isOpen ? [] : [end])))
}

/** The key of a name, and whether it is a conflict's; undefined for a name that no map made. */
export function keyOfName(name: Uint8Array): { key: Uint8Array; isConflict: boolean } | undefined {
  if (name[0] !== lead) return undefined
  const key: number[] = []
  for (let at = 1; at < name.length; at++) {
    const [first, second] = [name[at], name[at + 1]]
    const known = [...pairs].find(([, [a, b]]) => a === first && b === second)
    if (known !== undefined) {
      key.push(known[0])
      at++
    } else if (first === end) {
      return { key: Uint8Array.from(key), isConflict: at + 1 < name.length }
    } else if (first === 0x2e) return undefined
    else key.push(first)
  }
  return undefined
}
