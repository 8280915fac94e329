/** What is done for each op of test/vectors/log.json, in plain data. */
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { readCertificate, signCertificate } from '../../src/log/certificate.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { entryIdOf, isSigned, readHeader, signHeader, skipOf } from '../../src/log/entry.ts'
import { logIdOf, readGenesis } from '../../src/log/genesis.ts'
import { maxLiars, quorumOf, readConfigBody } from '../../src/log/log-config.ts'
import { LogState } from '../../src/log/log-state.ts'
import { isReceiptFor, type Receipt, signReceipt } from '../../src/log/receipt.ts'
import { readRelease } from '../../src/log/release.ts'
import { readRevocation } from '../../src/log/revocation.ts'
import { sealContextOf } from '../../src/log/sealed-body.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { logKemSeedOf } from '../../src/caps/keys.ts'
import { logKeysOf } from '../../src/log/log-keys.ts'
import { type Bulk, bytesOf, shown } from '../vectors/read.ts'

export interface ReceiptJson {
  node: string
  receivedMs: number
  late: boolean
  signature: string
}

export interface EntryJson {
  header: string
  signature: string
  body?: string
  receipts?: ReceiptJson[]
  /** Wall time of the server. */
  nowMs: number
}

const bodyReaders = {
  config: readConfigBody,
  revocation: readRevocation,
  checkpoint: readCheckpoint,
  release: readRelease,
}

/** Byte strings as hex, all the way down; what is undefined as null. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.length > 256 ? shown(value) : toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value ?? null
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]))
}

function receiptOf({ node, receivedMs, late, signature }: ReceiptJson): Receipt {
  return { node: fromHex(node), receivedMs, late, signature: fromHex(signature) }
}

export type LogOp =
  | 'log-keys'
  | 'log-genesis'
  | 'log-certificate'
  | 'log-header'
  | 'log-skip'
  | 'log-quorum'
  | 'log-receipt'
  | 'log-body'
  | 'log-seal'
  | 'log-accept'

export const operations: Readonly<Record<LogOp, (given: never) => unknown>> = {
  'log-keys': ({ adminSeed }: { adminSeed: string }) => {
    const { signSeed, adminKey, readSeed, verifySeed, convergenceSecret } = logKeysOf(
      fromHex(adminSeed),
    )
    const kem = { readerKem: logKemSeedOf(readSeed), verifierKem: logKemSeedOf(verifySeed) }
    return plain({ signSeed, adminKey, readSeed, verifySeed, convergenceSecret, ...kem })
  },

  'log-genesis': (given: { bytes: Bulk; logId?: string }) => {
    const bytes = bytesOf(given.bytes)
    const logId = logIdOf(bytes)
    const genesis = readGenesis(bytes, given.logId === undefined ? logId : fromHex(given.logId))
    return { ...(plain(genesis) as object), logId: toHex(logId) }
  },

  'log-certificate': (given: { bytes: string; logId: string; adminKey: string; seed?: string }) => {
    const { bytes, logId, adminKey, seed } = given
    const certificate = readCertificate(fromHex(bytes), fromHex(logId), fromHex(adminKey))
    if (seed === undefined) return plain(certificate)
    const again = toHex(signCertificate(certificate, fromHex(seed)))
    if (again !== bytes) throw new Error('signed otherwise')
    return plain(certificate)
  },

  'log-header': ({
    header,
    signature,
    seed,
  }: {
    header: string
    signature: string
    seed?: string
  }) => {
    const bytes = fromHex(header)
    const entry = readHeader({ header: bytes, signature: fromHex(signature) })
    if (seed !== undefined && toHex(signHeader(bytes, fromHex(seed))) !== signature) {
      throw new Error('signed otherwise')
    }
    const fields = plain(entry.fields) as object
    return { fields, id: toHex(entryIdOf(bytes)), valid: isSigned(entry) }
  },

  'log-skip': ({ seqs }: { seqs: number[] }) => seqs.map(skipOf),

  'log-quorum': ({ n }: { n: number }) => ({ f: maxLiars(n), q: quorumOf(n) }),

  'log-receipt': (given: ReceiptJson & { logId: string; id: string; seed?: string }) => {
    const subject = { logId: fromHex(given.logId), id: fromHex(given.id) }
    if (given.seed !== undefined) {
      const seed = fromHex(given.seed)
      const signed = signReceipt(subject, given, { seed, publicKey: publicKeyOfSeed(seed) })
      if (toHex(signed.signature) !== given.signature) throw new Error('signed otherwise')
    }
    return { valid: isReceiptFor(subject, receiptOf(given)) }
  },

  'log-body': ({ kind, bytes }: { kind: keyof typeof bodyReaders; bytes: string }) =>
    plain(bodyReaders[kind](fromHex(bytes))),

  'log-seal': ({ header, role }: { header: string; role: 'reader' | 'verifier' }) => {
    const { fields } = readHeader({ header: fromHex(header), signature: new Uint8Array(64) })
    return plain(sealContextOf(fields, role))
  },

  'log-accept': (given: { genesis: string; serverKey?: string; entries: EntryJson[] }) => {
    const genesis = fromHex(given.genesis)
    const key = given.serverKey === undefined ? undefined : fromHex(given.serverKey)
    const state = new LogState(logIdOf(genesis), genesis, key)
    return given.entries.map(({ header, signature, body, receipts = [], nowMs }) => {
      const entry = {
        header: fromHex(header),
        signature: fromHex(signature),
        body: body === undefined ? undefined : fromHex(body),
        receipts: receipts.map(receiptOf),
      }
      const found = state.check(entry, nowMs)
      if (found.outcome === 'refused') return found.code
      if (found.outcome !== 'take') return found.outcome
      state.take(found.entry, entry.body, { receivedMs: nowMs, late: found.late })
      return found.late ? 'stored late' : 'stored'
    })
  },
}
