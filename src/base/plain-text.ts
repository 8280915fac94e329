/** Text from elsewhere, made fit for a terminal or a log line. */

/** Controls, marks that turn the direction of writing, zero-width and separators, lone surrogates. */
const unfit =
  // eslint-disable-next-line no-control-regex -- these are what it is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu

/** `text` on one line, in at most `maxChars` characters, with every unfit character as `·`. */
export function plainText(text: string, maxChars = 200): string {
  const clipped = text.length > maxChars ? `${text.slice(0, maxChars - 1)}…` : text
  return clipped.replace(unfit, '·')
}

/** `json` with each unfit character as `\\u` and four digits: the same value, and safe to show. */
export function escapeUnfit(json: string): string {
  return json.replace(unfit, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Whether nothing in `text` is unfit. */
export function isPlainText(text: string): boolean {
  return text.search(unfit) < 0
}
