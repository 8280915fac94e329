/** Whether two rows of a directory say the same: then putting one in place of the other changes nothing. */
import { equalBytes } from '../base/bytes.ts'
import type { DirectoryRow } from './directory-node.ts'

export function sameRow(a: DirectoryRow, b: DirectoryRow): boolean {
  return sameValue(a, b)
}

/** Numbers, texts, bytes, arrays and plain objects; a property that is undefined counts as absent. */
function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && equalBytes(a, b)
  const [left, right] = [propertiesOf(a), propertiesOf(b)]
  return (
    left.size === right.size && [...left].every(([key, value]) => sameValue(value, right.get(key)))
  )
}

function propertiesOf(value: object): Map<string, unknown> {
  return new Map(Object.entries(value).filter(([, property]) => property !== undefined))
}
