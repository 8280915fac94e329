/** What an entry is called that cannot keep its name (docs/specs/versions.md, "Conflicts"). */
import { concat, utf8 } from '../base/bytes.ts'
import { maxNameBytes } from '../tree/entry.ts'

/** Who made a version, and when: as a conflict's name tells it. */
export interface VersionMark {
  device: string
  /** Wall time of the writer. */
  clientMs: number
}

const dot = 0x2e
const maxEndingBytes = 16
const maxDeviceChars = 64
const lastMs = 8_640_000_000_000_000

/**
 * `report (conflict, laptop, 2026-11-25 18.30).odt`; the ending stays where it is letters and
 * digits. `count` is 1 at first, and written from 2 on.
 */
export function conflictName(name: Uint8Array, mark: VersionMark, count: number): Uint8Array {
  const end = endingOf(name)
  const words = ['conflict', deviceOf(mark), momentOf(mark), ...(count > 1 ? [`${count}`] : [])]
  const middle = utf8(` (${words.join(', ')})`)
  const ending = name.subarray(end)
  const room = maxNameBytes - middle.length - ending.length
  return concat(name.subarray(0, Math.min(end, room)), middle, ending)
}

/** Where the ending begins; the length of the name if it has none. */
function endingOf(name: Uint8Array): number {
  const at = name.lastIndexOf(dot)
  const length = name.length - at
  const isEnding = at > 0 && length > 1 && length <= maxEndingBytes
  return isEnding && name.subarray(at + 1).every(isLetterOrDigit) ? at : name.length
}

function isLetterOrDigit(byte: number): boolean {
  return /[0-9A-Za-z]/.test(String.fromCharCode(byte))
}

function deviceOf({ device }: VersionMark): string {
  const plain = Array.from(device).slice(0, maxDeviceChars).join('').replaceAll('/', '-')
  return plain === '' ? 'device' : plain.replaceAll('\0', '-')
}

/** To the minute, in UTC. */
function momentOf({ clientMs }: VersionMark): string {
  const [date, time] = new Date(Math.min(clientMs, lastMs)).toISOString().split('T')
  return `${date} ${time.slice(0, 5).replace(':', '.')}`
}
