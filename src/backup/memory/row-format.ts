/** The bodies of new rows (docs/specs/backup-cache.md, "Rows"); each is good until the next is made. */
import { fingerprintBytes } from '../../local/fingerprint.ts'
import type { TaggedStream } from '../../node/content/stored-file.ts'
import { maxNameBytes } from '../../tree/entry.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { CachedDirectory, CachedEntry } from './cache-row.ts'
import type { CachedKeys } from './cached-keys.ts'
import type { ObjectTable } from './object-table.ts'
import { RowBuilder } from './row-bytes.ts'
import { RowObjectSink, writeNumbers } from './row-objects.ts'
import { localKinds } from '../../local/facts.ts'
import { partKinds, rowFlags } from './stored-row.ts'
import { writeContent, writeNode, writeStream, writeTotals } from './stored-rows.ts'

/** What one part holds: few enough that little of a page is left empty before it. */
const extentsPerPart = 64
const nodesPerPart = 1024

export class RowFormat {
  readonly #keys: CachedKeys
  readonly #row = new RowBuilder()
  readonly #content = new RowBuilder()
  readonly #objects: RowObjectSink

  constructor(objects: ObjectTable, keys: CachedKeys) {
    this.#objects = new RowObjectSink(objects)
    this.#keys = keys
  }

  enter(name: Uint8Array): Uint8Array {
    return this.#head(0, name, undefined).written
  }

  entry({ name, kind, fingerprint, hardLink, content }: CachedEntry): Uint8Array {
    // the bytes of a literal are what a key would open
    const kept = content?.kind === 'lit' && this.#keys === 'none' ? undefined : content
    const flags =
      localKinds.indexOf(kind) |
      (hardLink === undefined ? 0 : rowFlags.hardLink) |
      (kept === undefined ? 0 : rowFlags.content)
    const row = this.#head(flags, name, fingerprint)
    if (hardLink !== undefined) row.varint(hardLink)
    if (kept === undefined) return row.written
    this.#objects.clear()
    writeContent(this.#content.clear(), kept, this.#objects, this.#keys)
    return this.#end(partCount(kept.nodes, kept.extents))
  }

  leave({ name, fingerprint, ref, nodes, totals }: CachedDirectory): Uint8Array {
    this.#head(0, name, fingerprint)
    this.#objects.clear()
    writeNode(this.#content.clear(), ref, this.#objects, this.#keys)
    writeTotals(this.#content, totals)
    return this.#end(partCount(nodes, []))
  }

  nodes(objects: readonly ObjectRef[]): Uint8Array {
    this.#objects.clear()
    for (const object of objects) this.#objects.list(object)
    writeNumbers(this.#row.clear(), this.#objects.numbers)
    return this.#row.byte(partKinds.nodes).written
  }

  extents(extents: readonly TaggedStream[]): Uint8Array {
    this.#objects.clear()
    this.#content.clear()
    for (const extent of extents)
      writeStream(this.#content, extent.tag, extent, this.#objects, this.#keys)
    writeNumbers(this.#row.clear(), this.#objects.numbers)
    const row = this.#row.byte(partKinds.extents).byte(extents.length)
    return row.bytes(this.#content.written).written
  }

  /** The extents of a file, by the part that each is in. */
  groups(extents: readonly TaggedStream[]): Generator<readonly TaggedStream[], void> {
    return groupsOf(extents, extentsPerPart)
  }

  nodeGroups(nodes: readonly ObjectRef[]): Generator<readonly ObjectRef[], void> {
    return groupsOf(nodes, nodesPerPart)
  }

  #head(flags: number, name: Uint8Array, fingerprint: Uint8Array | undefined): RowBuilder {
    if (name.length > maxNameBytes) throw new RangeError('backup cache: a name that is too long')
    if (fingerprint !== undefined && fingerprint.length !== fingerprintBytes)
      throw new RangeError('backup cache: a fingerprint is 40 bytes')
    const all = flags | (fingerprint === undefined ? 0 : rowFlags.fingerprint)
    const row = this.#row.clear().byte(all).text(name)
    return fingerprint === undefined ? row : row.bytes(fingerprint)
  }

  #end(parts: number): Uint8Array {
    writeNumbers(this.#row.varint(parts), this.#objects.numbers)
    return this.#row.bytes(this.#content.written).written
  }
}

function partCount(nodes: readonly unknown[], extents: readonly unknown[]): number {
  return Math.ceil(nodes.length / nodesPerPart) + Math.ceil(extents.length / extentsPerPart)
}

function* groupsOf<T>(all: readonly T[], size: number): Generator<readonly T[], void> {
  for (let first = 0; first < all.length; first += size) yield all.slice(first, first + size)
}
