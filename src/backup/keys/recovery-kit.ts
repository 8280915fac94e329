/**
 * The recovery kit: two lines that bring everything back on an empty machine, and the words around
 * them for whoever finds the paper in ten years (docs/specs/recovery-kit.md).
 */
import { type ErrorCode, GridError, isGridError } from '../../base/errors.ts'
import type { CapOf } from '../../caps/cap.ts'
import { parseCap } from '../../caps/parse.ts'
import { formatCap } from '../../caps/text.ts'
import {
  checkOfItems,
  formatLocation,
  type GridLocation,
  itemsOf,
  readLocation,
  spoken,
} from '../../node/home/grid-location.ts'

/** What a kit says. */
export interface RecoveryKit {
  cap: CapOf<'LOG-Admin'> | CapOf<'LOG-Read'>
  location: GridLocation
}

export interface KitFacts extends RecoveryKit {
  /** What the home calls the log. */
  logName: string
  /** Name of the machine. */
  host: string
  /** Days since 1970 are taken from it, in UTC. */
  dateMs: number
}

/** No kit is a tenth as long. */
export const maxKitChars: number = 64 * 1024
const groupLetters = 4
const seedLetters = 52
const checkLetters = 6
const start = /uri:log-(admin|read):/i

/** The two lines, as a program or a QR code has them. */
export function kitLines({ cap, location }: RecoveryKit): [cap: string, location: string] {
  return [formatCap(cap), formatLocation(location)]
}

/** The letters at the end of the cap by which its owner shows that the paper holds it. */
export function checkLettersOf(cap: RecoveryKit['cap']): string {
  return formatCap(cap).slice(-checkLetters)
}

/** The kit for people, at most 80 characters wide but for long addresses. */
export function formatKit(facts: KitFacts): string {
  const { cap, location, logName, host, dateMs } = facts
  const items = itemsOf(location)
  const power = cap.type === 'LOG-Admin' ? ', and rule it' : ''
  return [
    `GRID RECOVERY KIT   ${new Date(dateMs).toISOString().slice(0, 10)}`,
    `Backup log "${logName}", kit printed on ${host}.`,
    '',
    `Whoever has this paper can read every backup in the log${power}:`,
    'keep it as you keep a passport, and not with the machine that is backed up.',
    '',
    'To bring everything back on an empty machine: install grid, run',
    '    grid recover',
    'and type, paste or scan the two lines below. Spaces, line breaks and large',
    'letters do not matter in the first, and it has no digits 0 and 1.',
    '',
    ...numbered(1, capRows(cap)),
    '',
    ...numbered(2, [...items, `check ${checkOfItems(items)}`]),
  ].join('\n')
}

/**
 * The kit in a text: as printed, or the two lines alone in any order, with anything around them.
 *
 * @throws E_USAGE or an error of caps that names the line which is missing or wrong, and quotes
 *   nothing of it
 */
export function readKit(text: string): RecoveryKit {
  checkLength(text)
  const cap = readKitCap(text)
  if (cap === undefined) throw missing('the line with the cap (URI:LOG-Admin:…)')
  const found = readLocation(text)
  if (found === undefined) throw missing('the line that says where the grid is (introducer …)')
  return { cap, location: found.location }
}

/** Whether nothing that could follow would change what `text` says: both lines are there, with their checks. */
export function isWholeKit(text: string): boolean {
  try {
    return readKitCap(text) !== undefined && readLocation(text)?.isChecked === true
  } catch {
    return false
  }
}

/** The cap alone; undefined if nothing begins like one. Throws as `readKit` does. */
export function readKitCap(text: string): RecoveryKit['cap'] | undefined {
  checkLength(text)
  const squeezed = text.replace(/\s+/g, '')
  const match = start.exec(squeezed)
  if (match === null) return undefined
  const fields = squeezed.slice(match.index + match[0].length)
  const [, first = '', second = '', check = ''] =
    /^([a-z0-9]*):?([a-z0-9]*):?([a-z0-9]{0,6})/i.exec(fields) ?? []
  for (const [which, letters, length] of [
    ['first', first, seedLetters],
    ['second', second, seedLetters],
    ['third', check, checkLetters],
  ] as const) {
    if (letters.length === length) continue
    const found = `has ${letters.length} letters, and ${length} are needed`
    throw wrongCap('E_CAP_SYNTAX', `its ${which} group behind the words ${found}`)
  }
  try {
    const cap = parseCap(`${match[0]}${[first, second, check].map(spoken).join(':')}`)
    if (cap.type === 'LOG-Admin' || cap.type === 'LOG-Read') return cap
  } catch (error) {
    const code = isGridError(error) ? error.code : 'E_CAP_SYNTAX'
    throw wrongCap(code, 'a character of it is wrong')
  }
  throw wrongCap('E_CAP_TYPE', 'it is of another kind')
}

function capRows(cap: RecoveryKit['cap']): string[] {
  const [uri, type, first = '', second = '', check = ''] = formatCap(cap).split(':')
  return [`${uri}:${type}:`, grouped(first), `:${grouped(second)}`, `:${check}`]
}

function grouped(letters: string): string {
  return (letters.match(new RegExp(`.{1,${groupLetters}}`, 'g')) ?? []).join(' ')
}

function numbered(line: number, rows: readonly string[]): string[] {
  return rows.map((row, i) => `${i === 0 ? `${line}.` : '  '}  ${row}`)
}

function checkLength(text: string): void {
  if (text.length <= maxKitChars) return
  throw new GridError('E_USAGE', `a recovery kit has at most ${maxKitChars} characters`)
}

function wrongCap(code: ErrorCode, why: string): GridError {
  return new GridError(code, `line 1 of the kit, the cap: ${why}`, {
    hint: 'compare it with the paper, group by group',
  })
}

function missing(what: string): GridError {
  return new GridError('E_USAGE', `the kit lacks ${what}`, {
    hint: 'give both lines of the kit',
  })
}
