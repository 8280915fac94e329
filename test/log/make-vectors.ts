/**
 * Prints test/vectors/log.json: `node dist/test/log/make-vectors.js`. Cases are built here with
 * fixed seeds; what comes out of each is what docs/specs/log.md says, and another implementation
 * confirms.
 */
import '../../src/base/shim.ts'
import { concat, toHex, utf8 } from '../../src/base/bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../../src/base/cbor.ts'
import { publicKeyOfSeed, signMessage } from '../../src/base/ed25519.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { signCertificate } from '../../src/log/certificate.ts'
import { formatCheckpoint } from '../../src/log/checkpoint.ts'
import {
  bodyHashOf,
  type EntryHeader,
  entryIdOf,
  formatHeader,
  signHeader,
  skipOf,
} from '../../src/log/entry.ts'
import { createLog } from '../../src/log/log-admin.ts'
import { formatConfigBody } from '../../src/log/log-config.ts'
import { signReceipt } from '../../src/log/receipt.ts'
import { formatRelease } from '../../src/log/release.ts'
import { formatRevocation } from '../../src/log/revocation.ts'
import { type EntryJson, type LogOp, operations, type ReceiptJson } from './vector-operations.ts'

const nowMs = 1_704_067_200_000
const dayMs = 24 * 3600 * 1000
const seedOf = (name: string): Uint8Array => sha256(utf8(name))
const keyOf = (name: string): Uint8Array => publicKeyOfSeed(seedOf(name))
const hex = toHex
const servers = ['server 0', 'server 1', 'server 2', 'server 3'].map(keyOf)
const adminSeed = Uint8Array.from({ length: 32 }, (_, i) => i)
const { cap, keys, genesis } = createLog(adminSeed, { servers, profile: 'cdc', createdMs: nowMs })
const { logId } = cap
const limits = { bytesPer30Days: 2 ** 40, entriesPerDay: 96 }
const cborLimits = { depth: 16, items: 100_000, bytes: 2 ** 20 }

interface Case {
  id: string
  op: LogOp
  in: object
}
const cases: Case[] = []
const add = (op: Case['op'], id: string, given: object): void => {
  cases.push({ id: `${op.slice(4)}: ${id}`, op, in: given })
}

/** The value that `bytes` encode with the item at `path` replaced. */
function changed(bytes: Uint8Array, path: number[], value: CborValue): Uint8Array {
  const replace = (at: CborValue, [index, ...rest]: number[]): CborValue => {
    if (index === undefined) return value
    const items = [...(at as CborValue[])]
    items[index] = replace(items[index], rest)
    return items
  }
  return encodeCbor(replace(decodeCbor(bytes, cborLimits), path))
}

/** The encoding with its first small integer, a version of 1, written in two bytes. */
const longVersion = (bytes: Uint8Array): Uint8Array =>
  concat(bytes.subarray(0, 1), Uint8Array.of(0x18, 1), bytes.subarray(2))

add('log-keys', 'of an admin seed', { adminSeed: hex(adminSeed) })

add('log-genesis', 'four servers', { bytes: hex(genesis), logId: hex(logId) })
add('log-genesis', 'of another log', { bytes: hex(genesis), logId: hex(seedOf('x')) })
const genesisFaults: [string, Uint8Array][] = [
  ['version 2', changed(genesis, [0], 2)],
  ['suite 2', changed(genesis, [1], 2)],
  ['a short reader key', changed(genesis, [3], new Uint8Array(1215))],
  ['an unknown profile', changed(genesis, [5, 0], 2)],
  ['a config of epoch 1', changed(genesis, [5, 2, 0], 1)],
  ['no servers', changed(genesis, [5, 2, 1], [])],
  ['servers out of order', changed(genesis, [5, 2, 1], [keyOf('server 0'), keyOf('server 0')])],
]
for (const [id, bytes] of genesisFaults) add('log-genesis', id, { bytes: hex(bytes) })
add('log-genesis', 'a long integer', { bytes: hex(longVersion(genesis)) })

const statement = {
  logId,
  subject: keyOf('laptop'),
  rightBits: 11,
  limits,
  label: 'laptop',
  serial: 1,
}
const certificate = signCertificate(statement, keys.signSeed)
const issued = { logId: hex(logId), adminKey: hex(keys.adminKey) }
add('log-certificate', 'append, put and renew', {
  bytes: hex(certificate),
  ...issued,
  seed: hex(keys.signSeed),
})
add('log-certificate', 'all rights, no label, no limits to speak of', {
  bytes: hex(
    signCertificate(
      {
        ...statement,
        rightBits: 31,
        label: '',
        limits: { bytesPer30Days: 2 ** 53 - 1, entriesPerDay: 0 },
      },
      keys.signSeed,
    ),
  ),
  ...issued,
})
const resigned = (path: number[], value: CborValue): Uint8Array => {
  const body = changed(certificate.subarray(64), path, value)
  return concat(signMessage(keys.signSeed, concat(utf8('grid/v1/cert'), body)), body)
}
const certificateFaults: [string, Uint8Array][] = [
  ['signed by the subject', signCertificate(statement, seedOf('laptop'))],
  ['of another log', signCertificate({ ...statement, logId: seedOf('x') }, keys.signSeed)],
  ['no right', resigned([3], 0)],
  ['an unknown right', resigned([3], 33)],
  ['serial 0', resigned([6], 0)],
  ['a label with an escape', resigned([5], '\u001b[2J')],
  ['a label of 65 characters', resigned([5], 'l'.repeat(65))],
  ['a negative limit', resigned([4, 0], -1)],
  ['cut short', certificate.subarray(0, -1)],
  [
    'a signature over the statement alone',
    concat(signMessage(keys.signSeed, certificate.subarray(64)), certificate.subarray(64)),
  ],
]
for (const [id, bytes] of certificateFaults) {
  add('log-certificate', id, { bytes: hex(bytes), ...issued })
}

/** A chain under way: the ids so far, and the next entry. */
class Maker {
  readonly ids: Uint8Array[] = [logId]
  readonly seed: Uint8Array
  readonly author: Uint8Array

  constructor(seed: Uint8Array) {
    this.seed = seed
    this.author = publicKeyOfSeed(seed)
  }

  header(
    kind: EntryHeader['kind'],
    body: Uint8Array,
    other: Partial<EntryHeader> = {},
  ): Uint8Array {
    const seq = other.seq ?? this.ids.length
    return formatHeader({
      logId,
      author: this.author,
      seq,
      prev: this.ids[seq - 1] ?? logId,
      skip: this.ids[skipOf(seq)] ?? logId,
      acks: [],
      clientMs: nowMs,
      kind,
      bodyHash: bodyHashOf(body),
      bodyBytes: body.length,
      ...other,
    })
  }

  /** An entry that is not gone on from. */
  entry(kind: EntryHeader['kind'], body: Uint8Array, other: Partial<EntryHeader> = {}): EntryJson {
    const header = this.header(kind, body, other)
    const signature = signHeader(header, this.seed)
    return { header: hex(header), signature: hex(signature), body: hex(body), nowMs }
  }

  next(kind: EntryHeader['kind'], body: Uint8Array, other: Partial<EntryHeader> = {}): EntryJson {
    const entry = this.entry(kind, body, other)
    this.ids.push(entryIdOf(Uint8Array.from(Buffer.from(entry.header, 'hex'))))
    return entry
  }
}

const body = utf8('sealed, for all that anybody here can tell')
const laptop = new Maker(seedOf('laptop'))
const ack = { authorPrefix: keys.adminKey.slice(0, 8), seq: 1, id: seedOf('an entry') }
const first = laptop.next('snapshot', body, { acks: [ack] })
const header = Uint8Array.from(Buffer.from(first.header, 'hex'))
add('log-header', 'the first of a chain, with an ack', {
  header: first.header,
  signature: first.signature,
  seed: hex(seedOf('laptop')),
})
for (let i = 2; i <= 5; i++) laptop.next('snapshot', body)
const sixth = laptop.next('snapshot', body)
add('log-header', 'the sixth, whose skip is the fourth', {
  header: sixth.header,
  signature: sixth.signature,
  seed: hex(seedOf('laptop')),
})
const signedHeader = (bytes: Uint8Array) => ({
  header: hex(bytes),
  signature: hex(signHeader(bytes, seedOf('laptop'))),
})
const ackValue = (byte: number): CborValue => [new Uint8Array(8).fill(byte), 1, logId]
const headerFaults: [string, Uint8Array][] = [
  ['version 2', changed(header, [0], 2)],
  ['suite 2', changed(header, [1], 2)],
  ['seq 0', changed(header, [4], 0)],
  ['kind 0', changed(header, [9], 0)],
  ['kind 7', changed(header, [9], 7)],
  ['a snapshot of 65,537 bytes', changed(header, [11], 65_537)],
  ['a release of 1,048,577 bytes', changed(changed(header, [9], 5), [11], 1_048_577)],
  ['acks out of order', changed(header, [7], [ackValue(2), ackValue(1)])],
  ['an ack twice', changed(header, [7], [ackValue(1), ackValue(1)])],
  ['an ack of its own chain', changed(header, [7], [[keyOf('laptop').slice(0, 8), 1, logId]])],
  [
    '65 acks',
    changed(
      header,
      [7],
      Array.from({ length: 65 }, (_, i) => ackValue(i)),
    ),
  ],
  ['a prev of 31 bytes', changed(header, [5], new Uint8Array(31))],
  ['13 fields', encodeCbor([...(decodeCbor(header, cborLimits) as CborValue[]), 0])],
  ['a long integer', longVersion(header)],
  ['cut short', header.subarray(0, -1)],
]
for (const [id, bytes] of headerFaults) add('log-header', id, signedHeader(bytes))
add('log-header', 'signed by another', {
  ...signedHeader(header),
  signature: hex(signHeader(header, seedOf('x'))),
})
add('log-header', 'signed without the prefix', {
  header: hex(header),
  signature: hex(signMessage(seedOf('laptop'), header)),
})
add('log-header', 'a signature of 63 bytes', {
  header: hex(header),
  signature: first.signature.slice(2),
})
add('log-header', 'an author of small order, who signs anything', {
  header: hex(
    changed(
      header,
      [3],
      Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0)),
    ),
  ),
  signature: '01' + '00'.repeat(63),
})

add('log-seal', 'to readers', { header: first.header, role: 'reader' })
add('log-seal', 'to verifiers', { header: sixth.header, role: 'verifier' })
add('log-skip', 'by clearing the lowest bit', {
  seqs: [1, 2, 3, 4, 5, 6, 7, 8, 12, 1024, 1025, 2 ** 40 + 2 ** 20],
})
for (let n = 1; n <= 12; n++) add('log-quorum', `${n} servers`, { n })

const id = entryIdOf(header)
const receiptBy = (name: string, of: Uint8Array = id, late = false): ReceiptJson => {
  const nodeKey = { seed: seedOf(name), publicKey: keyOf(name) }
  const { node, receivedMs, signature } = signReceipt(
    { logId, id: of },
    { receivedMs: nowMs, late },
    nodeKey,
  )
  return { node: hex(node), receivedMs, late, signature: hex(signature) }
}
const subject = { logId: hex(logId), id: hex(id) }
const receipt = receiptBy('server 0')
add('log-receipt', 'in time', { ...subject, ...receipt, seed: hex(seedOf('server 0')) })
add('log-receipt', 'late', {
  ...subject,
  ...receiptBy('server 0', id, true),
  seed: hex(seedOf('server 0')),
})
add('log-receipt', 'late said to be in time', {
  ...subject,
  ...receiptBy('server 0', id, true),
  late: false,
})
add('log-receipt', 'of another time', { ...subject, ...receipt, receivedMs: nowMs + 1 })
add('log-receipt', 'of another entry', { ...subject, ...receipt, id: hex(seedOf('x')) })
add('log-receipt', 'of another log', { ...subject, ...receipt, logId: hex(seedOf('x')) })
add('log-receipt', 'of another server', { ...subject, ...receipt, node: hex(keyOf('server 1')) })
add('log-receipt', 'a short key', { ...subject, ...receipt, node: '00' })

const config = formatConfigBody({ epoch: 1, servers: [keyOf('server 3')] })
add('log-body', 'a config', { kind: 'config', bytes: hex(config) })
add('log-body', 'a config of 33 servers', {
  kind: 'config',
  bytes: hex(
    changed(
      config,
      [1, 1],
      Array.from({ length: 33 }, (_, i) => new Uint8Array(32).fill(i)),
    ),
  ),
})
const revocation = formatRevocation({ author: keyOf('laptop'), lastGoodSeq: 1, lastGoodId: id })
add('log-body', 'a revocation', { kind: 'revocation', bytes: hex(revocation) })
add('log-body', 'a revocation of nobody', {
  kind: 'revocation',
  bytes: hex(changed(revocation, [1], new Uint8Array(0))),
})
const checkpoint = formatCheckpoint({
  heads: [{ author: keyOf('laptop'), seq: 1, id }],
  tested: [{ id, testedMs: nowMs }],
})
add('log-body', 'a checkpoint', { kind: 'checkpoint', bytes: hex(checkpoint) })
add('log-body', 'a checkpoint of a head of seq 0', {
  kind: 'checkpoint',
  bytes: hex(changed(checkpoint, [1, 0, 1], 0)),
})
const release = formatRelease({
  account: logId,
  server: keyOf('server 0'),
  releaseSeq: 1,
  cutoffMs: nowMs,
  storageIndexes: [seedOf('object').slice(0, 20)],
})
add('log-body', 'a release at one server', { kind: 'release', bytes: hex(release) })
add('log-body', 'a release at all', {
  kind: 'release',
  bytes: hex(changed(release, [2], new Uint8Array(0))),
})
add('log-body', 'a release at half a server', {
  kind: 'release',
  bytes: hex(changed(release, [2], new Uint8Array(16))),
})
add('log-body', 'a release of a storage index of 19 bytes', {
  kind: 'release',
  bytes: hex(changed(release, [5, 0], new Uint8Array(19))),
})

/** An admin who certifies the laptop, and the laptop. */
const cast = (): { admin: Maker; certified: EntryJson; device: Maker } => {
  const admin = new Maker(keys.signSeed)
  const certified = admin.next('certificate', certificate)
  return { admin, certified, device: new Maker(seedOf('laptop')) }
}
const accept = (name: string, entries: EntryJson[], other: object = {}): void =>
  add('log-accept', name, { genesis: hex(genesis), ...other, entries })

{
  const { certified, device } = cast()
  const entries = [1, 2, 3, 4].map(() => device.next('snapshot', body))
  accept('a chain, and all of it again', [certified, ...entries, ...entries])
}
{
  const { certified, device } = cast()
  accept('before its certificate', [
    device.entry('snapshot', body),
    certified,
    device.next('snapshot', body),
  ])
}
{
  const { certified, device } = cast()
  device.next('snapshot', body)
  accept('a gap', [certified, device.entry('snapshot', body)])
}
{
  const { certified, device } = cast()
  const entry = device.next('snapshot', body)
  const other = device.entry('snapshot', body, { seq: 1, clientMs: 1 })
  accept('a fork, and one that only says so', [
    certified,
    entry,
    other,
    { ...other, signature: '00'.repeat(64) },
  ])
}
{
  const { certified, device } = cast()
  const entry = device.next('snapshot', body)
  const second = device.next('snapshot', body)
  const wrong = [{ prev: seedOf('x') }, { skip: device.ids[1] }]
  const third = new Maker(seedOf('laptop'))
  third.ids.push(device.ids[1])
  accept('links that lead elsewhere', [
    certified,
    entry,
    ...wrong.map((links) => third.entry('snapshot', body, links)),
    second,
  ])
}
{
  const { admin, certified, device } = cast()
  accept('who may write what', [
    certified,
    admin.entry('snapshot', body),
    device.entry('checkpoint', checkpoint),
    device.entry('release', release),
    new Maker(seedOf('stranger')).entry('snapshot', body),
  ])
}
{
  const { certified, device } = cast()
  const whole = device.entry('snapshot', body)
  const bare = { header: whole.header, signature: whole.signature, nowMs }
  accept('a body that is missing or another', [certified, bare, { ...bare, body: '00' }])
}
{
  const { admin, certified, device } = cast()
  const entry = device.next('snapshot', body)
  const revoked = admin.next(
    'revocation',
    formatRevocation({ author: keyOf('laptop'), lastGoodSeq: 1, lastGoodId: device.ids[1] }),
  )
  const renewed = signCertificate({ ...statement, serial: 2 }, keys.signSeed)
  accept('after a revocation', [
    certified,
    revoked,
    entry,
    device.next('snapshot', body),
    admin.entry('certificate', renewed),
  ])
}
{
  const admin = new Maker(keys.signSeed)
  const strict = { bytesPer30Days: 2 ** 40, entriesPerDay: 1 }
  const certified = admin.next(
    'certificate',
    signCertificate({ ...statement, limits: strict }, keys.signSeed),
  )
  const device = new Maker(seedOf('laptop'))
  const [one, two, three] = [1, 2, 3].map(() => device.next('snapshot', body))
  const vouched = (names: string[]) => names.map((name) => receiptBy(name, device.ids[2]))
  accept('limits, and late entries', [
    certified,
    one,
    two,
    { ...two, receipts: vouched(['server 0']) },
    { ...two, receipts: vouched(['server 0', 'server 0']) },
    { ...two, receipts: vouched(['server 0', 'stranger']) },
    { ...two, receipts: vouched(['server 0', 'server 1']) },
    { ...three, nowMs: nowMs + dayMs - 1 },
    { ...three, nowMs: nowMs + dayMs },
  ])
}
{
  const { admin, certified } = cast()
  const later = (serial: number, rightBits: number) =>
    admin.entry('certificate', signCertificate({ ...statement, serial, rightBits }, keys.signSeed))
  accept('certificates after one another', [certified, later(1, 11), later(2, 1), later(2, 15)])
}
{
  const { admin, certified, device } = cast()
  const skipped = admin.entry(
    'config',
    formatConfigBody({ epoch: 2, servers: [keyOf('server 3')] }),
  )
  const entry = device.next('snapshot', body)
  accept(
    'at a server that a config replaces',
    [
      certified,
      skipped,
      entry,
      admin.next('config', config),
      device.next('snapshot', body),
      admin.next('checkpoint', checkpoint),
    ],
    { serverKey: hex(keyOf('server 0')) },
  )
}
{
  const { certified } = cast()
  const foreign = new Maker(seedOf('laptop'))
  accept('an entry of another log', [
    certified,
    foreign.entry('snapshot', body, { logId: seedOf('x') }),
  ])
}

const made = cases.map(({ id: name, op, in: given }) => {
  try {
    return { id: name, op, in: given, out: operations[op](given as never) }
  } catch (error) {
    if (!isGridError(error)) throw error
    return { id: name, op, in: given, error: error.code }
  }
})
const file = { format: 'grid-vectors/1', suite: 1, spec: 'docs/specs/log.md', cases: made }
process.stdout.write(`${JSON.stringify(file, undefined, 1)}\n`)
