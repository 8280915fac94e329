/**
 * What a snapshot entry says, to whom: all of it to readers, and to verifiers what they need to
 * check and repair (docs/specs/log.md, "Snapshot"). Fields are only ever added at the end of the
 * facts, so an old reader skips what it does not know.
 */
import { type CborValue, encodeCbor } from '../base/cbor.ts'
import { GridError, isGridError } from '../base/errors.ts'
import { hashBytes } from '../base/hash.ts'
import type { Cap, CapOf } from '../caps/cap.ts'
import { decodeCap, encodeCap } from '../caps/compact.ts'
import { arrayOf, bytesOf, decodeAs, demand, integerOf, textOf } from './shape.ts'

export interface SnapshotTotals {
  /** Plaintext bytes of all files. */
  bytes: number
  files: number
  directories: number
  /** Objects that the snapshot refers to. */
  objects: number
}

/** How a backup came about. */
export interface BackupRun {
  /** The directory of the machine that the snapshot's topmost one stands for; its path, as bytes. */
  root: Uint8Array
  /** At most 16 of at most 64 characters. */
  tags: readonly string[]
  /** When it began, by the device's clock. */
  startedMs: number
  /** Plaintext bytes of files that were new or had changed. */
  addedBytes: number
  /** Bytes of shares that were sent for it. */
  sentBytes: number
}

/** What a reader learns. All texts may hold anything: clean them before they are shown. */
export interface Snapshot {
  cap: CapOf<'DIR-CHK'>
  /** Ids of the snapshot entries that this one was made from: none at first, two for a merge; at most 8. */
  parents: readonly Uint8Array[]
  /** Name of the machine, at most 255 characters, as are the others. */
  host: string
  /** What the user calls this backup; may be empty. */
  label: string
  /** What was walked, as bytes of the system, at most 64 of at most 4,096. */
  paths: readonly Uint8Array[]
  /** Program and version. */
  tool: string
  totals: SnapshotTotals
  /** Whether files were left out because they could not be read, or the run was ended early. */
  partial: boolean
  /** Of a backup. */
  run?: BackupRun
}

/** What a verifier learns. */
export interface SnapshotCheck {
  cap: CapOf<'DIR-CHK-Verifier'>
  totals: SnapshotTotals
  /** 16 bytes, alike for snapshots of the same directories of a device, and telling nothing else. */
  series?: Uint8Array
}

export const seriesBytes = 16
const maxParents = 8
const maxPaths = 64
const maxPathBytes = 4096
const maxTextChars = 255
const maxTags = 16
const maxTagChars = 64
/** Facts of newer versions that an older one skips. */
const maxFacts = 32
const limits = { depth: 6, items: 1024, bytes: 24 * 1024 }

export function formatSnapshot(snapshot: Snapshot): Uint8Array {
  const { cap, parents, host, label, paths, tool, totals, partial } = snapshot
  const facts: CborValue[] = [host, label, [...paths], tool, toTotals(totals), partial ? 1 : 0]
  if (snapshot.run !== undefined) facts.push(toRun(snapshot.run))
  return encodeCbor([1, encodeCap(cap), [...parents], facts])
}

/** Throws E_ENTRY; E_VERSION for one that a later version wrote. */
export function readSnapshot(plaintext: Uint8Array): Snapshot {
  checkVersion(plaintext)
  return decodeAs('E_ENTRY', 'snapshot', plaintext, limits, (value) => {
    const [version, cap, parents, list] = arrayOf(value, 4, 4)
    demand(version === 1, 'another version')
    const [host, label, paths, tool, totals, partial, run] = arrayOf(list, 6, maxFacts)
    return {
      ...(run !== undefined && { run: readRun(run) }),
      cap: capOfType(cap, 'DIR-CHK'),
      parents: arrayOf(parents, 0, maxParents).map((id) => bytesOf(id, hashBytes)),
      host: textOf(host, maxTextChars),
      label: textOf(label, maxTextChars),
      paths: arrayOf(paths, 0, maxPaths).map((path) => bytesOf(path, 0, maxPathBytes)),
      tool: textOf(tool, maxTextChars),
      totals: readTotals(totals),
      partial: integerOf(partial, 0, 1) === 1,
    }
  })
}

export function formatSnapshotCheck({ cap, totals, series }: SnapshotCheck): Uint8Array {
  const facts = series === undefined ? [toTotals(totals)] : [toTotals(totals), series]
  return encodeCbor([1, encodeCap(cap), facts])
}

/** Throws E_ENTRY; E_VERSION for one that a later version wrote. */
export function readSnapshotCheck(plaintext: Uint8Array): SnapshotCheck {
  checkVersion(plaintext)
  return decodeAs('E_ENTRY', 'snapshot', plaintext, limits, (value) => {
    const [version, cap, facts] = arrayOf(value, 3, 3)
    demand(version === 1, 'another version')
    const [totals, series] = arrayOf(facts, 1, maxFacts)
    return {
      ...(series !== undefined && { series: bytesOf(series, seriesBytes) }),
      cap: capOfType(cap, 'DIR-CHK-Verifier'),
      totals: readTotals(totals),
    }
  })
}

/**
 * Of a later version nothing else is known, so nothing else is looked at: it is an array that begins
 * with its number. It is no malformed entry: what it stands on must be kept.
 */
function checkVersion([first, version]: Uint8Array): void {
  const isShortArray = first > 0x80 && first <= 0x97
  // a positive integer: below 24 itself, up to 0x1b the mark of a longer one
  if (isShortArray && version > 1 && version <= 0x1b) throw later()
}

function later(cause?: GridError): GridError {
  return new GridError('E_VERSION', 'a snapshot that a later version of Grid wrote', {
    hint: 'upgrade this Grid',
    ...(cause && { cause }),
  })
}

function toTotals({ bytes, files, directories, objects }: SnapshotTotals): CborValue {
  return [bytes, files, directories, objects]
}

function readTotals(value: CborValue): SnapshotTotals {
  const [bytes, files, directories, objects] = arrayOf(value, 4, 4).map((n) => integerOf(n, 0))
  return { bytes, files, directories, objects }
}

function toRun({ root, tags, startedMs, addedBytes, sentBytes }: BackupRun): CborValue {
  return [root, [...tags], startedMs, addedBytes, sentBytes]
}

function readRun(value: CborValue): BackupRun {
  const [root, tags, startedMs, addedBytes, sentBytes] = arrayOf(value, 5, maxFacts)
  return {
    root: bytesOf(root, 0, maxPathBytes),
    tags: arrayOf(tags, 0, maxTags).map((tag) => textOf(tag, maxTagChars)),
    startedMs: integerOf(startedMs, 0),
    addedBytes: integerOf(addedBytes, 0),
    sentBytes: integerOf(sentBytes, 0),
  }
}

function capOfType<T extends 'DIR-CHK' | 'DIR-CHK-Verifier'>(value: CborValue, type: T): CapOf<T> {
  const cap = decoded(bytesOf(value, 1, 256))
  if (cap.type !== type) throw new GridError('E_ENTRY', 'a snapshot with a cap of another type')
  return cap as CapOf<T>
}

function decoded(bytes: Uint8Array): Cap {
  try {
    return decodeCap(bytes)
  } catch (error) {
    if (isGridError(error, 'E_CAP_TYPE')) throw later(error)
    throw new GridError('E_ENTRY', 'a snapshot with a malformed cap', { cause: error })
  }
}
