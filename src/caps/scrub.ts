/**
 * Nothing that people or logs keep may hold a cap: whatever is written to the terminal's side or to
 * a log passes here first. Only results on stdout, which were asked for, do not.
 */
import { capFingerprint } from './describe.ts'
import { parseCap } from './parse.ts'

/** A cap as text, whole or not, escaped or broken over lines: up to a quote or the next short word. */
const textForm = /uri:[a-z-]+:(?:[^\s"']|\s+(?=[a-z0-9:]{12}))+/gi
const compactForm = /\bg[a-z]+1[a-z2-7]{8,}/gi
/** As long as a key in base32: perhaps a cap that lost its beginning. No peer id has such a run. */
const keyForm = /[a-z2-7]{52,}/gi

/** `text` with each cap replaced by its fingerprint, and what may be one by a placeholder. */
export function scrub(text: string): string {
  return text
    .replace(textForm, fingerprintOf)
    .replace(compactForm, fingerprintOf)
    .replace(keyForm, '‹key›')
}

function fingerprintOf(text: string): string {
  const [cap = ''] = /^[a-z0-9:\s-]+/i.exec(text) ?? []
  try {
    return `‹cap ${capFingerprint(parseCap(cap))}›${text.slice(cap.length)}`
  } catch {
    return '‹cap›'
  }
}
