/**
 * The files of a run: their content, and what must come of it. Equal content under one secret gives
 * equal objects and one cap, whichever client puts it, so both can be worked out beforehand.
 */
import { formatCap } from '../../src/caps/text.ts'
import { storageIndexOf } from '../../src/encoding/descriptor.ts'
import type { Encoder } from '../../src/encoding/encoder.ts'
import { capOfContent } from '../../src/node/content/file-content.ts'
import { uploadFile } from '../../src/node/content/file-upload.ts'
import type { Redundancy } from '../../src/node/placement/placement.ts'
import type { StorageIndex } from '../../src/storage/peer.ts'
import type { SimRandom } from './sim-random.ts'

export interface SimFile {
  readonly bytes: Uint8Array
  readonly cap: string
  /** Of every object that it is made of. */
  readonly storageIndexes: readonly StorageIndex[]
  /** Set once a put of it has failed. */
  failed: boolean
}

export interface CatalogueOptions {
  random: SimRandom
  encoder: Encoder
  secret: Uint8Array
  redundancy: Redundancy
}

export class Catalogue {
  readonly #options: CatalogueOptions
  readonly #files = new Map<number, Promise<SimFile>>()

  constructor(options: CatalogueOptions) {
    this.#options = options
  }

  file(number: number, fileBytes: number): Promise<SimFile> {
    let file = this.#files.get(number)
    if (file === undefined) {
      file = this.#make(this.#options.random.fork(`file ${number}`).bytes(fileBytes))
      this.#files.set(number, file)
    }
    return file
  }

  async #make(bytes: Uint8Array): Promise<SimFile> {
    const { encoder, secret, redundancy } = this.#options
    const storageIndexes: StorageIndex[] = []
    const { content } = await uploadFile(
      {
        encoder,
        settings: { secret, coding: redundancy, profile: 'cdc' },
        place: async (object) => {
          storageIndexes.push(storageIndexOf(object.root))
          return { holders: new Map(), sentBytes: 0, hadBytes: 0, verdicts: [] }
        },
      },
      { stream: [bytes.slice()] },
    )
    return { bytes, cap: formatCap(capOfContent(content)), storageIndexes, failed: false }
  }
}
