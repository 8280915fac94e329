/**
 * The log of a run of keeping, in one place that never fails: which snapshots were committed, and the
 * releases, signed as they are in a real chain. That logs keep their word is asked elsewhere (../logs).
 */
import { compareBytes } from '../../../src/base/bytes.ts'
import { type Right, rights, signCertificate } from '../../../src/log/certificate.ts'
import { bodyHashOf, entryIdOf, formatHeader, signHeader, skipOf } from '../../../src/log/entry.ts'
import { formatRelease } from '../../../src/log/release.ts'
import type { SignedRelease } from '../../../src/storage/hold-peer.ts'
import { SimLog } from '../logs/sim-log.ts'

export interface KeptSnapshot {
  readonly device: number
  /** Its place in the device's chain. */
  readonly seq: number
  /** By the wall clock of honest servers. */
  readonly receivedMs: number
  /** Numbers of all objects that it is made of. */
  readonly objects: ReadonlySet<number>
}

export interface LoggedRelease {
  /** Ascending among releases, from 1. */
  readonly releaseSeq: number
  readonly cutoffMs: number
  readonly indexes: readonly Uint8Array[]
  readonly signed: SignedRelease
}

/** The chain of the pruner is numbered as one more device. */
export const prunerNumber = 8

export class KeepLog {
  readonly log: SimLog
  readonly snapshots: KeptSnapshot[] = []
  readonly releases: LoggedRelease[] = []
  readonly #certificates = new Map<number, Uint8Array>()
  #ids: Uint8Array[]

  constructor(servers: number) {
    this.log = new SimLog(servers, Math.min(servers, 4))
    this.#ids = [this.log.logId]
  }

  get account(): Uint8Array {
    return this.log.logId
  }

  /** What the admin lets a device do, or the pruner. */
  certificateOf(device: number): Uint8Array {
    const known = this.#certificates.get(device)
    if (known !== undefined) return known
    const granted: Right[] = device === prunerNumber ? ['release', 'renew'] : ['append', 'put']
    const made = signCertificate(
      {
        logId: this.account,
        subject: this.log.deviceKey(device),
        rightBits: granted.reduce((bits, right) => bits | rights[right], 0),
        limits: { bytesPer30Days: 2 ** 40, entriesPerDay: 1000 },
        label: `device ${device}`,
        serial: device + 1,
      },
      this.log.keys.signSeed,
    )
    this.#certificates.set(device, made)
    return made
  }

  newestOf(device: number): KeptSnapshot | undefined {
    return this.snapshots.findLast((each) => each.device === device)
  }

  commit(device: number, objects: ReadonlySet<number>, receivedMs: number): KeptSnapshot {
    const seq = (this.newestOf(device)?.seq ?? 0) + 1
    const snapshot = { device, seq, objects, receivedMs }
    this.snapshots.push(snapshot)
    return snapshot
  }

  /** Appends a release to the pruner's chain. */
  release(cutoffMs: number, indexes: readonly Uint8Array[], clientMs: number): LoggedRelease {
    const releaseSeq = this.releases.length + 1
    const sorted = [...indexes].sort(compareBytes)
    const numbers = { releaseSeq, cutoffMs, clientMs }
    const signed = this.signedRelease(prunerNumber, numbers, sorted)
    this.#ids.push(entryIdOf(signed.header))
    const logged = { releaseSeq, cutoffMs, indexes: sorted, signed }
    this.releases.push(logged)
    return logged
  }

  /** A release as `device` signs it, whether it may or not. */
  signedRelease(
    device: number,
    { releaseSeq, cutoffMs, clientMs }: { releaseSeq: number; cutoffMs: number; clientMs: number },
    indexes: readonly Uint8Array[],
  ): SignedRelease {
    const { genesis, logId } = this.log
    const body = formatRelease({
      ...{
        account: logId,
        server: undefined,
        releaseSeq,
        cutoffMs,
        storageIndexes: [...indexes].sort(compareBytes),
      },
    })
    const seq = this.#ids.length
    const header = formatHeader({
      ...{ logId, author: this.log.deviceKey(device), seq },
      ...{ prev: this.#ids[seq - 1], skip: this.#ids[skipOf(seq)] },
      ...{ acks: [], clientMs, kind: 'release' },
      ...{ bodyHash: bodyHashOf(body), bodyBytes: body.length },
    })
    const signature = signHeader(header, this.log.deviceSeed(device))
    return { header, signature, genesis, certificate: this.certificateOf(device), body }
  }
}
