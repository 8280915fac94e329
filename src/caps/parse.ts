/** The door for caps that people paste: either form, any case, broken over lines. */
import type { Cap } from './cap.ts'
import { readCompact } from './compact.ts'
import { notACap } from './refusal.ts'
import { readText } from './text.ts'

/** No cap is a tenth as long: a bound on what is looked at, with room for white space. */
const maxLength = 4096

/**
 * The cap in `text`, in either form. Case does not matter; spaces, tabs and line breaks anywhere
 * are dropped.
 *
 * @throws E_CAP_SYNTAX, E_CAP_TAHOE, E_CAP_TYPE, E_CAP_CHECK or E_CAP_FIELD, in that order of
 *   checks; the message never quotes the text
 */
export function parseCap(text: string): Cap {
  if (text.length > maxLength) throw notACap(`longer than ${maxLength} characters`)
  const plain = text.replace(/[ \t\r\n]/g, '')
  if (!/^[\x21-\x7e]*$/.test(plain)) throw notACap('it holds a character that no cap has')
  const lower = plain.toLowerCase()
  if (lower.startsWith('uri:')) return readText(lower)
  if (/^g[a-z]+1/.test(lower)) return readCompact(lower)
  throw notACap('it begins in another way')
}
