/** A pruner: it signs releases into a chain of its own, and can read nothing (docs/specs/certificates.md, "Rights"). */
import { ChainWriter, type ChainWriterOptions, type WriteOptions } from './chain-writer.ts'
import type { AppendReport } from './quorum-append.ts'
import { appendRelease, type NewRelease } from './release-entry.ts'

export class Pruner {
  readonly writer: ChainWriter

  /** @param writer - of the chain whose seed the LOG-Prune cap holds */
  constructor(writer: ChainWriter) {
    this.writer = writer
  }

  /** Throws as `ChainWriter.open` does. */
  static async open(options: ChainWriterOptions, write: WriteOptions = {}): Promise<Pruner> {
    return new Pruner(await ChainWriter.open(options, write))
  }

  /**
   * Signs a release of holds of this log's account. What may be released is not decided here.
   * Throws as `ChainWriter.append` does; E_CERTIFICATE without the right RELEASE.
   */
  release(release: NewRelease, options: WriteOptions = {}): Promise<AppendReport> {
    return appendRelease(this.writer, release, options)
  }
}
