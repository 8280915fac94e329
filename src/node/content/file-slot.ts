/** The place of one file in a sequence, from when it is taken until its result is handed out. */
import type { PackInput } from '../../encoding/pack.ts'
import type { FileInput } from './file-upload.ts'
import type { SmallFile } from './small-files.ts'
import type { NamedFile, TaggedStream } from './stored-file.ts'

export interface SlotInput<T> {
  item: T
  close?: () => void
  storedExtents?: readonly TaggedStream[]
}

export interface SlotEvents<T> {
  /** A slot has its result. */
  settled: () => void
  /** What was taken for a small file is a large one. */
  isLarge: (slot: FileSlot<T>) => void
}

/** One object for each file that waits, since thousands do. */
export class FileSlot<T> implements SmallFile {
  readonly item: T
  readonly storedExtents: readonly TaggedStream[] | undefined
  /** What is left to be read. */
  source: FileInput
  input: PackInput = nothing
  sizeBytes = 0
  result: NamedFile | undefined
  failure: { error: unknown } | undefined
  #close: (() => void) | undefined
  readonly #events: SlotEvents<T>

  constructor(
    { item, close, storedExtents }: SlotInput<T>,
    source: FileInput,
    events: SlotEvents<T>,
  ) {
    this.item = item
    this.storedExtents = storedExtents
    this.source = source
    this.#close = close
    this.#events = events
  }

  get isSettled(): boolean {
    return this.result !== undefined || this.failure !== undefined
  }

  /** Closes the input, once. */
  close(): void {
    const close = this.#close
    this.#close = undefined
    this.input = nothing
    close?.()
  }

  done(result: NamedFile): void {
    this.result = result
    this.#events.settled()
  }

  fail(error: unknown): void {
    this.failure = { error }
    this.#events.settled()
  }

  isLarge(): void {
    this.#events.isLarge(this)
  }
}

const nothing: PackInput = { bytes: new Uint8Array(0) }
