/**
 * What a home remembers of the leases that its puts got at servers: rows by name, which say the same in
 * whatever order, and however often, they are put together.
 */
import { toBase32 } from '../../base/base32.ts'
import { utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'

export interface LeaseRow {
  /** Objects that were put together. */
  objects: number
  /** When they were put, or renewed at all servers: the first and the last of them. */
  firstMs: number
  lastMs: number
}

export interface LeaseRows {
  /** By `leaseNameOf`. */
  rows: Map<string, LeaseRow>
  /** What was put before is not in them; undefined where all is that was ever put. */
  sinceMs: number | undefined
}

/** Of more rows the oldest are put into one, which nothing renews any more. */
export const maxLeaseRows = 16_384
/** So many at once, that it is not done with every put. */
const foldedAtOnce = 1024
const nameBytes = 10
const namePattern = /^[a-z2-7]{16}$/

/** Tells what was put apart, by the line of its verify cap, and opens nothing. */
export function leaseNameOf(verifyCap: string): string {
  return toBase32(sha256(utf8(verifyCap)).subarray(0, nameBytes))
}

/** Of two rows of one name the later counts. */
export function addLeaseRow(rows: Map<string, LeaseRow>, name: string, row: LeaseRow): void {
  const known = rows.get(name)
  if (known === undefined || known.lastMs <= row.lastMs) rows.set(name, row)
}

/** Leaves out what was held last before `goneMs`, and makes one row of the oldest where there are too many. */
export function tidyLeaseRows(
  rows: ReadonlyMap<string, LeaseRow>,
  goneMs: number,
): Map<string, LeaseRow> {
  const left = [...rows].filter(([, { lastMs }]) => lastMs >= goneMs)
  if (left.length <= maxLeaseRows) return new Map(left)
  left.sort(([, a], [, b]) => a.lastMs - b.lastMs)
  const old = left.splice(0, left.length - maxLeaseRows + foldedAtOnce)
  const folded = { objects: 0, firstMs: Infinity, lastMs: 0 }
  for (const [, { objects, firstMs, lastMs }] of old) {
    folded.objects += objects
    folded.firstMs = Math.min(folded.firstMs, firstMs)
    folded.lastMs = Math.max(folded.lastMs, lastMs)
  }
  const name = leaseNameOf(old.map(([name]) => name).join())
  return new Map([...left, [name, folded]])
}

export function formatLeaseRows({ rows, sinceMs }: LeaseRows): Uint8Array {
  const leases = Object.fromEntries(
    [...rows].map(([name, { objects, firstMs, lastMs }]) => [name, [objects, firstMs, lastMs]]),
  )
  return utf8(`${JSON.stringify({ version: 1, sinceMs, leases })}\n`)
}

/** Undefined for what is no such file: then what it said is not known. */
export function parseLeaseRows(bytes: Uint8Array): LeaseRows | undefined {
  try {
    const parsed = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
    const { version, sinceMs, leases } = parsed
    if (version !== 1 || typeof leases !== 'object' || leases === null) return undefined
    if (sinceMs !== undefined && !isCount(sinceMs)) return undefined
    const rows = new Map<string, LeaseRow>()
    for (const [name, row] of Object.entries(leases)) {
      if (!namePattern.test(name) || !Array.isArray(row) || !row.every(isCount)) return undefined
      const [objects, firstMs, lastMs, ...more] = row
      if (lastMs === undefined || more.length > 0) return undefined
      rows.set(name, { objects, firstMs, lastMs })
    }
    return { rows, sinceMs }
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
