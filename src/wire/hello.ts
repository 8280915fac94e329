/** The first frame each way: which versions of a protocol and which suites a side can speak. */
import { type CborValue, decodeCbor, encodeCbor, wireLimits } from '../base/cbor.ts'
import { GridError } from '../base/errors.ts'
import { wireVersions } from '../base/version.ts'

/** What one side speaks: `[minVersion, maxVersion, suites]`. */
export interface Hello {
  minVersion: number
  maxVersion: number
  /** Suites of formats (docs/specs), each a number of 1 … 255; at most 16. */
  suites: readonly number[]
}

/** What both sides speak. */
export interface Agreement {
  version: number
  suites: number[]
}

export const maxSuites = 16

/** What this version speaks where a protocol says nothing else. */
export const currentHello: Hello = {
  minVersion: wireVersions.min,
  maxVersion: wireVersions.max,
  suites: [1],
}

export function formatHello(hello: Hello): Uint8Array {
  return encodeCbor([hello.minVersion, hello.maxVersion, [...hello.suites]])
}

/** Throws E_CBOR or E_PROTOCOL. */
export function parseHello(head: Uint8Array): Hello {
  const value = decodeCbor(head, wireLimits)
  if (!Array.isArray(value) || value.length !== 3) throw malformed()
  const [minVersion, maxVersion, suites] = value as CborValue[]
  if (typeof minVersion !== 'number' || typeof maxVersion !== 'number') throw malformed()
  if (minVersion < 0 || maxVersion < minVersion) throw malformed()
  if (!Array.isArray(suites) || suites.length > maxSuites || !suites.every(isSuite)) {
    throw malformed()
  }
  return { minVersion, maxVersion, suites }
}

/** The highest version and all suites in common. Throws E_VERSION where there is none. */
export function agree(ours: Hello, theirs: Hello): Agreement {
  const version = Math.min(ours.maxVersion, theirs.maxVersion)
  if (version < Math.max(ours.minVersion, theirs.minVersion)) {
    throw new GridError('E_VERSION', `we speak ${versions(ours)}, they speak ${versions(theirs)}`)
  }
  const suites = ours.suites.filter((suite) => theirs.suites.includes(suite))
  if (suites.length === 0) throw new GridError('E_VERSION', 'no suite in common')
  return { version, suites }
}

function versions({ minVersion, maxVersion }: Hello): string {
  return minVersion === maxVersion
    ? `version ${minVersion}`
    : `versions ${minVersion} to ${maxVersion}`
}

function isSuite(value: CborValue): value is number {
  return typeof value === 'number' && value >= 1 && value <= 255
}

function malformed(): GridError {
  return new GridError('E_PROTOCOL', 'the first frame is no hello')
}
