/**
 * Releases, carried out (docs/specs/holds.md, "Releases"). The journal is written first and the index
 * changed then: what is not recorded has not been released.
 */
import { equalBytes, toHex } from '../../base/bytes.ts'
import { GridError } from '../../base/errors.ts'
import { Budget, within } from '../../base/limit.ts'
import type { ReleaseReply, SignedRelease } from '../hold-peer.ts'
import type { StorageIndex } from '../request.ts'
import { afterRelease, applyRecord } from './apply-record.ts'
import type { AccountKey } from './credentials.ts'
import { accountHolder, holdOf } from './held-object.ts'
import type { HoldLedger } from './hold-ledger.ts'
import type { HoldRecord } from './hold-record.ts'
import { type JudgedRelease, judgeRelease } from './signed-release.ts'

export interface ReleasesOptions {
  ledger: HoldLedger
  /** Ed25519 public key of the server, by which releases may name it; undefined where none can. */
  serverKey: Uint8Array | undefined
  /** Throws E_REVOKED for a key whose revocation is known here, unless entry `seq` of it still counts. */
  checkRevoked: (key: AccountKey, seq: number | undefined) => Promise<void>
}

/** Objects that are looked at, or changed, in one step: others get a turn between. */
const stepObjects = 512

type ReleasedRecord = Extract<HoldRecord, { kind: 'released' }>

export class Releases {
  readonly #options: ReleasesOptions
  readonly #turn = new Budget(1)

  constructor(options: ReleasesOptions) {
    this.#options = options
  }

  /** As `release` of HoldPeer. One is read at a time: it takes much more memory than its bytes. */
  async carryOut(
    signed: SignedRelease,
    options: { signal?: AbortSignal } = {},
  ): Promise<ReleaseReply> {
    return within(this.#turn, 1, () => this.#judge(signed), options)
  }

  async #judge(signed: SignedRelease): Promise<ReleaseReply> {
    const { ledger, serverKey, checkRevoked } = this.#options
    const judged = judgeRelease(signed)
    const { server } = judged.release
    if (server !== undefined && !(serverKey !== undefined && equalBytes(server, serverKey))) {
      throw new GridError('E_ENTRY', 'a release for another server')
    }
    await checkRevoked(judged.by, judged.seq)
    await ledger.begin()
    return this.#release(judged)
  }

  async #release({ release, by }: JudgedRelease): Promise<ReleaseReply> {
    const { ledger } = this.#options
    const account = accountHolder(release.account)
    const { releaseSeq } = release
    if (releaseSeq <= ledger.index.lastRelease(account, by.key)) return { changed: 0, kept: 0 }
    const atMs = ledger.now()
    // a cutoff to come would take away what is touched until then
    const cutoffMs = Math.min(release.cutoffMs, atMs)
    const head = { kind: 'released', atMs, account, author: by.key, releaseSeq, cutoffMs } as const
    const reply = { changed: 0, kept: 0 }
    const asked = { ...head, storageIndexes: release.storageIndexes }
    const storageIndexes = await this.#changedBy(asked, reply)
    // what it holds later is touched later: of one that holds nothing no release need be remembered
    if (ledger.index.totals(account).objectCount === 0) return reply
    // what ends nothing waits until there is room, as touches do
    if (cutoffMs === 0 && storageIndexes.length > 0 && !(await ledger.hasRoom())) {
      throw new GridError('E_FULL', 'no space left for holds')
    }
    const record = { ...head, storageIndexes }
    await ledger.writeThen([record], () => this.#change(record, reply))
    // the next touch of what was taken back is written, however short the time since the last
    if (cutoffMs === 0) ledger.doubt()
    return reply
  }

  /**
   * Of what a release names, the objects whose holds it ends or brings back, as they are now: the journal
   * is for these alone, each once, or whoever holds little could fill the disk with it. What it leaves is
   * counted in `reply`.
   */
  async #changedBy(record: ReleasedRecord, reply: ReleaseReply): Promise<StorageIndex[]> {
    const { ledger } = this.#options
    const changed = new Map<string, StorageIndex>()
    for (const [i, storageIndex] of record.storageIndexes.entries()) {
      if (i > 0 && i % stepObjects === 0) await ledger.pause()
      const object = ledger.index.object(storageIndex)
      const hold = object && holdOf(object, record.account)
      if (hold === undefined) continue
      const made = afterRelease(hold, record)
      if (made === 'kept') reply.kept++
      else if (made.releasedMs > 0 !== hold.releasedMs > 0)
        changed.set(toHex(storageIndex), storageIndex)
    }
    return [...changed.values()]
  }

  /** Its number counts with the last step: until then it is carried out again if it is asked for again. */
  async #change(record: ReleasedRecord, reply: ReleaseReply): Promise<void> {
    const { ledger } = this.#options
    const { storageIndexes, releaseSeq } = record
    for (let from = 0; from === 0 || from < storageIndexes.length; from += stepObjects) {
      if (from > 0) await ledger.pause()
      const end = from + stepObjects
      const step = {
        ...record,
        storageIndexes: storageIndexes.slice(from, end),
        releaseSeq: end < storageIndexes.length ? 0 : releaseSeq,
      }
      const { changed, kept } = await ledger.index.change((writer) => applyRecord(writer, step))
      reply.changed += changed
      reply.kept += kept
    }
  }
}
