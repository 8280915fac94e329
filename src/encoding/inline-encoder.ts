/** An Encoder on the caller's own thread: for small inputs, and where a seed must replay. */
import { GridError } from '../base/errors.ts'
import { maxExtentBytes } from './chunker.ts'
import { Codec, contentEncodedBytes } from './codec.ts'
import type { Coding } from './descriptor.ts'
import type {
  ContentOptions,
  CutExtent,
  DecodeOutcome,
  DecodeRequest,
  EncodedExtent,
  EncodedShares,
  Encoder,
  EncodeSettings,
  ExtentInput,
  Packed,
  RecodedShares,
  RecodeOptions,
} from './encoder.ts'
import type { ErasureCode } from './erasure-code.ts'
import type { FileReader } from './file-reader.ts'
import { encodedLength } from './object.ts'
import { asFileError, type PackInput } from './pack.ts'
import { sealedLength } from './seal.ts'

export class InlineEncoder implements Encoder {
  readonly #codec: Codec
  readonly #reader: FileReader | undefined

  /** @param reader - without it, it takes no open files */
  constructor(code: ErasureCode, reader?: FileReader) {
    this.#codec = new Codec(code, reader)
    this.#reader = reader
  }

  async cut(input: ExtentInput, settings: EncodeSettings): Promise<CutExtent | undefined> {
    const bytes = 'bytes' in input ? input.bytes : this.#read(input.fd, input.position)
    if (bytes.length === 0) return undefined
    const { length, tag } = this.#codec.cut(bytes, settings)
    return { plaintext: bytes.subarray(0, length), tag, release() {} }
  }

  async encode({ plaintext }: CutExtent, settings: EncodeSettings): Promise<EncodedExtent> {
    const { coding } = settings
    const room = contentEncodedBytes(sealedLength(plaintext.length), coding)
    const object = this.#codec.encodeExtent(plaintext, settings, new Uint8Array(room))
    return { ...object, coding, release() {} }
  }

  async content(
    sealed: Uint8Array,
    settings: EncodeSettings,
    { giveBack }: ContentOptions = {},
  ): Promise<EncodedShares> {
    const { coding } = settings
    const out = new Uint8Array(contentEncodedBytes(sealed.length, coding))
    const object = this.#codec.encodeContent(sealed, settings, out)
    giveBack?.(sealed.buffer as ArrayBuffer)
    return { ...object, coding, release() {} }
  }

  async pack(inputs: readonly PackInput[], settings: EncodeSettings): Promise<Packed> {
    const files = this.#codec.pack(inputs, settings)
    const own = files.map((file) =>
      file.kind === 'stream' ? { ...file, sealed: file.sealed.slice() } : file,
    )
    return { files: own, release() {} }
  }

  async recode(
    { root, k, n }: Coding & { root: Uint8Array },
    ciphertext: Uint8Array,
    { nonces = [] }: RecodeOptions = {},
  ): Promise<RecodedShares> {
    const coding = { k, n }
    const out = new Uint8Array(encodedLength(ciphertext.length, coding))
    const object = this.#codec.recode({ root, ...coding }, ciphertext, out, nonces)
    return { ...object, coding, release() {} }
  }

  async decode(request: DecodeRequest): Promise<DecodeOutcome> {
    return this.#codec.decode(request)
  }

  async close(): Promise<void> {}

  #read(fd: number, position: number): Uint8Array {
    if (this.#reader === undefined) throw new GridError('E_FILE', 'this encoder reads no files')
    const room = new Uint8Array(maxExtentBytes)
    try {
      return room.subarray(0, this.#reader.read(fd, position, room))
    } catch (error) {
      throw asFileError(error)
    }
  }
}
