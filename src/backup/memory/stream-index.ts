/** Finds streams in rows of a cache by their tags. */
import { equalBytes } from '../../base/bytes.ts'
import type { KnownStream } from '../../node/content/known-stream.ts'
import { RowParser } from './row-bytes.ts'
import { readNumbers, RowObjectSource } from './row-objects.ts'
import { type RowPages, RowScanner, rowSteps } from './row-pages.ts'
import { StoredRow, partKinds } from './stored-row.ts'
import { type KeptStream, knownStream, readContentKind, readStream } from './stored-rows.ts'
import { TagIndex } from './tag-index.ts'

export class StreamIndex {
  readonly #pages: RowPages
  readonly #tags: TagIndex

  /** @param expected - streams that will be added */
  constructor(pages: RowPages, expected = 0) {
    this.#pages = pages
    this.#tags = new TagIndex(expected)
  }

  /** Adds all that is in the rows so far. Throws E_CACHE, E_IO. */
  addAll(): this {
    const scanner = new RowScanner(this.#pages)
    while (scanner.next())
      for (const { tag } of streamsIn(this.#pages, scanner)) this.add(tag, scanner.page, scanner.at)
    return this
  }

  /** @param at - where in the page the head of the row is that the stream is in */
  add(tag: Uint8Array, page: number, at: number): void {
    this.#tags.add(tag, page, at)
  }

  /** Throws E_CACHE, E_IO. */
  find(tag: Uint8Array): KnownStream | undefined {
    return this.#tags.find(tag, (page, at) => {
      const scanner = new RowScanner(this.#pages, page, at)
      if (!scanner.next()) return undefined
      const found = streamsIn(this.#pages, scanner).find((stream) => equalBytes(stream.tag, tag))
      return found && knownStream(found)
    })
  }
}

/** The streams of the row that the scanner stands on. */
function streamsIn(pages: RowPages, scanner: RowScanner): KeptStream[] {
  const { bytes, step, start, end } = scanner
  if (step === rowSteps.more) {
    const row = new RowParser(bytes, start, end)
    const objects = new RowObjectSource(pages.objects, readNumbers(row))
    const streams: KeptStream[] = []
    if (row.byte(partKinds.extents) === partKinds.extents)
      for (let left = row.byte(); left > 0; left--)
        streams.push(readStream(row, objects, pages.keys))
    return streams
  }
  const { listAt } = new StoredRow(pages, scanner)
  if (step !== rowSteps.entry || listAt === undefined) return []
  const row = new RowParser(bytes, listAt, end)
  row.varint()
  const objects = new RowObjectSource(pages.objects, readNumbers(row))
  return readContentKind(row) === 'file' ? [readStream(row, objects, pages.keys)] : []
}
