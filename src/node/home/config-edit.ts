/** Changes settings in the text of a config.toml, and leaves all else in it as its owner wrote it. */
import { GridError } from '../../base/errors.ts'
import { type Override, parseConfig } from './config.ts'

/**
 * `text` with each of `settings` set. A line `key = value` of the section is replaced, also one that is
 * commented out; a setting without a line gets one, and a missing section is added at the end.
 *
 * @throws E_CONFIG where the owner has written it in a way that lines cannot tell
 */
export function withSettings(text: string, settings: readonly Override[]): string {
  let lines = text.split('\n')
  for (const { path: name, value } of settings) {
    const [section = '', key = ''] = name.split('.')
    lines = withLine(lines, section, key, `${key} = ${JSON.stringify(value)}`)
  }
  const changed = lines.join('\n')
  if (isSet(changed, settings)) return changed
  const wanted = settings.map(({ path: name, value }) => `${name} = ${JSON.stringify(value)}`)
  throw new GridError('E_CONFIG', 'config.toml is not written in lines that can be changed', {
    hint: `set in it yourself: ${wanted.join(', ')}`,
  })
}

function withLine(lines: string[], section: string, key: string, line: string): string[] {
  const start = lines.findIndex((each) => each.trim() === `[${section}]`)
  if (start < 0) return [...trimmed(lines), '', `[${section}]`, line, '']
  const next = lines.findIndex((each, at) => at > start && /^\s*\[/.test(each))
  const end = next < 0 ? lines.length : next
  const isLine = (each: string, at: number): boolean =>
    at > start && at < end && new RegExp(`^\\s*(# ?)?${key}\\s*=`).test(each)
  const at = lines.findIndex((each, i) => isLine(each, i) && !each.trim().startsWith('#'))
  const found = at < 0 ? lines.findIndex(isLine) : at
  return found < 0 ? lines.toSpliced(start + 1, 0, line) : lines.toSpliced(found, 1, line)
}

function trimmed(lines: string[]): string[] {
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** Whether the text means the settings now: it is read as it will be, and once with them on top. */
function isSet(text: string, settings: readonly Override[]): boolean {
  try {
    const read = parseConfig(text, [], '/')
    return JSON.stringify(read) === JSON.stringify(parseConfig(text, [...settings], '/'))
  } catch {
    return false
  }
}
