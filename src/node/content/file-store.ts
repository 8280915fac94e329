/**
 * Stores files one after the other: small ones end to end in bundles, large ones each by itself
 * (docs/specs/encoding.md, "Bundles"). What becomes of each is told as soon as it is known.
 */
import { setMaxListeners } from 'node:events'
import { Bell } from '../../base/bell.ts'
import { Budget } from '../../base/limit.ts'
import type { EncodedShares, Encoder, EncodeSettings } from '../../encoding/encoder.ts'
import { maxBundledBytes } from '../../encoding/file-stream.ts'
import type { FileState } from '../../encoding/file-reader.ts'
import { FileSlot, type SlotInput } from './file-slot.ts'
import type { ExtentUnderWay, FileInput } from './file-upload.ts'
import { type FindKnown, RecentTags } from './known-stream.ts'
import { storeLargeFile } from './large-file.ts'
import { SmallFiles, type SmallFilesContext } from './small-files.ts'
import { beginningOf } from './stream-beginning.ts'
import type { NamedFile, TaggedStream } from './stored-file.ts'

export interface FileToStore<T> extends SlotInput<T> {
  input: FileInput & { sizeBytes?: number }
}

export interface FileStoreOptions<T = unknown> {
  /** Compresses where that pays; off unless told. */
  compress?: boolean
  /** Streams that are stored: asked once for each small file, and for each extent of a large one. */
  known?: FindKnown
  /** Called when extent number `index` of a large file is stored; in any order, and again from 0 where the file changed. */
  onExtent?: (item: T, index: number, extent: TaggedStream) => void
}

/** What files are stored with. */
export interface FileStoreParts {
  settings: EncodeSettings
  signal: AbortSignal
  encoderFor: (bytes: number) => Encoder
  begin: SmallFilesContext['begin']
  place: (shares: EncodedShares, plaintextBytes: number) => Promise<void>
  stateOf: (fd: number) => FileState
}

/** Large files that are stored at once. */
const maxFiles = 4
/** Extents that equal ones are looked for among. */
const maxRecent = 32_768

export class FileStore<T> {
  readonly #parts: FileStoreParts
  readonly #options: FileStoreOptions<T>
  readonly #small: SmallFiles
  readonly #files = new Budget(maxFiles)
  readonly #recent = new RecentTags<ExtentUnderWay>(maxRecent)
  readonly #settings: EncodeSettings
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #running = new Set<Promise<void>>()
  readonly #settled = new Bell()
  readonly #events = {
    settled: () => this.#settled.ring(),
    isLarge: (slot: FileSlot<T>) => this.#run(slot),
  }

  constructor(parts: FileStoreParts, options: FileStoreOptions<T>) {
    this.#parts = parts
    this.#options = options
    this.#signal = AbortSignal.any([parts.signal, this.#stop.signal])
    // every job that waits for its turn listens to it
    setMaxListeners(0, this.#signal)
    this.#settings = { ...parts.settings, compress: options.compress ?? false, tagged: true }
    const { encoderFor, begin } = parts
    const [settings, signal, known] = [this.#settings, this.#signal, options.known]
    this.#small = new SmallFiles({ settings, signal, encoderFor, begin, known })
  }

  /**
   * Takes a file as soon as there is room for it. Its slot is settled once all objects of its content have
   * names: of a small file not before its bundle is full, or ended. It fails with E_FILE for a file that
   * cannot be read.
   */
  async add({ input, ...file }: FileToStore<T>): Promise<FileSlot<T>> {
    const slot = new FileSlot(file, input, this.#events)
    try {
      this.#signal.throwIfAborted()
      if (await this.#isSmall(slot)) await this.#small.add(slot)
      else this.#run(slot, await this.#files.take(1, { signal: this.#signal }))
      return slot
    } catch (error) {
      slot.close()
      throw error
    }
  }

  /** Resolves when the next slot is settled; rejects when everything is given up. */
  async settled(): Promise<void> {
    await this.#settled.next({ signal: this.#signal })
  }

  /** Starts on storing all small files so far. */
  endBundle(): Promise<void> {
    return this.#small.endBundle()
  }

  /** Gives up what is under way, and waits for it; nothing is, when all went well. */
  async end(): Promise<void> {
    this.#stop.abort(new Error('the sequence of files was given up'))
    await this.#small.idle()
    await Promise.allSettled(this.#running)
  }

  /** Whether a file is small, as it is now; a stream has to be read for it. */
  async #isSmall(slot: FileSlot<T>): Promise<boolean> {
    const { source } = slot
    if ('fd' in source) {
      slot.input = { fd: source.fd }
      slot.sizeBytes = source.sizeBytes
      return source.sizeBytes <= maxBundledBytes
    }
    const read = await beginningOf(source.stream, maxBundledBytes)
    if (!(read instanceof Uint8Array)) {
      slot.source = read
      return false
    }
    slot.input = { bytes: read }
    slot.sizeBytes = read.length
    return true
  }

  #run(slot: FileSlot<T>, leave?: () => void): void {
    const running = this.#storeLarge(slot)
      .finally(() => {
        this.#running.delete(running)
        leave?.()
        slot.close()
      })
      .then(
        (result) => slot.done(result),
        (error: unknown) => slot.fail(error),
      )
    this.#running.add(running)
  }

  #storeLarge({ item, source, storedExtents }: FileSlot<T>): Promise<NamedFile> {
    const { encoderFor, place, stateOf } = this.#parts
    const { known, onExtent } = this.#options
    const context = {
      encoder: encoderFor(Infinity),
      settings: this.#settings,
      place,
      stateOf,
      known,
      recent: this.#recent,
      onExtent:
        onExtent && ((index: number, extent: TaggedStream) => onExtent(item, index, extent)),
      storedExtents,
    }
    return storeLargeFile(context, source, { signal: this.#signal })
  }
}
