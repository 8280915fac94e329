/** An Encoder on the caller's own thread: for small inputs, and where a seed must replay. */
import { GridError } from '../base/errors.ts'
import { maxExtentBytes } from './chunker.ts'
import { Codec, contentEncodedBytes } from './codec.ts'
import type {
  DecodeOutcome,
  DecodeRequest,
  EncodedShares,
  Encoder,
  EncodeSettings,
  ExtentInput,
  ExtentJob,
} from './encoder.ts'
import type { ErasureCode } from './erasure-code.ts'
import { sealedLength } from './seal.ts'

/** Reads up to `length` bytes of an open file; fewer only at its end. Throws what the system says. */
export type FileReader = (fd: number, position: number, length: number) => Uint8Array

export class InlineEncoder implements Encoder {
  readonly #codec: Codec
  readonly #readFile: FileReader | undefined

  constructor(code: ErasureCode, readFile?: FileReader) {
    this.#codec = new Codec(code)
    this.#readFile = readFile
  }

  async extent(input: ExtentInput, settings: EncodeSettings): Promise<ExtentJob> {
    const bytes = 'bytes' in input ? input.bytes : this.#read(input.fd, input.position)
    if (bytes.length === 0) return { cut: Promise.resolve(0), encoded: Promise.resolve(undefined) }
    const length = this.#codec.cut(bytes, settings.secret, settings.profile)
    const room = contentEncodedBytes(sealedLength(length), settings.coding)
    const plaintext = bytes.subarray(0, length)
    const { readKey, ...object } = this.#codec.encodeExtent(
      plaintext,
      settings,
      new Uint8Array(room),
    )
    const { coding } = settings
    return {
      cut: Promise.resolve(length),
      encoded: Promise.resolve({
        ...object,
        readKey,
        coding,
        plaintextBytes: length,
        release() {},
      }),
    }
  }

  async content(sealed: Uint8Array, settings: EncodeSettings): Promise<EncodedShares> {
    const out = new Uint8Array(contentEncodedBytes(sealed.length, settings.coding))
    return {
      ...this.#codec.encodeContent(sealed, settings, out),
      coding: settings.coding,
      release() {},
    }
  }

  async decode(request: DecodeRequest): Promise<DecodeOutcome> {
    return this.#codec.decode(request)
  }

  async close(): Promise<void> {}

  #read(fd: number, position: number): Uint8Array {
    if (this.#readFile === undefined) throw new GridError('E_FILE', 'this encoder reads no files')
    return this.#readFile(fd, position, maxExtentBytes)
  }
}
