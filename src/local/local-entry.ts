/** One name that a walk came to, and what is read of it. */
import { compareBytes, concat } from '../base/bytes.ts'
import { maxMode, timestampOf } from '../tree/entry.ts'
import type { EntryMeta, ExtendedAttribute } from '../tree/entry-meta.ts'
import { splitDevice } from './device-number.ts'
import { escapedName } from './escaped-name.ts'
import type { EntryFacts, LocalKind } from './facts.ts'
import { type Fingerprint, fingerprintOf } from './fingerprint.ts'
import type { HardLinks } from './hard-links.ts'
import type { LocalStats } from './local-stats.ts'
import type { NativeCalls } from './native.ts'
import { detailOf, type Report } from './notice.ts'
import type { OpenDirectory } from './open-directory.ts'
import type { Owners } from './owner-names.ts'

export interface LocalEntry {
  /** From the root of the tree, without a slash in front; empty for the root. */
  readonly path: Uint8Array
  readonly name: Uint8Array
  readonly kind: LocalKind
  /** Of a file; 0 of all else. */
  readonly sizeBytes: number
  readonly fingerprint: Fingerprint
  /** The same for all names of one file; the fingerprint does not cover it. */
  readonly hardLink: number | undefined
  readonly stats: LocalStats
}

const slash = Uint8Array.of(0x2f)

/** An entry whose path and fingerprint are made when they are asked for, which is seldom. */
export class WalkedEntry implements LocalEntry {
  readonly name: Uint8Array
  readonly kind: LocalKind
  readonly sizeBytes: number
  readonly stats: LocalStats
  readonly hardLink: number | undefined
  readonly #above: Uint8Array
  #path: Uint8Array | undefined

  /** @param above - path of the directory that it is in; of the root, as its own, empty */
  constructor(
    { name, kind, stats }: Pick<LocalEntry, 'name' | 'kind' | 'stats'>,
    above: Uint8Array,
    links: HardLinks,
  ) {
    this.name = name
    this.kind = kind
    this.stats = stats
    this.sizeBytes = kind === 'file' ? Number(stats.size) : 0
    this.#above = above
    const isShared = kind !== 'directory' && stats.nlink > 1n
    this.hardLink = isShared ? links.numberOf(this.path, stats) : undefined
  }

  get path(): Uint8Array {
    const above = this.#above
    this.#path ??= above.length === 0 ? this.name : concat(above, slash, this.name)
    return this.#path
  }

  get fingerprint(): Fingerprint {
    return fingerprintOf(this.stats)
  }
}

/** What extended attributes may take of an entry, which weighs at most 2^19 (docs/specs/directory.md). */
export const maxXattrsBytes: number = 2 ** 18

/** Where and by what an entry is read. */
export interface EntrySource {
  directory: OpenDirectory
  /** The entry, if it is open. */
  file?: { fd: number } | undefined
  owners: Owners
  native: NativeCalls | undefined
  report: Report
}

/**
 * All that there is to know of an entry but its content, the target of a link and extended
 * attributes among it. An attribute that cannot be read is reported, and left out.
 *
 * @throws the system's error if a link cannot be read
 */
export function describeEntry(entry: LocalEntry, source: EntrySource): EntryFacts {
  const { name, kind, sizeBytes, stats } = entry
  const facts: EntryFacts = {
    name,
    kind,
    mode: Number(stats.mode) & maxMode,
    mtime: timestampOf(stats.mtimeNs),
    meta: metaOf(entry, source),
    sizeBytes,
  }
  if (kind === 'symlink') facts.target = source.directory.readLink(name)
  return facts
}

function metaOf(entry: LocalEntry, source: EntrySource): EntryMeta {
  const { kind, stats, hardLink } = entry
  const { owners } = source
  const [uid, gid] = [Number(stats.uid), Number(stats.gid)]
  const [owner, group] = [owners.users.nameOf(uid), owners.groups.nameOf(gid)]
  const meta: EntryMeta = { uid, gid }
  if (owner !== undefined) meta.owner = owner
  if (group !== undefined) meta.group = group
  const xattrs = xattrsOf(entry, source)
  if (xattrs.length > 0) meta.xattrs = xattrs
  if (hardLink !== undefined) meta.hardLink = hardLink
  if (kind === 'char-device' || kind === 'block-device') meta.device = splitDevice(stats.rdev)
  return meta
}

/** Ascending by name. */
function xattrsOf(
  entry: LocalEntry,
  { directory, file, native, report }: EntrySource,
): ExtendedAttribute[] {
  if (native === undefined) return []
  const { path } = entry
  const at =
    file?.fd ?? directory.pathOf(entry.name.length === 0 ? Uint8Array.of(0x2e) : entry.name)
  const xattrs: ExtendedAttribute[] = []
  let bytes = 0
  try {
    for (const name of native.listXattrs(at).sort(compareBytes)) {
      const value = readXattr(native, at, name, (detail) => {
        report({ code: 'unreadable', path, detail })
      })
      if (value === undefined) continue
      bytes += name.length + value.length + 32
      xattrs.push({ name, value })
    }
  } catch (error) {
    report({ code: 'unreadable', path, detail: `extended attributes: ${detailOf(error)}` })
  }
  if (bytes <= maxXattrsBytes) return xattrs
  report({ code: 'xattrs-too-large', path, detail: `${bytes} bytes` })
  return []
}

function readXattr(
  native: NativeCalls,
  at: number | Uint8Array,
  name: Uint8Array,
  complain: (detail: string) => void,
): Uint8Array | undefined {
  try {
    return native.readXattr(at, name)
  } catch (error) {
    complain(`${escapedName(name)}: ${detailOf(error)}`)
    return undefined
  }
}
