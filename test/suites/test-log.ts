/** Logs for tests: an admin, devices, and the entries that they write, right or wrong. */
import { compareBytes, utf8 } from '../../src/base/bytes.ts'
import { publicKeyOfSeed, signMessage } from '../../src/base/ed25519.ts'
import { sha256 } from '../../src/base/hash.ts'
import { type RateLimits, rights, signCertificate } from '../../src/log/certificate.ts'
import {
  bodyHashOf,
  type EntryHeader,
  entryIdOf,
  formatHeader,
  signHeader,
  skipOf,
} from '../../src/log/entry.ts'
import { formatGenesis, logIdOf } from '../../src/log/genesis.ts'
import { formatConfigBody } from '../../src/log/log-config.ts'
import { type LogKeys, logKeysOf } from '../../src/log/log-keys.ts'
import type { AppendRequest, HandedEntry, ReadLogRequest } from '../../src/log/log-peer.ts'
import { minReadBytes } from '../../src/log/log-peer.ts'
import { formatRevocation } from '../../src/log/revocation.ts'

/** An entry with what a test wants to know of it. */
export interface TestEntry extends HandedEntry {
  readonly body: Uint8Array
  readonly fields: EntryHeader
  readonly id: Uint8Array
}

const manyLimits: RateLimits = { bytesPer30Days: 2 ** 40, entriesPerDay: 100_000 }

/** Writes a chain. */
export class TestAuthor {
  readonly key: Uint8Array
  /** What it has written, one after the other. */
  readonly entries: TestEntry[] = []
  readonly #seed: Uint8Array
  readonly #logId: Uint8Array

  constructor(seed: Uint8Array, logId: Uint8Array) {
    this.#seed = seed
    this.key = publicKeyOfSeed(seed)
    this.#logId = logId
  }

  sign(message: Uint8Array): Uint8Array {
    return signMessage(this.#seed, message)
  }

  /** The next entry. */
  write(kind: EntryHeader['kind'], body: Uint8Array): TestEntry {
    const entry = this.make({ kind }, body)
    this.entries.push(entry)
    return entry
  }

  /** A snapshot whose body nobody can open. */
  snapshot(bodyBytes = 200): TestEntry {
    return this.write('snapshot', new Uint8Array(bodyBytes).fill(this.entries.length))
  }

  /** An entry that is not kept here: the next one, but for `fields`. */
  make(fields: Partial<EntryHeader>, body: Uint8Array = utf8('a body')): TestEntry {
    const seq = fields.seq ?? this.entries.length + 1
    const header: EntryHeader = {
      logId: this.#logId,
      author: this.key,
      seq,
      prev: this.#idAt(seq - 1),
      skip: this.#idAt(skipOf(seq)),
      acks: [],
      clientMs: 1_700_000_000_000 + seq,
      kind: 'snapshot',
      bodyHash: bodyHashOf(body),
      bodyBytes: body.length,
      ...fields,
    }
    const bytes = formatHeader(header)
    const signature = signHeader(bytes, this.#seed)
    return { header: bytes, signature, body, receipts: [], fields: header, id: entryIdOf(bytes) }
  }

  #idAt(seq: number): Uint8Array {
    return seq === 0 ? this.#logId : (this.entries[seq - 1]?.id ?? sha256(utf8('no such entry')))
  }
}

const keysOf = new Map<string, LogKeys>()

/** A log, with an admin's chain that is empty at first; the same one for the same name. */
export class TestLog {
  readonly genesis: Uint8Array
  readonly logId: Uint8Array
  readonly admin: TestAuthor
  readonly #name: string
  readonly #signSeed: Uint8Array
  #serial = 0

  /** @param servers - public keys of its config, ascending */
  constructor(name = 'log', servers: readonly Uint8Array[] = [sha256(utf8('a server'))]) {
    const keys = keysOf.get(name) ?? logKeysOf(sha256(utf8(name)))
    keysOf.set(name, keys)
    const { adminKey, readerKey, verifierKey, signSeed } = keys
    this.genesis = formatGenesis({
      ...{ adminKey, readerKey, verifierKey, profile: 'cdc', convergenceEpoch: 0 },
      config: { epoch: 0, servers: [...servers].sort(compareBytes) },
      createdMs: 1_700_000_000_000,
    })
    this.#name = name
    this.#signSeed = signSeed
    this.logId = logIdOf(this.genesis)
    this.admin = new TestAuthor(signSeed, this.logId)
  }

  /** A device without a certificate. */
  stranger(name: string): TestAuthor {
    return new TestAuthor(sha256(utf8(`${this.#name} ${name}`)), this.logId)
  }

  /** A device whose certificate is the next entry of the admin. */
  device(
    name: string,
    limits: RateLimits = manyLimits,
    rightBits: number = rights.append,
  ): TestAuthor {
    const device = this.stranger(name)
    this.admin.write('certificate', this.certificateFor(device.key, limits, rightBits))
    return device
  }

  certificateFor(
    subject: Uint8Array,
    limits: RateLimits = manyLimits,
    rightBits: number = rights.append,
  ): Uint8Array {
    const { logId } = this
    const serial = ++this.#serial
    return signCertificate(
      { logId, subject, rightBits, limits, label: 'a device', serial },
      this.#signSeed,
    )
  }

  /** Ends a device after entry `lastGoodSeq`. */
  revoke({ key, entries }: TestAuthor, lastGoodSeq: number): TestEntry {
    const lastGoodId = entries[lastGoodSeq - 1]?.id ?? this.logId
    return this.admin.write(
      'revocation',
      formatRevocation({ author: key, lastGoodSeq, lastGoodId }),
    )
  }

  configure(epoch: number, servers: readonly Uint8Array[]): TestEntry {
    return this.admin.write('config', formatConfigBody({ epoch, servers }))
  }

  /** An append of these, with the genesis. */
  append(...entries: readonly HandedEntry[]): AppendRequest {
    return { logId: this.logId, genesis: this.genesis, entries }
  }

  /** A read of everything, but for `changes`. */
  read(changes: Partial<ReadLogRequest> = {}): ReadLogRequest {
    return {
      logId: this.logId,
      ...{ genesis: true, ranges: [], others: true, bodies: 'all', receipts: true },
      maxBytes: minReadBytes,
      ...changes,
    }
  }
}
