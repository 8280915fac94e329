/**
 * What the admin chain of a log says: who may write what, and which servers keep it
 * (docs/specs/certificates.md). Pure state; servers and readers use the same.
 */
import { compareBytes, toHex } from '../base/bytes.ts'
import { type ErrorCode, GridError } from '../base/errors.ts'
import { type Certificate, hasRight, type RateLimits, readCertificate } from './certificate.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import type { EntryHeader, EntryKind } from './entry.ts'
import type { Genesis } from './genesis.ts'
import { type LogConfig, readConfigBody } from './log-config.ts'
import { maxChains } from './log-peer.ts'
import { readRelease } from './release.ts'
import { type Revocation, readRevocation } from './revocation.ts'

/** What the body of an admin's entry changes. */
export type RuleChange =
  | { kind: 'certificate'; certificate: Certificate; signed: Uint8Array }
  | { kind: 'revocation'; revocation: Revocation }
  | { kind: 'config'; config: LogConfig }
  | { kind: 'checkpoint'; checkpoint: Checkpoint }

export interface Refusal {
  code: ErrorCode
  reason: string
}

/** Entries whose bodies are needed to know the rules. */
export const ruleKinds: ReadonlySet<EntryKind> = new Set<EntryKind>([
  'certificate',
  'revocation',
  'config',
  'checkpoint',
])

/** What a server takes from the admin. */
const adminLimits: RateLimits = { bytesPer30Days: 2 ** 30, entriesPerDay: 1000 }

export class LogRules {
  readonly #logId: Uint8Array
  readonly #genesis: Genesis
  readonly #history: boolean
  /** By the hex of the author's key, here and below. */
  readonly #certificates = new Map<string, Certificate>()
  readonly #signed = new Map<string, Uint8Array>()
  readonly #revocations = new Map<string, Revocation>()
  readonly #configs: LogConfig[]
  readonly #checkpoints: Checkpoint[] = []
  #lastSerial = 0

  /**
   * @param options.history - whether checkpoints, earlier configs and signed certificates are kept, as readers need them;
   *   true unless told. A server does not, and whoever began the log could fill its memory.
   */
  constructor(logId: Uint8Array, genesis: Genesis, options: { history?: boolean } = {}) {
    this.#logId = logId
    this.#genesis = genesis
    this.#history = options.history ?? true
    this.#configs = [genesis.config]
  }

  /** The same rules, which change apart from these. */
  copy(): LogRules {
    const other = new LogRules(this.#logId, this.#genesis, { history: this.#history })
    for (const [key, certificate] of this.#certificates) other.#certificates.set(key, certificate)
    for (const [key, signed] of this.#signed) other.#signed.set(key, signed)
    for (const [key, revocation] of this.#revocations) other.#revocations.set(key, revocation)
    other.#configs.splice(0, Infinity, ...this.#configs)
    other.#checkpoints.push(...this.#checkpoints)
    other.#lastSerial = this.#lastSerial
    return other
  }

  get config(): LogConfig {
    return this.#configs[this.#configs.length - 1]
  }

  /** All there were, by epoch; the newest alone without history. */
  get configs(): readonly LogConfig[] {
    return this.#configs
  }

  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints
  }

  get certificates(): readonly Certificate[] {
    return [...this.#certificates.values()]
  }

  /** Serial of the newest certificate; 0 for none. */
  get lastSerial(): number {
    return this.#lastSerial
  }

  isAdmin(author: Uint8Array): boolean {
    return compareBytes(author, this.#genesis.adminKey) === 0
  }

  certificateOf(author: Uint8Array): Certificate | undefined {
    return this.#certificates.get(toHex(author))
  }

  /** The certificate of a key as it was signed, to be shown to others; kept with history only. */
  signedCertificateOf(author: Uint8Array): Uint8Array | undefined {
    return this.#signed.get(toHex(author))
  }

  revocationOf(author: Uint8Array): Revocation | undefined {
    return this.#revocations.get(toHex(author))
  }

  limitsOf(author: Uint8Array): RateLimits {
    if (this.isAdmin(author)) return adminLimits
    return this.certificateOf(author)?.limits ?? { bytesPer30Days: 0, entriesPerDay: 0 }
  }

  /** Why this author may not write this entry; undefined if it may. */
  refusalOf({ author, kind, seq }: EntryHeader): Refusal | undefined {
    const revocation = this.revocationOf(author)
    if (revocation !== undefined && seq > revocation.lastGoodSeq) {
      return {
        code: 'E_REVOKED',
        reason: `its author is revoked after entry ${revocation.lastGoodSeq}`,
      }
    }
    if (this.#mayWrite(author, kind)) return undefined
    return { code: 'E_CERTIFICATE', reason: `its author has no certificate for a ${kind}` }
  }

  /**
   * What `body` changes, if its kind is one of `ruleKinds`; undefined else. `body` must be the one
   * that the header names. Throws a GridError for a body that no admin may write.
   */
  readChange(kind: EntryKind, body: Uint8Array): RuleChange | undefined {
    switch (kind) {
      case 'certificate': {
        const certificate = readCertificate(body, this.#logId, this.#genesis.adminKey)
        this.#checkCertificate(certificate)
        return { kind, certificate, signed: body }
      }
      case 'revocation': {
        const revocation = readRevocation(body)
        if (this.isAdmin(revocation.author)) throw refused('E_ENTRY', 'the admin is not revoked')
        return { kind, revocation }
      }
      case 'config': {
        const config = readConfigBody(body)
        const next = this.config.epoch + 1
        if (config.epoch !== next)
          throw refused('E_ENTRY', `a config of another epoch than ${next}`)
        return { kind, config }
      }
      case 'checkpoint':
        return { kind, checkpoint: readCheckpoint(body) }
      case 'release':
        if (compareBytes(readRelease(body).account, this.#logId) === 0) return undefined
        throw refused('E_ENTRY', 'a release of another account')
      default:
        return undefined
    }
  }

  apply(change: RuleChange): void {
    switch (change.kind) {
      case 'certificate':
        this.#certificates.set(toHex(change.certificate.subject), change.certificate)
        if (this.#history)
          this.#signed.set(toHex(change.certificate.subject), change.signed.slice())
        this.#lastSerial = change.certificate.serial
        break
      case 'revocation':
        this.#revoke(change.revocation)
        break
      case 'config':
        if (!this.#history) this.#configs.length = 0
        this.#configs.push(change.config)
        break
      case 'checkpoint':
        if (this.#history) this.#checkpoints.push(change.checkpoint)
    }
  }

  #mayWrite(author: Uint8Array, kind: EntryKind): boolean {
    if (this.isAdmin(author)) return kind !== 'snapshot'
    const certificate = this.certificateOf(author)
    if (certificate === undefined) return false
    if (kind === 'snapshot') return hasRight(certificate, 'append')
    return kind === 'release' && hasRight(certificate, 'release')
  }

  #checkCertificate({ subject, serial, rightBits }: Certificate): void {
    const key = toHex(subject)
    const held = this.#certificates.get(key)?.rightBits ?? 0
    if ((held & ~rightBits) !== 0) {
      throw refused('E_CERTIFICATE', 'it takes a right away, as only a revocation may')
    }
    if (serial <= this.#lastSerial) throw refused('E_CERTIFICATE', 'its serial has been used')
    if (this.isAdmin(subject)) throw refused('E_CERTIFICATE', 'the admin needs none')
    if (this.#revocations.has(key)) throw refused('E_CERTIFICATE', 'its key has been revoked')
    if (!this.#certificates.has(key) && this.#certificates.size >= maxChains - 1) {
      throw refused('E_CERTIFICATE', 'too many keys')
    }
  }

  /** Of several revocations of a key the one that leaves least counts. */
  #revoke(revocation: Revocation): void {
    const key = toHex(revocation.author)
    const before = this.#revocations.get(key)
    if (before !== undefined && before.lastGoodSeq <= revocation.lastGoodSeq) return
    this.#revocations.set(key, revocation)
  }
}

function refused(code: ErrorCode, reason: string): GridError {
  return new GridError(code, reason)
}
