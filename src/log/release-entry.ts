/** A release as an entry of its author's chain. */
import type { ChainWriter, WriteOptions } from './chain-writer.ts'
import type { AppendReport } from './quorum-append.ts'
import { formatRelease, type Release } from './release.ts'

/** What its author decides. */
export type NewRelease = Omit<Release, 'account' | 'releaseSeq'>

/**
 * Signs a release of holds of the log's account. Its number is that of the entry, so it ascends
 * whatever was read. Throws as `ChainWriter.append` does.
 */
export function appendRelease(
  writer: ChainWriter,
  release: NewRelease,
  options: WriteOptions,
): Promise<AppendReport> {
  const account = writer.view.logId
  return writer.append(
    'release',
    ({ seq }) => formatRelease({ ...release, account, releaseSeq: seq }),
    options,
  )
}
