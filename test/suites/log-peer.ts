/** What every LogPeer must do (src/log/log-peer.ts): the same for one in memory, on a disk and over the wire. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { signMessage } from '../../src/base/ed25519.ts'
import { type ErrorCode, isGridError } from '../../src/base/errors.ts'
import {
  bodyHashOf,
  type EntryHeader,
  entryIdOf,
  formatHeader,
  readHeader,
  signHeader,
  skipOf,
} from '../../src/log/entry.ts'
import { signCertificate } from '../../src/log/certificate.ts'
import { forkProofOf } from '../../src/log/conclusion.ts'
import {
  type AppendVerdict,
  type HandedEntry,
  type LogPeer,
  maxAppendEntries,
  maxForkEvidence,
  maxHandedReceipts,
  minReadBytes,
  type ReadLogRequest,
} from '../../src/log/log-peer.ts'
import { isReceiptFor, type Receipt } from '../../src/log/receipt.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { keyOf, plenty, seedOf, World } from '../log/world.ts'

/** A peer under test. Its wall clock may be any, as long as a day does not end within a test. */
export interface LogPeerStand {
  peer: LogPeer
  close(): Promise<void>
}

const world = new World(4)
const { logId, log } = world
const { genesis } = log

/** Makes a chain's entries, whatever a server says. */
class Author {
  readonly ids: Uint8Array[] = [logId]
  readonly seed: Uint8Array
  readonly key: Uint8Array

  constructor(seed: Uint8Array, key: Uint8Array) {
    this.seed = seed
    this.key = key
  }

  entry(body: Uint8Array, other: Partial<EntryHeader> = {}): HandedEntry {
    const seq = other.seq ?? this.ids.length
    const header = formatHeader({
      logId,
      author: this.key,
      seq,
      prev: this.ids[seq - 1],
      skip: this.ids[skipOf(seq)],
      acks: [],
      clientMs: 1,
      kind: 'snapshot',
      bodyHash: bodyHashOf(body),
      bodyBytes: body.length,
      ...other,
    })
    return { header, signature: signHeader(header, this.seed), body, receipts: [] }
  }

  next(body: Uint8Array, other: Partial<EntryHeader> = {}): HandedEntry {
    const entry = this.entry(body, other)
    this.ids.push(entryIdOf(entry.header))
    return entry
  }
}

const whole: ReadLogRequest = {
  logId,
  genesis: true,
  ranges: [],
  others: true,
  bodies: 'all',
  receipts: true,
  maxBytes: minReadBytes,
}
const refusedAs = (code: ErrorCode) => (error: unknown) => isGridError(error, code)
const outcomes = (verdicts: AppendVerdict[]): string[] =>
  verdicts.map((verdict) => (verdict.outcome === 'refused' ? verdict.code : verdict.outcome))

export function logPeerSuite(name: string, open: () => Promise<LogPeerStand>): void {
  describe(`${name} as a log peer`, () => {
    let stand: LogPeerStand
    let admin: Author
    let device: Author

    const append = async (...entries: HandedEntry[]): Promise<AppendVerdict[]> => {
      const { verdicts } = await stand.peer.appendEntries({ logId, genesis: undefined, entries })
      return verdicts
    }

    const certificateOf = (who: string, serial: number): HandedEntry => {
      const statement = { logId, subject: keyOf(who), rightBits: 11, limits: plenty, label: who }
      const body = signCertificate({ ...statement, serial }, log.keys.signSeed)
      return admin.next(body, { kind: 'certificate' })
    }

    beforeEach(async () => {
      stand = await open()
      admin = new Author(log.keys.signSeed, log.keys.adminKey)
      device = new Author(seedOf('laptop'), keyOf('laptop'))
    })

    afterEach(() => stand.close())

    async function found(): Promise<void> {
      const entries = [certificateOf('laptop', 1)]
      const { verdicts } = await stand.peer.appendEntries({ logId, genesis, entries })
      assert.deepEqual(outcomes(verdicts), ['stored'])
    }

    it('knows no log before it is given its genesis, and takes no other', async () => {
      await assert.rejects(stand.peer.readLog(whole), refusedAs('E_ABSENT'))
      await assert.rejects(append(), refusedAs('E_ABSENT'))
      const wrong = { logId: seedOf('x'), genesis, entries: [] }
      await assert.rejects(stand.peer.appendEntries(wrong), refusedAs('E_GENESIS'))
      await stand.peer.appendEntries({ logId, genesis, entries: [] })
      await stand.peer.appendEntries({ logId, genesis, entries: [] })
      const reply = await stand.peer.readLog(whole)
      assert.deepEqual(reply, { genesis, heads: [], entries: [], forks: [], complete: true })
    })

    it('gives back what it took, the admin first, with receipts that hold', async () => {
      await found()
      const taken = [device.next(utf8('one')), device.next(utf8('two'))]
      const verdicts = await append(...taken)
      assert.deepEqual(outcomes(verdicts), ['stored', 'stored'])
      const { heads, entries, complete } = await stand.peer.readLog(whole)
      assert.deepEqual(
        heads.map(({ seq }) => seq),
        [1, 2],
      )
      assert.deepEqual(heads[1], { author: keyOf('laptop'), seq: 2, id: device.ids[2] })
      assert.ok(complete)
      assert.deepEqual(
        entries
          .slice(1)
          .map(({ header, signature, body }) => ({ header, signature, body, receipts: [] })),
        taken,
      )
      for (const [i, entry] of entries.slice(1).entries()) {
        const receipt = entry.receipt!
        assert.ok(isReceiptFor({ logId, id: device.ids[i + 1] }, receipt))
        assert.equal(peerIdOf(receipt.node), stand.peer.id)
        assert.equal(receipt.late, false)
        const verdict = verdicts[i]
        assert.ok('receipt' in verdict)
        assert.deepEqual(verdict.receipt, receipt)
      }
    })

    it('has what it has, with the same receipt, and in the same order', async () => {
      await found()
      const entry = device.next(utf8('one'))
      const [stored] = await append(entry)
      const [had] = await append(entry)
      assert.ok('receipt' in stored && 'receipt' in had)
      assert.equal(had.outcome, 'had')
      assert.deepEqual(had.receipt, stored.receipt)
      assert.equal((await stand.peer.readLog(whole)).entries.length, 2)
    })

    it('stops at the first entry that it does not take', async () => {
      await found()
      const [one, two, three] = [1, 2, 3].map((i) => device.next(utf8(`${i}`)))
      assert.deepEqual(await append(three, one), [{ outcome: 'gap', headSeq: 0 }])
      assert.deepEqual(outcomes(await append(one, three, two)), ['stored', 'gap'])
      const forged = { ...two, signature: signMessage(seedOf('x'), two.header) }
      assert.deepEqual(outcomes(await append(forged, two)), ['E_SIGNATURE'])
      assert.deepEqual(outcomes(await append(one, two, three)), ['had', 'stored', 'stored'])
    })

    it('keeps both of a fork, at most eight of a chain, and changes nothing', async () => {
      await found()
      const entry = device.next(utf8('one'))
      await append(entry)
      for (let i = 0; i < maxForkEvidence + 2; i++) {
        const other = device.entry(utf8('one'), { seq: 1, clientMs: 100 + i })
        for (let twice = 0; twice < 2; twice++) {
          const [verdict] = await append(other)
          assert.ok(verdict.outcome === 'conflict')
          assert.deepEqual(verdict.held.header, entry.header)
          assert.deepEqual(verdict.held.signature, entry.signature)
        }
      }
      const { forks, entries, heads } = await stand.peer.readLog(whole)
      assert.equal(forks.length, maxForkEvidence)
      assert.ok(forks.every(({ held, other }) => forkProofOf(held, other) !== undefined))
      assert.equal(entries.length, 2)
      assert.deepEqual(heads[1].id, device.ids[1])
    })

    it('answers ranges, bodies and receipts as asked', async () => {
      await found()
      await append(...[1, 2, 3, 4, 5].map((i) => device.next(utf8(`${i}`))))
      const author = keyOf('laptop')
      const bare = { ...whole, genesis: false, receipts: false }
      const seqs = async (request: Partial<ReadLogRequest>): Promise<number[]> => {
        const { entries } = await stand.peer.readLog({ ...bare, ...request })
        return entries.map((entry) => readHeader(entry).fields.seq)
      }
      const range = (firstSeq: number, lastSeq: number) => ({
        ranges: [{ author, firstSeq, lastSeq }],
        others: false,
      })
      assert.deepEqual(await seqs(range(2, 3)), [2, 3])
      assert.deepEqual(await seqs(range(5, 9)), [5])
      assert.deepEqual(await seqs(range(6, 9)), [])
      assert.deepEqual(await seqs(range(3, 2)), [])
      assert.deepEqual(await seqs({ ...range(5, 5), others: true }), [1, 5])
      assert.deepEqual(await seqs({ others: false }), [])
      const rules = await stand.peer.readLog({ ...bare, bodies: 'rules' })
      assert.deepEqual(
        rules.entries.map(({ body }) => body !== undefined),
        [true, false, false, false, false, false],
      )
      const none = await stand.peer.readLog({ ...bare, bodies: 'none' })
      assert.ok(
        none.entries.every(({ body, receipt }) => body === undefined && receipt === undefined),
      )
      assert.equal(none.genesis, undefined)
    })

    it('cuts an answer at the bound, and says so', async () => {
      await found()
      const big = new Uint8Array(60_000)
      for (let i = 0; i < 40; i++) await append(device.next(big))
      const first = await stand.peer.readLog(whole)
      assert.equal(first.complete, false)
      const got = first.entries.length - 1
      assert.ok(got > 30 && got < 40)
      const ranges = [{ author: keyOf('laptop'), firstSeq: got + 1, lastSeq: 100 }]
      const rest = await stand.peer.readLog({ ...whole, ranges, others: false })
      assert.ok(rest.complete)
      assert.equal(got + rest.entries.length, 40)
      assert.equal(rest.heads.length, 2)
    })

    it('takes late entries without a body, and keeps one that comes later', async () => {
      await found()
      const entry = device.next(utf8('one'))
      const bare = { ...entry, body: undefined }
      assert.deepEqual(outcomes(await append(bare)), ['E_ENTRY'])
      const vouching = await Promise.all(
        world.servers.slice(0, 2).map(async (server) => {
          const fresh = new World(4).servers[world.servers.indexOf(server)]
          await fresh.appendEntries({
            logId,
            genesis,
            entries: [admin.entry(certificateBody(), { kind: 'certificate', seq: 1 })],
          })
          const { verdicts } = await fresh.appendEntries({
            logId,
            genesis: undefined,
            entries: [entry],
          })
          return (verdicts[0] as { receipt: Receipt }).receipt
        }),
      )
      const [verdict] = await append({ ...bare, receipts: vouching })
      assert.ok(verdict.outcome === 'stored' && verdict.receipt.late)
      const bodies = async () => (await stand.peer.readLog(whole)).entries.map(({ body }) => body)
      assert.equal((await bodies())[1], undefined)
      assert.deepEqual(outcomes(await append({ ...bare, body: utf8('two') })), ['had'])
      assert.equal((await bodies())[1], undefined)
      assert.deepEqual(outcomes(await append(entry)), ['had'])
      assert.deepEqual((await bodies())[1], utf8('one'))

      function certificateBody(): Uint8Array {
        const statement = {
          logId,
          subject: keyOf('laptop'),
          rightBits: 11,
          limits: plenty,
          label: 'laptop',
        }
        return signCertificate({ ...statement, serial: 1 }, log.keys.signSeed)
      }
    })

    it('refuses requests out of bounds', async () => {
      await found()
      const read = (changed: Partial<ReadLogRequest>) =>
        stand.peer.readLog({ ...whole, ...changed })
      const author = keyOf('laptop')
      const range = { author, firstSeq: 1, lastSeq: 1 }
      const bad: Partial<ReadLogRequest>[] = [
        { logId: new Uint8Array(31) },
        { maxBytes: minReadBytes - 1 },
        { maxBytes: 2 ** 40 },
        { ranges: [{ ...range, author: new Uint8Array(3) }] },
        { ranges: [{ ...range, firstSeq: 0 }] },
        { ranges: [range, range] },
      ]
      for (const changed of bad) await assert.rejects(read(changed), refusedAs('E_BAD_REQUEST'))
      const entry = device.next(utf8('one'))
      const many = new Array<HandedEntry>(maxAppendEntries + 1).fill(entry)
      await assert.rejects(append(...many), refusedAs('E_BAD_REQUEST'))
      const receipt: Receipt = {
        node: author,
        receivedMs: 1,
        late: false,
        signature: new Uint8Array(64),
      }
      const receipts = new Array<Receipt>(maxHandedReceipts + 1).fill(receipt)
      await assert.rejects(append({ ...entry, receipts }), refusedAs('E_BAD_REQUEST'))
      const long = { ...entry, header: new Uint8Array(5000) }
      await assert.rejects(append(long), refusedAs('E_TOO_LARGE'))
    })

    it('takes appends that overlap one after another', async () => {
      await found()
      const entries = [1, 2, 3, 4].map((i) => device.next(utf8(`${i}`)))
      const all = await Promise.all([append(...entries), append(...entries), append(...entries)])
      assert.ok(all.flat().every(({ outcome }) => outcome === 'stored' || outcome === 'had'))
      assert.equal(all.flat().filter(({ outcome }) => outcome === 'stored').length, 4)
      assert.equal((await stand.peer.readLog(whole)).entries.length, 5)
    })
  })
}
