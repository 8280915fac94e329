/** Storage indexes by the thousand: a set and a map that cost little more than the bytes. */

/** One character a byte: half of what hexadecimal digits would take. */
export function indexKey(storageIndex: Uint8Array): string {
  return String.fromCharCode(...storageIndex)
}

/** The inverse. */
export function indexOfKey(key: string): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0))
}
