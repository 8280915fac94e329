/** Caps as text: `URI:<type>:<fields>:<check>` (docs/specs/caps.md, "Text"). */
import { toBase32 } from '../base/base32.ts'
import { utf8 } from '../base/bytes.ts'
import { taggedHash } from '../base/hash.ts'
import { capOf, capTypes, fieldsOf, valuesOf } from './cap-table.ts'
import type { Cap, CapType } from './cap.ts'
import { tags } from './keys.ts'
import { mistyped, tahoeCap, unknownType, wrongFieldCount } from './refusal.ts'

const checkLength = 6
/** Tahoe-LAFS keys and storage indexes are of 16 bytes. */
const tahoeKey = /^[a-z2-7]{26}$/
const types = new Map<string, CapType>(capTypes.map((type) => [type.toLowerCase(), type]))

/** The canonical text of `cap`, as secret as the cap. Throws a RangeError for a field out of range. */
export function formatCap(cap: Cap): string {
  const values = valuesOf(cap)
  const forms = fieldsOf(cap.type).map((field, i) => field.text.encode(values[i]))
  const body = bodyOf(cap.type, forms)
  return `${body}:${checkOf(body)}`
}

/**
 * The cap that `text` holds: lower case and without white space, so that the canonical spelling is
 * known but for the type's, which the table gives.
 */
export function readText(text: string): Cap {
  const [, word = '', ...rest] = text.split(':')
  const forms = rest.slice(0, -1)
  if (word !== 'lit' && tahoeKey.test(rest[0] ?? '')) throw tahoeCap()
  const type = types.get(word)
  if (type === undefined) throw unknownType()
  if (rest.at(-1) !== checkOf(bodyOf(type, forms))) throw mistyped()

  const fields = fieldsOf(type)
  if (forms.length !== fields.length) throw wrongFieldCount(fields.length)
  return capOf(
    type,
    fields.map((field, i) => field.text.decode(forms[i])),
  )
}

function bodyOf(type: CapType, forms: readonly string[]): string {
  return ['URI', type, ...forms].join(':')
}

/** 30 bits: one mistyped cap in a thousand million passes. */
function checkOf(body: string): string {
  return toBase32(taggedHash(tags.cap, utf8(body))).slice(0, checkLength)
}
