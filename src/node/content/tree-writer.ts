/**
 * One change of trees: files and nodes that become objects side by side. What it gives out names
 * objects that may still be on their way; when `finish` resolves, all of them are stored.
 */
import type { ConvergenceKeys } from '../../caps/keys.ts'
import { convergenceKeys } from '../../caps/keys.ts'
import { type NodeSink, NodeBundler } from '../../tree/node-sink.ts'
import type { SliceReader } from '../../tree/slice-reader.ts'
import type { FileContent } from './file-content.ts'
import { type FileInput, uploadFile } from './file-upload.ts'
import { FileStore, type FileStoreOptions, type FileStoreParts } from './file-store.ts'
import type { LogAccount } from '../logs/log-account.ts'
import { storeMany, type ManyInput, type ManyOptions, type ManyResult } from './many-files.ts'
import { ObjectWriter } from './object-writer.ts'
import { type PlaceOptions, type Placer, smallInputBytes } from './placer.ts'
import type { Redundancy } from '../placement/placement.ts'
import type { StoreTotals } from '../objects/store-totals.ts'

/** A file to store. */
export type ContentInput = FileInput & { sizeBytes?: number }

export interface TreeWriteOptions extends PlaceOptions {
  signal?: AbortSignal
  /** The most that is sent, as bytes of shares, > 0; as fast as it goes if absent. */
  uploadBytesPerSecond?: number
  /** Whose objects they are at servers; nobody's but this client's, for a year, if absent. */
  account?: LogAccount
}

export interface PutContentOptions {
  /** Compresses where that pays; off unless told. */
  compress?: boolean
  /** Called with the bytes of the file that are safely stored so far. */
  onStored?: (bytes: number) => void
}

/** Also a `DirectoryWriteContext`: pass it to `changeDirectory` and `writeDirectory` as it is. */
export class TreeWriter {
  readonly keys: ConvergenceKeys
  /** Reads what was stored before; not what this writer has put. */
  readonly reader: SliceReader
  /** Bundles the nodes of this change, in the order in which they are put. */
  readonly sink: NodeSink
  readonly #placer: Placer
  readonly #objects: ObjectWriter
  readonly #nodes: NodeBundler

  private constructor(placer: Placer, reader: SliceReader, objects: ObjectWriter) {
    this.#placer = placer
    this.#objects = objects
    this.#nodes = new NodeBundler(objects.store)
    this.reader = reader
    this.sink = this.#nodes
    this.keys = convergenceKeys(objects.settings.secret)
  }

  /** Throws E_NOT_ENOUGH_SERVERS where no server accepts shares. */
  static async open(
    placer: Placer,
    reader: SliceReader,
    options: TreeWriteOptions,
  ): Promise<TreeWriter> {
    const redundancy = await placer.redundancy(options)
    const { uploadBytesPerSecond: rate, account } = options
    const pacer = rate === undefined ? undefined : placer.pacer(rate)
    const how = { redundancy, settings: placer.settings(options, redundancy), pacer, account }
    return new TreeWriter(placer, reader, new ObjectWriter(placer, how, options))
  }

  /** Aborts when the caller does, and with the first object that could not be stored. */
  get signal(): AbortSignal {
    return this.#objects.signal
  }

  get redundancy(): Redundancy {
    return this.#objects.redundancy
  }

  /** Of what is stored so far. */
  get totals(): StoreTotals {
    return this.#objects.totals
  }

  /** Stores one file, by itself: in no bundle. Resolves once it is on enough servers. */
  async putContent(
    input: ContentInput,
    { compress = false, onStored }: PutContentOptions = {},
  ): Promise<FileContent & { sizeBytes: number }> {
    const { signal, settings } = this.#objects
    const isSmall = 'stream' in input && (input.sizeBytes ?? Infinity) <= smallInputBytes
    const context = {
      encoder: this.#placer.encoderFor(isSmall ? 0 : Infinity),
      settings: { ...settings, compress },
      place: this.#objects.place.bind(this.#objects),
      onStored,
    }
    const { content, sizeBytes, stored } = await uploadFile(context, input, { signal })
    await stored
    return { ...content, sizeBytes }
  }

  /**
   * Stores files, small ones together in bundles, and gives their contents in the order of the
   * inputs, each as soon as its objects have names. Memory does not grow with their number.
   */
  putMany<T>(
    files: AsyncIterable<ManyInput<T>> | Iterable<ManyInput<T>>,
    options: ManyOptions<T> = {},
  ): AsyncGenerator<ManyResult<T>> {
    return storeMany(this.#fileStoreParts, files, options)
  }

  /** As `putMany`, for whoever waits for each file by itself; to be ended before the writer is. */
  files<T>(options: FileStoreOptions<T> = {}): FileStore<T> {
    return new FileStore<T>(this.#fileStoreParts, options)
  }

  /** Ends the last bundle, and resolves when every object is on the disks of enough servers. */
  async finish(): Promise<void> {
    await this.#nodes.finish()
    await this.#objects.settle()
  }

  /** Gives up whatever is under way, and waits for it. */
  abort(reason: unknown): Promise<void> {
    return this.#objects.abort(reason)
  }

  get #fileStoreParts(): FileStoreParts {
    const objects = this.#objects
    return {
      settings: objects.settings,
      signal: this.signal,
      encoderFor: this.#placer.encoderFor.bind(this.#placer),
      begin: objects.begin.bind(objects),
      place: objects.place.bind(objects),
      stateOf: this.#placer.stateOf,
    }
  }
}
