/**
 * Files and directories over the objects of a grid: what reads and writes trees without knowing
 * where objects live. Reachable as `grid.trees`.
 */
import type { SegmentReader } from './file-download.ts'
import { downloadStream, downloadTree, treeExtents } from './file-download.ts'
import type { DirectoryWriteContext } from '../../tree/directory-writer.ts'
import type { ChildRow } from '../../tree/file-node.ts'
import type { PlacedExtent } from '../../tree/file-reader.ts'
import type { ObjectName, ObjectRef } from '../../tree/refs.ts'
import type { CheckedSlice, SliceReader } from '../../tree/slice-reader.ts'
import { segmentBytes } from '../../encoding/descriptor.ts'
import type { AuditReport } from '../check/audit.ts'
import { checkedRange, type ContentRange } from './content-range.ts'
import { type FileContent, sizeOfContent } from './file-content.ts'
import type { ManyInput, ManyOptions, ManyResult } from './many-files.ts'
import type { Placer } from './placer.ts'
import { SegmentCache } from './segment-cache.ts'
import {
  type ContentInput,
  type PutContentOptions,
  TreeWriter,
  type TreeWriteOptions,
} from './tree-writer.ts'

/** A part of an object's ciphertext. */
export interface SealedRun {
  bytes: Uint8Array
  /** Where in the object they begin. */
  startByte: number
}

export interface ReadContentOptions {
  signal?: AbortSignal
  /** Bytes [start, end) of the content; `end` beyond it is cut to its size. */
  range?: ContentRange
}

/** As many segments as an object can have. */
const allSegments = 128
const defaultCacheBytes = 32 * 2 ** 20

export class TreeStore implements SliceReader {
  readonly #placer: Placer
  readonly #segments: SegmentReader
  readonly #fetch: SegmentReader

  /** @param readSegments - fetches checked segments from servers */
  constructor(placer: Placer, readSegments: SegmentReader, options: { cacheBytes?: number } = {}) {
    this.#placer = placer
    this.#fetch = readSegments
    this.#segments = new SegmentCache(readSegments, options.cacheBytes ?? defaultCacheBytes).read
  }

  async readSlice(
    object: ObjectName,
    offset: number,
    sliceBytes: number | undefined,
  ): Promise<CheckedSlice> {
    const { root, k, n } = object
    const firstSegment = Math.floor(offset / segmentBytes)
    const end = sliceBytes === undefined ? undefined : offset + Math.max(1, sliceBytes)
    const segmentCount =
      end === undefined ? allSegments : Math.ceil(end / segmentBytes) - firstSegment
    const range = { object: { root, k, n }, firstSegment, segmentCount }
    const { ciphertext, ciphertextBytes } = await this.#segments(range, {})
    const from = offset - firstSegment * segmentBytes
    const to = sliceBytes === undefined ? ciphertext.length : from + sliceBytes
    return { bytes: ciphertext.subarray(from, to), ciphertextBytes }
  }

  /**
   * Reads a file that a directory names, or a range of it, in order; every piece has been verified
   * before it is yielded.
   *
   * @param file - an entry of a directory, or what `putContent` resolved to
   * @throws E_NOT_ENOUGH_SHARES, E_ENCODING, E_COMMIT, E_NODE, E_SIZE; E_USAGE for a range that is none
   */
  async *readContent(
    file: FileContent,
    options: ReadContentOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const { start, end } = checkedRange(options.range, sizeOfContent(file))
    const { signal } = options
    switch (file.kind) {
      case 'lit':
        yield file.content.slice(start, end)
        return
      case 'file':
        yield* downloadStream(this.#segments, file.content, start, end, { signal })
        return
      case 'tree':
        yield* downloadTree(this.#segments, file.content, start, end, { signal })
    }
  }

  /** The extents of a large file, in order. Throws as `readContent`. */
  extents(root: ChildRow, options: { signal?: AbortSignal } = {}): AsyncGenerator<PlacedExtent> {
    return treeExtents(this.#segments, root, options)
  }

  /**
   * The segments that hold bytes [startByte, endByte) of an object's ciphertext, checked; fewer
   * where it ends. They are the caller's, and are not kept to be given out again.
   *
   * @returns `bytes` begin at byte `startByte` of the object, which is a multiple of a segment's length
   * @throws E_NOT_ENOUGH_SHARES, E_ENCODING
   */
  async readSealed(
    { root, k, n }: ObjectName,
    startByte: number,
    endByte: number,
    options: { signal?: AbortSignal } = {},
  ): Promise<SealedRun> {
    const firstSegment = Math.floor(startByte / segmentBytes)
    const segmentCount = Math.max(1, Math.ceil(endByte / segmentBytes) - firstSegment)
    const range = { object: { root, k, n }, firstSegment, segmentCount }
    const { ciphertext } = await this.#fetch(range, options)
    return { bytes: ciphertext, startByte: firstSegment * segmentBytes }
  }

  /**
   * Stores one file by itself, and resolves once every object of it is on the disks of at least
   * `happy` distinct servers.
   *
   * @throws E_NOT_ENOUGH_SERVERS, E_FILE, E_FILE_CHANGED
   */
  putContent(
    input: ContentInput,
    options: TreeWriteOptions & PutContentOptions = {},
  ): Promise<FileContent & { sizeBytes: number }> {
    return this.write((writer) => writer.putContent(input, options), options)
  }

  /**
   * Stores files, small ones together in bundles, and gives their contents in the order of the
   * inputs. What it has given is stored when the sequence has ended without throwing.
   */
  async *putMany<T>(
    files: AsyncIterable<ManyInput<T>> | Iterable<ManyInput<T>>,
    options: TreeWriteOptions & ManyOptions<T> = {},
  ): AsyncGenerator<ManyResult<T>> {
    const writer = await TreeWriter.open(this.#placer, this, options)
    try {
      yield* writer.putMany(files, options)
      await writer.finish()
    } catch (error) {
      await writer.abort(error)
      throw error
    }
  }

  /**
   * Looks whether objects are on servers: which say that they have shares of them, and whether one
   * block of each is what its root says. Needs no key; what nobody answers for counts as not there.
   */
  audit(
    objects: readonly ObjectRef[],
    options: { signal?: AbortSignal } = {},
  ): Promise<AuditReport> {
    return this.#placer.audit(objects, options)
  }

  /**
   * Runs `work` with a writer of files and nodes, and resolves to what it gives once every object
   * that it made is on the disks of at least `happy` distinct servers. Objects are uploaded side by
   * side meanwhile; the nodes of one change share a bundle.
   *
   *     const ref = await grid.trees.write((writer) => changeDirectory(writer, base, changes))
   *
   * What the work gives may be used only then: the object of a node may be open until the end.
   *
   * @throws E_NOT_ENOUGH_SERVERS, and what `work` throws
   */
  async write<T>(
    work: (writer: TreeWriter & DirectoryWriteContext) => Promise<T>,
    options: TreeWriteOptions = {},
  ): Promise<T> {
    const writer = await TreeWriter.open(this.#placer, this, options)
    try {
      const result = await work(writer)
      await writer.finish()
      return result
    } catch (error) {
      await writer.abort(error)
      throw error
    }
  }
}
