/** What a key file says: where the grid is, and the caps of its backup logs by their names. */
import { GridError, isGridError } from '../../base/errors.ts'
import { parseCap } from '../../caps/parse.ts'
import { formatCap } from '../../caps/text.ts'
import { isCapName } from '../../node/home/cap-folder.ts'
import { formatLocation, type GridLocation, readLocation } from '../../node/home/grid-location.ts'
import { type BackupCaps, backupCapsOf } from './keyring.ts'

export interface KeyList {
  location: GridLocation
  logs: ReadonlyMap<string, BackupCaps>
}

const maxLogs = 64
const maxLines = 2 + 4 * maxLogs

/** `at …`, then for each log `log NAME` and its caps, a line each. */
export function formatKeyList({ location, logs }: KeyList): string {
  const lines = [`at ${formatLocation(location)}`]
  for (const [name, { append, read, admin }] of logs) {
    const caps = [append, read, admin].filter((cap) => cap !== undefined)
    lines.push(`log ${name}`, ...caps.map(formatCap))
  }
  return `${lines.join('\n')}\n`
}

/** The inverse of `formatKeyList`. Throws E_FILE, which quotes nothing. */
export function parseKeyList(text: string): KeyList {
  const [first = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  try {
    const found = first.startsWith('at ') ? readLocation(first) : undefined
    if (found?.isChecked !== true || lines.length > maxLines) throw unfit()
    const logs = new Map<string, string[]>()
    let caps: string[] | undefined
    for (const line of lines) {
      const [, name] = /^log (\S+)$/.exec(line) ?? []
      if (name === undefined && caps === undefined) throw unfit()
      if (name === undefined) caps!.push(line)
      else if (!isCapName(name) || logs.has(name)) throw unfit()
      else logs.set(name, (caps = []))
    }
    const read = (texts: string[]): BackupCaps => backupCapsOf(texts.map(parseCap))
    return {
      location: found.location,
      logs: new Map([...logs].map(([name, texts]) => [name, read(texts)])),
    }
  } catch (error) {
    if (!isGridError(error)) throw error
    throw unfit()
  }
}

function unfit(): GridError {
  return new GridError('E_FILE', 'the key file opens, and does not say what key files say')
}
