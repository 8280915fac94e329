/** Whether a release is what it says, and its author may (docs/specs/holds.md, "Releases"). */
import { equalBytes } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { checkBody, isSigned, readHeader } from '../../log/entry.ts'
import { logIdOf } from '../../log/genesis.ts'
import { readRelease, type Release } from '../../log/release.ts'
import type { SignedRelease } from '../hold-peer.ts'
import { type AccountKey, mayDo, readAccountKey } from './credentials.ts'

export interface JudgedRelease {
  release: Release
  by: AccountKey
  /** Number of the entry in its author's chain. */
  seq: number
}

/** @throws E_ENTRY, E_GENESIS, E_CERTIFICATE, E_SIGNATURE */
export function judgeRelease(signed: SignedRelease): JudgedRelease {
  const entry = readHeader(signed)
  const { fields } = entry
  if (fields.kind !== 'release') throw new GridError('E_ENTRY', 'the entry is no release')
  const logId = logIdOf(signed.genesis)
  if (!equalBytes(fields.logId, logId)) {
    throw new GridError('E_ENTRY', 'the entry is of another log than the genesis')
  }
  const by = readAccountKey(signed.genesis, signed.certificate, fields.author)
  if (!mayDo(by, 'release')) throw new GridError('E_CERTIFICATE', 'no right to release')
  if (!isSigned(entry)) throw new GridError('E_SIGNATURE', 'its author has not signed the entry')
  checkBody(fields, signed.body)
  const release = readRelease(signed.body)
  if (!equalBytes(release.account, logId)) {
    throw new GridError('E_ENTRY', 'a release of what another account holds')
  }
  return { release, by, seq: fields.seq }
}
