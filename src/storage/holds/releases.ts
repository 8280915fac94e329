/**
 * Releases, carried out (docs/specs/holds.md, "Releases"). The journal is written first and the index
 * changed then: what is not recorded has not been released.
 */
import { equalBytes } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { Budget, within } from '../../base/limit.ts'
import type { ReleaseReply, SignedRelease } from '../hold-peer.ts'
import { applyRecord } from './apply-record.ts'
import type { AccountKey } from './credentials.ts'
import { accountHolder } from './held-object.ts'
import type { HoldLedger } from './hold-ledger.ts'
import { type JudgedRelease, judgeRelease } from './signed-release.ts'

export interface ReleasesOptions {
  ledger: HoldLedger
  /** Ed25519 public key of the server, by which releases may name it; undefined where none can. */
  serverKey: Uint8Array | undefined
  /** Throws E_REVOKED for a key whose revocation is known here, unless entry `seq` of it still counts. */
  checkRevoked: (key: AccountKey, seq: number | undefined) => Promise<void>
}

/** Objects that are looked at in one step: others get a turn between. */
const stepObjects = 2048

export class Releases {
  readonly #options: ReleasesOptions
  readonly #turn = new Budget(1)

  constructor(options: ReleasesOptions) {
    this.#options = options
  }

  /** As `release` of HoldPeer. */
  async carryOut(signed: SignedRelease): Promise<ReleaseReply> {
    const { ledger, serverKey, checkRevoked } = this.#options
    const judged = judgeRelease(signed)
    const { server } = judged.release
    if (server !== undefined && !(serverKey !== undefined && equalBytes(server, serverKey))) {
      throw new GridError('E_ENTRY', 'a release for another server')
    }
    await checkRevoked(judged.by, judged.seq)
    await ledger.begin()
    return within(this.#turn, 1, () => this.#release(judged))
  }

  async #release({ release, by }: JudgedRelease): Promise<ReleaseReply> {
    const { ledger } = this.#options
    const account = accountHolder(release.account)
    const { releaseSeq, storageIndexes } = release
    const reply = { changed: 0, kept: 0 }
    if (releaseSeq <= ledger.index.lastRelease(account, by.key)) return reply
    const atMs = ledger.now()
    // a cutoff to come would take away what is touched until then
    const cutoffMs = Math.min(release.cutoffMs, atMs)
    const head = { kind: 'released', atMs, account, author: by.key, releaseSeq, cutoffMs } as const
    await ledger.writeThen([{ ...head, storageIndexes }], async () => {
      for (let from = 0; from === 0 || from < storageIndexes.length; from += stepObjects) {
        const step = { ...head, storageIndexes: storageIndexes.slice(from, from + stepObjects) }
        const { changed, kept } = await ledger.index.change((writer) => applyRecord(writer, step))
        reply.changed += changed
        reply.kept += kept
      }
    })
    // the next touch of what was taken back is written, however short the time since the last
    if (cutoffMs === 0) ledger.doubt()
    return reply
  }
}
