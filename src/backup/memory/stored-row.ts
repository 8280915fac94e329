/**
 * One row of a cache (docs/specs/backup-cache.md, "Rows"), parsed as far as it is asked for.
 *
 *   flags ‖ name ‖ fingerprint ‖ hard link ‖ parts ‖ objects ‖ content
 */
import { fingerprintBytes } from '../../local/fingerprint.ts'
import { type LocalKind, localKinds } from '../../local/facts.ts'
import { sizeOfContent } from '../../node/content/file-content.ts'
import type { StoredFile, TaggedStream } from '../../node/content/stored-file.ts'
import { maxNameBytes } from '../../tree/entry.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { CachedRow } from './cache-cursor.ts'
import type { CachedDirectory } from './cache-row.ts'
import { RowParser } from './row-bytes.ts'
import { readNumbers, RowObjectSource } from './row-objects.ts'
import { type RowPages, RowScanner, rowSteps } from './row-pages.ts'
import { damagedCache } from './sealed-page.ts'
import { readContent, readNode, readTaggedStream, readTotals } from './stored-rows.ts'

/** The low three bits are the kind of an entry. */
export const rowFlags = { kind: 0x07, fingerprint: 0x08, hardLink: 0x10, content: 0x20 } as const
export const partKinds = { nodes: 0, extents: 1 } as const

const stepNames = { [rowSteps.enter]: 'enter', [rowSteps.entry]: 'entry' } as const

/** What the parts of a row hold. */
interface Parts {
  nodes: ObjectRef[]
  extents: TaggedStream[]
}

/** Good for as long as it is wanted; it holds on to the page that it is in. */
export class StoredRow implements CachedRow {
  readonly pages: RowPages
  readonly page: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly step: CachedRow['step']
  readonly #flags: number
  readonly #nameAt: number
  readonly #nameEnd: number

  /** The row that the scanner stands on, which is no part of another. Throws E_CACHE. */
  constructor(pages: RowPages, { page, bytes, start, end, step }: RowScanner) {
    this.pages = pages
    this.page = page
    this.bytes = bytes
    this.start = start
    this.end = end
    this.step = stepNames[step as keyof typeof stepNames] ?? 'leave'
    const head = new RowParser(bytes, start, end)
    this.#flags = head.byte()
    const length = head.varint(0, maxNameBytes)
    this.#nameAt = head.at
    head.skip(length)
    this.#nameEnd = head.at
    if ((this.#flags & rowFlags.fingerprint) !== 0) head.skip(fingerprintBytes)
  }

  /** A view; of the root it is empty. */
  get name(): Uint8Array {
    return this.bytes.subarray(this.#nameAt, this.#nameEnd)
  }

  /** Of an entry. */
  get kind(): LocalKind {
    const kind = localKinds[this.#flags & rowFlags.kind]
    if (kind === undefined) throw damagedCache('an entry of no kind')
    return kind
  }

  /** A copy; undefined if the row is not to be taken for unchanged. */
  get fingerprint(): Uint8Array | undefined {
    if ((this.#flags & rowFlags.fingerprint) === 0) return undefined
    return this.bytes.slice(this.#nameEnd, this.#nameEnd + fingerprintBytes)
  }

  get hardLink(): number | undefined {
    if ((this.#flags & rowFlags.hardLink) === 0) return undefined
    return this.#afterFingerprint().varint()
  }

  /**
   * Whether this is of a file or directory that was not touched since, with the same number of a hard link.
   * Of a row without a fingerprint, and of an enter, it never is.
   */
  matches(fingerprint: Uint8Array, hardLink?: number): boolean {
    return this.hasFingerprint(fingerprint) && hardLink === this.hardLink
  }

  /** As `matches`, whatever its hard links are: what is enough for its content. */
  hasFingerprint(fingerprint: Uint8Array): boolean {
    if ((this.#flags & rowFlags.fingerprint) === 0) return false
    if (fingerprint.length !== fingerprintBytes) return false
    const { bytes } = this
    const from = this.#nameEnd
    for (let i = 0; i < fingerprintBytes; i++) if (bytes[from + i] !== fingerprint[i]) return false
    return true
  }

  /** Whether `content` gives any. */
  get hasContent(): boolean {
    return this.step === 'entry' && this.#holdsContent && this.pages.keys === 'kept'
  }

  /** Of an entry that is a file; undefined where no keys are kept. Throws E_CACHE. */
  content(): StoredFile | undefined {
    if (!this.hasContent) return undefined
    const row = this.#afterHead()
    const parts = row.varint()
    const content = readContent(row, new RowObjectSource(this.pages.objects, readNumbers(row)))
    row.finish()
    const { tag, ...file } = content
    return { ...file, sizeBytes: sizeOfContent(file), tag, ...this.#readParts(parts) }
  }

  /** Of a leave. Throws E_CACHE, also where no keys are kept. */
  directory(): CachedDirectory {
    if (this.step !== 'leave') throw new RangeError('backup cache: only a leave has a directory')
    if (this.pages.keys !== 'kept') throw damagedCache('it keeps no keys of directories')
    const { fingerprint } = this
    const row = this.#afterHead()
    const parts = row.varint()
    const ref = readNode(row, new RowObjectSource(this.pages.objects, readNumbers(row)))
    const totals = readTotals(row)
    row.finish()
    return {
      name: this.name.slice(),
      fingerprint,
      ref,
      nodes: this.#readParts(parts).nodes,
      totals,
    }
  }

  kept(): this {
    return this
  }

  /** Where the count of the row's parts and the list of its objects start; undefined if it has none. */
  get listAt(): number | undefined {
    return this.#holdsContent || this.step === 'leave' ? this.#afterHead().at : undefined
  }

  get #holdsContent(): boolean {
    return (this.#flags & rowFlags.content) !== 0
  }

  #afterFingerprint(): RowParser {
    const hasFingerprint = (this.#flags & rowFlags.fingerprint) !== 0
    const at = this.#nameEnd + (hasFingerprint ? fingerprintBytes : 0)
    return new RowParser(this.bytes, at, this.end)
  }

  #afterHead(): RowParser {
    const row = this.#afterFingerprint()
    if ((this.#flags & rowFlags.hardLink) !== 0) row.varint()
    return row
  }

  #readParts(count: number): Parts {
    const parts: Parts = { nodes: [], extents: [] }
    const scanner = new RowScanner(this.pages, this.page, this.end)
    for (let i = 0; i < count; i++) {
      if (!scanner.next() || scanner.step !== rowSteps.more) throw damagedCache('a part is missing')
      const row = new RowParser(scanner.bytes, scanner.start, scanner.end)
      const objects = new RowObjectSource(this.pages.objects, readNumbers(row))
      if (row.byte(partKinds.extents) === partKinds.nodes) parts.nodes.push(...objects.all())
      else
        for (let left = row.byte(); left > 0; left--)
          parts.extents.push(readTaggedStream(row, objects))
      row.finish()
    }
    return parts
  }
}
