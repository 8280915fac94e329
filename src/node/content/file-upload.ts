/**
 * Turns a file into objects on servers and what reads it back (docs/specs/tree.md,
 * "Writing"). Extents are cut, encoded and placed as a pipeline; what is in memory at once is
 * bounded by the encoder's budgets, whatever the size of the file.
 */
import { setMaxListeners } from 'node:events'
import { GridError } from '../../base/errors.ts'
import { convergenceKeys } from '../../caps/keys.ts'
import type { CutExtent, EncodedShares, Encoder, EncodeSettings } from '../../encoding/encoder.ts'
import { FileTreeWriter } from '../../tree/file-writer.ts'
import { LoneNodes } from '../../tree/node-sink.ts'
import type { ObjectRef } from '../../tree/refs.ts'
import type { StreamRef } from '../../tree/stream-row.ts'
import { type FileInput, openExtents } from './extent-source.ts'
import type { FileContent } from './file-content.ts'
import type { FindKnown, KnownStream, RecentTags } from './known-stream.ts'
import { nameOf } from './object-writer.ts'
import type { TaggedStream } from './stored-file.ts'

export type { FileInput } from './extent-source.ts'

export interface FileUploadContext {
  encoder: Encoder
  settings: EncodeSettings
  /**
   * Places an object, which holds so many bytes of files, and gives its memory back. Resolves once
   * it is on enough servers.
   */
  place: (
    shares: EncodedShares,
    plaintextBytes: number,
    options: { signal: AbortSignal },
  ) => Promise<unknown>
  /** Called with the bytes of the file that are safely stored so far. */
  onStored?: (bytes: number) => void
  /** What follows is for extents with tags. */
  known?: FindKnown
  /** Extents of this run, of this file and of others. */
  recent?: RecentTags<ExtentUnderWay>
  onExtent?: (index: number, extent: TaggedStream) => void
  /** How the file begins: extents that are stored, and are not read again. */
  storedExtents?: readonly TaggedStream[]
}

/** An extent that may still be on its way. */
export interface ExtentUnderWay {
  named: Promise<StreamRef>
  stored: Promise<void>
}

export interface UploadedFile {
  content: FileContent
  sizeBytes: number
  /** In the order of the file; kept only if they are tagged. */
  extents: TaggedStream[]
  /** The objects that hold the nodes of a tree. */
  nodes: ObjectRef[]
  /** Resolves once all objects of the file are on enough servers. Whoever gets it handles its failure. */
  stored: Promise<void>
}

/** Extents that wait for their turn to be written into the tree; their shares may be gone by then. */
const maxPending = 64

/**
 * Resolves as soon as all objects of the file have names.
 *
 * @throws E_FILE, E_FILE_CHANGED for an open file that is empty by now; what placing throws
 */
export async function uploadFile(
  context: FileUploadContext,
  input: FileInput,
  options: { signal?: AbortSignal } = {},
): Promise<UploadedFile> {
  return new FileUpload(context, options.signal).run(input)
}

interface Named {
  stream: StreamRef
  tag: Uint8Array | undefined
}

class FileUpload {
  readonly #context: FileUploadContext
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #pending: Promise<Named>[] = []
  readonly #placing = new Set<Promise<void>>()
  readonly #tree: FileTreeWriter
  readonly #nodes: ObjectRef[] = []
  readonly #extents: TaggedStream[] = []
  #first: StreamRef | undefined
  #count = 0
  #sizeBytes = 0
  #storedBytes = 0

  constructor(context: FileUploadContext, signal: AbortSignal | undefined) {
    this.#context = context
    this.#signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    // every extent that waits for its turn listens to it
    setMaxListeners(0, this.#signal)
    const keys = convergenceKeys(context.settings.secret)
    this.#tree = new FileTreeWriter(keys, new LoneNodes((slice) => this.#storeNode(slice)))
  }

  async run(input: FileInput): Promise<UploadedFile> {
    try {
      return await this.#run(input)
    } catch (error) {
      // what is encoded already is another file's as well, if its extents are tagged
      await Promise.allSettled(this.#pending)
      this.#stop.abort(error)
      await Promise.allSettled(this.#placing)
      throw error
    }
  }

  async #run(input: FileInput): Promise<UploadedFile> {
    const { storedExtents = [] } = this.#context
    const start = storedExtents.reduce((sum, { plaintextBytes }) => sum + plaintextBytes, 0)
    const source = await openExtents(this.#context, input, start)
    const { literal } = source
    if (literal) return literalFile(literal)
    for (const extent of storedExtents) await this.#add({ stream: extent, tag: extent.tag })
    this.#storedBytes = start
    for (let index = storedExtents.length; ; index++) {
      const extent = await source.next({ signal: this.#signal })
      if (extent === undefined) break
      const named = this.#take(extent, index)
      named.catch((error: unknown) => this.#stop.abort(error))
      this.#pending.push(named)
      if (this.#pending.length > maxPending) await this.#add((await this.#pending.shift())!)
    }
    while (this.#pending.length > 0) await this.#add((await this.#pending.shift())!)
    return this.#finish()
  }

  async #finish(): Promise<UploadedFile> {
    if (this.#first === undefined)
      throw new GridError('E_FILE_CHANGED', 'the file became empty while it was read')
    const content: FileContent =
      this.#count === 1
        ? { kind: 'file', content: this.#first }
        : { kind: 'tree', content: await this.#tree.finish() }
    const stored = Promise.all(this.#placing).then(() => undefined)
    stored.catch(() => undefined)
    return {
      content,
      sizeBytes: this.#sizeBytes,
      extents: this.#extents,
      nodes: this.#nodes,
      stored,
    }
  }

  async #add({ stream, tag }: Named): Promise<void> {
    this.#first ??= stream
    this.#count++
    this.#sizeBytes += stream.plaintextBytes
    if (tag !== undefined) this.#extents.push({ ...stream, tag })
    await this.#tree.add(stream)
  }

  /** Sees to it that an extent is stored; resolves as soon as it is known where. */
  async #take(extent: CutExtent, index: number): Promise<Named> {
    const { tag } = extent
    const { named, stored } = this.#underWay(extent)
    const done = stored.then(async () => {
      const stream = await named
      this.#storedBytes += stream.plaintextBytes
      this.#context.onStored?.(this.#storedBytes)
      if (tag !== undefined) this.#context.onExtent?.(index, { ...stream, tag })
    })
    this.#follow(done)
    return { stream: await named, tag }
  }

  #underWay(extent: CutExtent): ExtentUnderWay {
    const { tag } = extent
    if (tag === undefined) return this.#encode(extent)
    const { recent, known } = this.#context
    const met = recent?.get(tag) ?? wholeOf(known?.(tag), extent.plaintext.length)
    if (met !== undefined) {
      extent.release()
      return met
    }
    const underWay = this.#encode(extent)
    recent?.set(tag, underWay)
    return underWay
  }

  #encode(extent: CutExtent): ExtentUnderWay {
    const { encoder, settings, place } = this.#context
    const signal = this.#signal
    const encoded = encoder.encode(extent, settings, { signal })
    const named = encoded.then((shares): StreamRef => {
      const { readKey, plaintextBytes, compression, storedBytes } = shares
      const shape = { readKey, plaintextBytes, compression, storedBytes }
      return { object: nameOf(shares), offset: 0, ...shape }
    })
    const stored = encoded.then(async (shares) => {
      await place(shares, shares.plaintextBytes, { signal })
    })
    return { named, stored }
  }

  async #storeNode(slice: Uint8Array): Promise<ObjectRef> {
    const { encoder, settings, place } = this.#context
    const signal = this.#signal
    const shares = await encoder.content(slice, settings, { signal })
    const object = nameOf(shares)
    this.#nodes.push(object)
    this.#follow(place(shares, 0, { signal }).then(() => undefined))
    return object
  }

  /** A failure stops the pipeline at once. */
  #follow(placing: Promise<void>): void {
    this.#placing.add(placing)
    placing.then(
      () => this.#placing.delete(placing),
      (error: unknown) => this.#stop.abort(error),
    )
  }
}

function literalFile(bytes: Uint8Array): UploadedFile {
  const content: FileContent = { kind: 'lit', content: bytes }
  const stored = Promise.resolve()
  return { content, sizeBytes: bytes.length, extents: [], nodes: [], stored }
}

/** A known stream that can be named as it is: with its key, which encoding the bytes would give. */
function wholeOf(
  known: KnownStream | undefined,
  plaintextBytes: number,
): ExtentUnderWay | undefined {
  if (known?.readKey === undefined || known.plaintextBytes !== plaintextBytes) return undefined
  const { object, offset, readKey, compression, storedBytes } = known
  const stream = { object, offset, plaintextBytes, readKey, compression, storedBytes }
  return { named: Promise.resolve(stream), stored: Promise.resolve() }
}
