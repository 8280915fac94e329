/**
 * Caps as one word that a double click selects: `g<type>1<base32>` (docs/specs/caps.md, "Compact form").
 * The base32 holds the type's code, the fields at fixed widths, and 4 check bytes.
 */
import { fromBase32, toBase32 } from '../base/base32.ts'
import { concat, equalBytes } from '../base/bytes.ts'
import { taggedHash } from '../base/hash.ts'
import { capOf, capTable, capTypes, fieldsOf, valuesOf } from './cap-table.ts'
import type { Cap, CapType } from './cap.ts'
import { tags } from './keys.ts'
import { mistyped, notACap, unknownType, wrongFieldCount } from './refusal.ts'

const checkBytes = 4
const wordOf = (type: CapType): string => `g${type.toLowerCase().replaceAll('-', '')}`
const types = new Map<string, CapType>(capTypes.map((type) => [wordOf(type), type]))

/** The compact form of `cap`, as secret as the cap. Throws a RangeError for a field out of range. */
export function formatCompactCap(cap: Cap): string {
  const body = encodeCap(cap)
  return `${wordOf(cap.type)}1${toBase32(concat(body, checkOf(body)))}`
}

/** The bytes of `cap` inside other binary formats: code ‖ fields, without a check. */
export function encodeCap(cap: Cap): Uint8Array {
  const values = valuesOf(cap)
  const forms = fieldsOf(cap.type).map((field, i) => field.compact.encode(values[i]))
  return concat(Uint8Array.of(capTable[cap.type].code), ...forms)
}

/** The inverse of `encodeCap`. Throws E_CAP_TYPE or E_CAP_FIELD. */
export function decodeCap(bytes: Uint8Array): Cap {
  const type = capTypes.find((candidate) => capTable[candidate].code === bytes[0])
  if (type === undefined) throw unknownType()
  return capOf(type, readFields(type, bytes.subarray(1)))
}

/** The cap that `text` holds: lower case and without white space. */
export function readCompact(text: string): Cap {
  const separator = text.indexOf('1')
  const type = types.get(text.slice(0, separator))
  if (type === undefined) throw unknownType()
  const bytes = fromBase32(text.slice(separator + 1))
  if (bytes === undefined) throw notACap('not base32 behind the 1')
  const body = bytes.subarray(0, -checkBytes)
  if (!equalBytes(bytes.subarray(body.length), checkOf(body))) throw mistyped()
  if (body[0] !== capTable[type].code) throw mistyped()
  return capOf(type, readFields(type, body.subarray(1)))
}

function readFields(type: CapType, bytes: Uint8Array): unknown[] {
  const fields = fieldsOf(type)
  let offset = 0
  const values = fields.map(({ width, compact }) => {
    const end = offset + (width ?? bytes.length - offset)
    if (end > bytes.length) throw wrongFieldCount(fields.length)
    const value = compact.decode(bytes.slice(offset, end))
    offset = end
    return value
  })
  if (offset !== bytes.length) throw wrongFieldCount(fields.length)
  return values
}

function checkOf(body: Uint8Array): Uint8Array {
  return taggedHash(tags.cap, body).subarray(0, checkBytes)
}
