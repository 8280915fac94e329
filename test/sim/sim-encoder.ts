/**
 * The encoder of a simulated grid. It keeps what it has encoded, since every client puts the same
 * few files, and it spoils the memory that is given back to it, as the next job of a worker would:
 * whoever still sends from there is found out.
 */
import { toHex } from '../../src/base/bytes.ts'
import type { Coding } from '../../src/encoding/descriptor.ts'
import type {
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
} from '../../src/encoding/encoder.ts'
import type { PackInput } from '../../src/encoding/pack.ts'

const spoilt = 0xdb

export class SimEncoder implements Encoder {
  readonly #encoder: Encoder
  readonly #extents: Map<string, EncodedExtent>

  /** @param extents - what was encoded, to be shared with other encoders of a run */
  constructor(
    encoder: Encoder,
    extents: Map<string, EncodedExtent> = new Map<string, EncodedExtent>(),
  ) {
    this.#encoder = encoder
    this.#extents = extents
  }

  async cut(input: ExtentInput, settings: EncodeSettings): Promise<CutExtent | undefined> {
    const extent = await this.#encoder.cut(input, settings)
    if (extent === undefined) return undefined
    const plaintext = extent.plaintext.slice()
    return { ...extent, plaintext, release: () => void plaintext.fill(spoilt) }
  }

  async encode(extent: CutExtent, settings: EncodeSettings): Promise<EncodedExtent> {
    const name = nameOf(extent, settings)
    const encoded = this.#extents.get(name) ?? (await this.#encoder.encode(extent, settings))
    this.#extents.set(name, encoded)
    extent.release()
    return lent(encoded)
  }

  pack(inputs: readonly PackInput[], settings: EncodeSettings): Promise<Packed> {
    return this.#encoder.pack(inputs, settings)
  }

  async content(sealed: Uint8Array, settings: EncodeSettings): Promise<EncodedShares> {
    return lent(await this.#encoder.content(sealed, settings))
  }

  async recode(
    object: Coding & { root: Uint8Array },
    ciphertext: Uint8Array,
    options: RecodeOptions = {},
  ): Promise<RecodedShares> {
    const recoded = await this.#encoder.recode(object, ciphertext, options)
    return lent(recoded)
  }

  decode(request: DecodeRequest): Promise<DecodeOutcome> {
    return this.#encoder.decode(request)
  }

  async close(): Promise<void> {}
}

/** A copy for one borrower. */
function lent<Shares extends EncodedShares>(original: Shares): Shares {
  const shares = original.shares.map((share) => share.slice())
  const release = (reusable: boolean): void => {
    if (reusable) for (const share of shares) share.fill(spoilt)
  }
  return { ...original, shares, release }
}

/** Without a tag the content of a run's files is random, so a piece of it tells them apart. */
function nameOf(
  { plaintext, tag }: CutExtent,
  { secret, coding, compress }: EncodeSettings,
): string {
  const parts = [secret.subarray(0, 8), tag ?? plaintext.subarray(0, 32)].map(toHex)
  return [...parts, plaintext.length, coding.k, coding.n, compress].join()
}
