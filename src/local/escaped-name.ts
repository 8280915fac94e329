/** Names and paths for people: on one line, harmless, and telling apart whatever differs. */
import { characterLengthAt } from './character.ts'

const backslash = 0x5c
/** Controls, direction marks, zero-width characters and separators. */
const unfit =
  // eslint-disable-next-line no-control-regex -- these are what it is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u

/**
 * UTF-8 that shows as it is stays so; a backslash is doubled, and every byte of anything else, be it
 * an escape, a mark that turns the direction of writing or no UTF-8 at all, becomes `\xNN`.
 */
export function escapedName(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = characterLengthAt(bytes, at)
    const piece = bytes.subarray(at, at + Math.max(1, length))
    const character = Buffer.from(piece).toString('utf8')
    if (piece[0] === backslash) text += '\\\\'
    else if (length === 0 || unfit.test(character)) text += escaped(piece)
    else text += character
    at += piece.length
  }
  return text
}

function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}
