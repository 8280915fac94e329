/** A device: it adds snapshots to its own chain, and reads none, not even its own (docs/specs/log.md, "Snapshot"). */
import type { Random } from '../base/random.ts'
import { ChainWriter, type ChainWriterOptions, type WriteOptions } from './chain-writer.ts'
import type { AppendReport } from './quorum-append.ts'
import { sealBody } from './sealed-body.ts'
import {
  formatSnapshot,
  formatSnapshotCheck,
  type Snapshot,
  type SnapshotCheck,
} from './snapshot-body.ts'

export class Device {
  readonly writer: ChainWriter
  readonly #random: Random

  /** @param writer - of the chain whose seed the LOG-Append cap holds */
  constructor(writer: ChainWriter, random: Random) {
    this.writer = writer
    this.#random = random
  }

  /** Throws as `ChainWriter.open` does. */
  static async open(
    options: ChainWriterOptions & { random: Random },
    write: WriteOptions = {},
  ): Promise<Device> {
    return new Device(await ChainWriter.open(options, write), options.random)
  }

  /**
   * Appends a snapshot, sealed to reader and verifier apart. Throws as `ChainWriter.append` does.
   * The objects it refers to must be stored already.
   */
  append(
    snapshot: Snapshot,
    check: SnapshotCheck,
    options: WriteOptions = {},
  ): Promise<AppendReport> {
    const { readerKey, verifierKey } = this.writer.view.genesis
    const keys = { reader: readerKey, verifier: verifierKey }
    const plaintexts = { reader: formatSnapshot(snapshot), verifier: formatSnapshotCheck(check) }
    const bodyOf = (place: Parameters<typeof sealBody>[0]): Uint8Array =>
      sealBody(place, keys, plaintexts, this.#random)
    return this.writer.append('snapshot', bodyOf, options)
  }
}
