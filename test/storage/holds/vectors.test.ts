import { describe, it } from 'mocha'
import { fromHex, toHex } from '../../../src/base/bytes.ts'
import { publicKeyOfSeed, signMessage } from '../../../src/base/ed25519.ts'
import { authMessage } from '../../../src/storage/holds/credentials.ts'
import {
  formatRecord,
  type HoldRecord,
  readRecord,
} from '../../../src/storage/holds/hold-record.ts'
import { checkVector, type Operations, readVectors } from '../../vectors/read.ts'

type Row = [storageIndex: string, chargedBytes: number, touchedMs: number, expiresMs: number]

/** A record as vectors give it: bytes in hex, no payer as null, holds as rows. */
interface ShownRecord {
  kind: HoldRecord['kind']
  atMs: number
  holder: string
  payer: string | null
  holds: Row[]
  account: string
  author: string
  releaseSeq: number
  cutoffMs: number
  storageIndexes: string[]
}

function recordOf(shown: ShownRecord): HoldRecord {
  const { kind, atMs, holder, payer, account, releaseSeq, cutoffMs } = shown
  const storageIndexes = (shown.storageIndexes ?? []).map(fromHex)
  switch (kind) {
    case 'held': {
      const holds = shown.holds.map(([storageIndex, chargedBytes, touchedMs, expiresMs]) => ({
        ...{ storageIndex: fromHex(storageIndex), chargedBytes, touchedMs, expiresMs },
      }))
      return { kind, atMs, holder, payer: payer ?? undefined, holds }
    }
    case 'released': {
      const author = fromHex(shown.author)
      return { kind, atMs, account, author, releaseSeq, cutoffMs, storageIndexes }
    }
    case 'gone':
      return { kind, atMs, storageIndexes }
    case 'closed':
      return { kind, atMs }
  }
}

function shownOf(record: HoldRecord): unknown {
  switch (record.kind) {
    case 'held': {
      const holds = record.holds.map(({ storageIndex, chargedBytes, touchedMs, expiresMs }) => [
        ...[toHex(storageIndex), chargedBytes, touchedMs, expiresMs],
      ])
      return { ...record, payer: record.payer ?? null, holds }
    }
    case 'released':
      return {
        ...record,
        author: toHex(record.author),
        storageIndexes: record.storageIndexes.map(toHex),
      }
    case 'gone':
      return { ...record, storageIndexes: record.storageIndexes.map(toHex) }
    case 'closed':
      return record
  }
}

const operations: Operations = {
  'hold-record-write': (given: { record: ShownRecord; segment: string; offset: number }) =>
    toHex(formatRecord(recordOf(given.record), given.segment, given.offset)),
  'hold-record-read': (given: { segment: string; offset: number; bytes: string }) => {
    const found = readRecord(fromHex(given.bytes), given.segment, given.offset)
    return found === undefined ? null : { ...found, record: shownOf(found.record) }
  },
  enter: (given: {
    server: string
    client: string
    nonce: string
    logId: string
    seed: string
  }) => {
    const { server, client, nonce, logId } = given
    const seed = fromHex(given.seed)
    const message = authMessage({ server, client, nonce: fromHex(nonce) }, fromHex(logId))
    return {
      message: toHex(message),
      key: toHex(publicKeyOfSeed(seed)),
      signature: toHex(signMessage(seed, message)),
    }
  },
}

describe('vectors of holds', () => {
  for (const vector of readVectors('holds')) {
    it(vector.id, () => checkVector(vector, operations))
  }
})
