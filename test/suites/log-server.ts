/**
 * What a server of logs must do besides what every LogPeer must (test/suites/log-peer.ts), as a
 * function of how to make one: the same in this process and at the other end of a wire. What a
 * client may try against it stands here (the attacks that carry a number), and what it may cost.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { afterEach, describe, it } from 'mocha'
import { compareBytes, equalBytes, toHex, utf8 } from '../../src/base/bytes.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { rights } from '../../src/log/certificate.ts'
import {
  type AppendReply,
  type AppendRequest,
  type AppendVerdict,
  entryWireBytes,
  type HandedEntry,
  type LogPeer,
  maxAppendBytes,
  maxAppendEntries,
  maxForkEvidence,
  maxReadBytes,
  minReadBytes,
  type ReadLogReply,
} from '../../src/log/log-peer.ts'
import { isReceiptFor, type Receipt, signReceipt } from '../../src/log/receipt.ts'
import type { LogLimits } from '../../src/storage/log-limits.ts'
import { refused } from './storage-peer.ts'
import { type TestAuthor, type TestEntry, TestLog } from './test-log.ts'

/** How the server behind the peer is to be set; the rest is the factory's. */
export interface LogServerSettings {
  /** Of the server's key. */
  seed: Uint8Array
  limits?: Partial<LogLimits>
  readOnly?: boolean
  reserveBytes?: number
}

export interface LogServerFixture {
  /** In front of a server that keeps no log yet. */
  peer: LogPeer
  close(): Promise<void>
}

const serverSeed = sha256(utf8('the server'))
const serverKey = publicKeyOfSeed(serverSeed)

/** Appends and gives the outcomes, with the codes of refusals. */
export async function outcomesOf(peer: LogPeer, request: AppendRequest): Promise<string[]> {
  const { verdicts } = await peer.appendEntries(request)
  return verdicts.map((verdict) => (verdict.outcome === 'refused' ? verdict.code : verdict.outcome))
}

/** The same bytes, or none; a decoder may have left a property of its own on either. */
function assertSame(actual: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  assert.equal(actual && toHex(actual), expected && toHex(expected))
}

export function logServerSuite(
  name: string,
  make: (settings: LogServerSettings) => Promise<LogServerFixture>,
): void {
  describe(`${name} as a log server`, () => {
    let fixture: LogServerFixture | undefined

    async function start(settings: Partial<LogServerSettings> = {}): Promise<LogPeer> {
      fixture = await make({ seed: serverSeed, reserveBytes: 0, ...settings })
      return fixture.peer
    }

    afterEach(async () => {
      await fixture?.close()
      fixture = undefined
    })

    /** A log with one device, which has written `count` entries, all of them taken. */
    async function written(
      peer: LogPeer,
      count: number,
    ): Promise<{ log: TestLog; device: TestAuthor }> {
      const log = new TestLog()
      const device = log.device('laptop')
      for (let i = 0; i < count; i++) device.snapshot()
      const outcomes = await outcomesOf(peer, log.append(...log.admin.entries, ...device.entries))
      assert.ok(outcomes.every((outcome) => outcome === 'stored'))
      return { log, device }
    }

    async function verdictOn(
      peer: LogPeer,
      log: TestLog,
      entry: HandedEntry,
    ): Promise<AppendVerdict> {
      const { verdicts } = await peer.appendEntries(log.append(entry))
      assert.equal(verdicts.length, 1)
      return verdicts[0]
    }

    async function refusal(peer: LogPeer, log: TestLog, entry: HandedEntry): Promise<string> {
      const verdict = await verdictOn(peer, log, entry)
      assert.equal(verdict.outcome, 'refused')
      return verdict.code
    }

    /** Checks that a reply holds exactly the entries of these authors, in order, and right receipts. */
    function assertHolds(
      reply: ReadLogReply,
      log: TestLog,
      entries: readonly TestEntry[],
      body: (entry: TestEntry) => boolean = () => true,
    ): void {
      assert.deepEqual(
        reply.entries.map((entry) => toHex(entry.header)),
        entries.map((entry) => toHex(entry.header)),
      )
      for (const [i, entry] of entries.entries()) {
        const kept = reply.entries[i]
        assertSame(kept.signature, entry.signature)
        assertSame(kept.body, body(entry) ? entry.body : undefined)
        if (kept.receipt === undefined) continue
        assert.ok(isReceiptFor({ logId: log.logId, id: entry.id }, kept.receipt))
        assert.deepEqual(kept.receipt.node, serverKey)
      }
    }

    it('keeps no log at first, and none without its genesis', async () => {
      const peer = await start()
      const log = new TestLog()
      await refused(peer.readLog(log.read()), 'E_ABSENT')
      await refused(peer.appendEntries({ ...log.append(), genesis: undefined }), 'E_ABSENT')
      await refused(peer.readLog(log.read()), 'E_ABSENT')
    })

    it('begins a log by its genesis', async () => {
      const peer = await start()
      const log = new TestLog()
      assert.deepEqual(await peer.appendEntries(log.append()), { adminSeq: 0, verdicts: [] })
      const reply = await peer.readLog(log.read())
      assertSame(reply.genesis, log.genesis)
      assert.deepEqual(
        { ...reply, genesis: 0 },
        {
          ...{ genesis: 0, heads: [], entries: [], forks: [], complete: true },
        },
      )
      assert.equal((await peer.readLog(log.read({ genesis: false }))).genesis, undefined)
    })

    it('refuses a genesis that is not this log’s, and keeps nothing of it', async () => {
      const peer = await start()
      const log = new TestLog()
      const other = new TestLog('other')
      const wrong = [other.genesis, new Uint8Array(0), log.genesis.subarray(1), utf8('no CBOR')]
      for (const genesis of wrong) {
        await refused(peer.appendEntries({ ...log.append(), genesis }), 'E_GENESIS')
      }
      await refused(peer.readLog(log.read()), 'E_ABSENT')
    })

    it('takes entries in order, with receipts that hold', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 5)
      assertHolds(await peer.readLog(log.read()), log, [...log.admin.entries, ...device.entries])
      const { heads } = await peer.readLog(log.read({ others: false }))
      assert.deepEqual(heads, [
        { author: log.admin.key, seq: 1, id: log.admin.entries[0].id },
        { author: device.key, seq: 5, id: device.entries[4].id },
      ])
    })

    it('18: gives an entry that is sent again the receipt of the first time', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 2)
      const before = await peer.readLog(log.read())
      for (const [i, entry] of [...log.admin.entries, ...device.entries].entries()) {
        const verdict = await verdictOn(peer, log, entry)
        assert.deepEqual(verdict, { outcome: 'had', receipt: before.entries[i].receipt })
      }
      assert.deepEqual(await peer.readLog(log.read()), before)
    })

    it('says how far it knew the admin’s chain, whatever came of the entries', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const [held] = device.entries
      const told = async (...entries: HandedEntry[]): Promise<[number, string[]]> => {
        const { adminSeq, verdicts } = await peer.appendEntries(log.append(...entries))
        return [adminSeq, verdicts.map(({ outcome }) => outcome)]
      }
      assert.deepEqual(await told(), [1, []])
      assert.deepEqual(await told(device.snapshot()), [1, ['stored']])
      assert.deepEqual(await told(held, log.configure(1, [serverKey])), [2, ['had', 'stored']])
      assert.deepEqual(await told(held), [2, ['had']])
      assert.deepEqual(await told(device.snapshot()), [2, ['stored']])
      assert.deepEqual(await told(device.make({ seq: 9 })), [2, ['gap']])
      assert.deepEqual(await told(log.revoke(device, 3), device.make({})), [
        ...[3, ['stored', 'refused']],
      ] as [number, string[]])
      assert.deepEqual(await told(device.make({ seq: 1, clientMs: 1 })), [3, ['conflict']])
    })

    it('takes an entry once that is sent many times at once', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const entry = device.snapshot()
      const verdicts = await Promise.all(
        Array.from({ length: 20 }, () => verdictOn(peer, log, entry)),
      )
      assert.equal(verdicts.filter(({ outcome }) => outcome === 'stored').length, 1)
      const receipts = verdicts.map((verdict) => {
        assert.ok(verdict.outcome === 'stored' || verdict.outcome === 'had')
        return toHex(verdict.receipt.signature)
      })
      assert.equal(new Set(receipts).size, 1)
    })

    it('takes the entries of many devices that come at once', async () => {
      const peer = await start()
      const log = new TestLog()
      const devices = Array.from({ length: 8 }, (_, i) => log.device(`device ${i}`))
      await peer.appendEntries(log.append(...log.admin.entries))
      await Promise.all(
        devices.map(async (device) => {
          for (let i = 0; i < 5; i++) {
            assert.deepEqual(await outcomesOf(peer, log.append(device.snapshot())), ['stored'])
          }
        }),
      )
      const ordered = devices.toSorted((a, b) => compareBytes(a.key, b.key))
      const entries = ordered.flatMap((device) => device.entries)
      assertHolds(await peer.readLog(log.read()), log, [...log.admin.entries, ...entries])
    })

    it('says where a chain ends when entries are missing, and takes them handed on', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 2)
      for (let i = 0; i < 3; i++) device.snapshot()
      assert.deepEqual(await verdictOn(peer, log, device.entries[4]), {
        outcome: 'gap',
        headSeq: 2,
      })
      const missing = device.entries.slice(2)
      assert.deepEqual(await outcomesOf(peer, log.append(...missing)), Array(3).fill('stored'))
      const newcomer = log.device('desk')
      newcomer.snapshot()
      newcomer.snapshot()
      await peer.appendEntries(log.append(...log.admin.entries))
      const early = await verdictOn(peer, log, newcomer.entries[1])
      assert.deepEqual(early, { outcome: 'gap', headSeq: 0 })
    })

    it('looks at nothing behind the first entry that it does not take', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const [a, b, c] = [device.snapshot(), device.snapshot(), device.snapshot()]
      assert.deepEqual(await outcomesOf(peer, log.append(a, c, b)), ['stored', 'gap'])
      const { heads } = await peer.readLog(log.read())
      assert.equal(heads[1].seq, 2)
    })

    it('19: does not take an earlier number again, nor a fork, and keeps what it had', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 3)
      const before = await peer.readLog(log.read())
      for (const seq of [1, 2, 3]) {
        const rival = device.make({ seq, clientMs: 1 })
        const verdict = await verdictOn(peer, log, rival)
        assert.ok(verdict.outcome === 'conflict')
        assertSame(verdict.held.header, device.entries[seq - 1].header)
        assertSame(verdict.held.signature, device.entries[seq - 1].signature)
      }
      const after = await peer.readLog(log.read())
      assert.deepEqual({ ...after, forks: [] }, before)
      assert.equal(after.forks.length, 3)
      for (const { held, other } of after.forks) {
        assert.ok(device.entries.some(({ header }) => equalBytes(header, held.header)))
        assert.ok(!device.entries.some(({ header }) => equalBytes(header, other.header)))
      }
    })

    it('19: keeps evidence of a fork once, and no more than 8 pieces of a chain', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const rival = device.make({ seq: 1, clientMs: 0 })
      for (let i = 0; i < 3; i++) await verdictOn(peer, log, rival)
      assert.equal((await peer.readLog(log.read())).forks.length, 1)
      for (let i = 1; i < 20; i++) {
        const verdict = await verdictOn(peer, log, device.make({ seq: 1, clientMs: i }))
        assert.equal(verdict.outcome, 'conflict')
      }
      assert.equal((await peer.readLog(log.read())).forks.length, maxForkEvidence)
    })

    it('19: refuses entries that are linked to others than those held', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 3)
      const elsewhere = sha256(utf8('elsewhere'))
      assert.equal(await refusal(peer, log, device.make({ prev: elsewhere })), 'E_LINK')
      assert.equal(await refusal(peer, log, device.make({ skip: elsewhere })), 'E_LINK')
      const swapped = { prev: device.entries[1].id }
      assert.equal(await refusal(peer, log, device.make(swapped)), 'E_LINK')
      assert.deepEqual(await outcomesOf(peer, log.append(device.snapshot())), ['stored'])
    })

    it('20: refuses who has no certificate, or none for that', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const stranger = log.stranger('reader')
      assert.equal(await refusal(peer, log, stranger.make({})), 'E_CERTIFICATE')
      const putter = log.device('putter', undefined, rights.put)
      await peer.appendEntries(log.append(...log.admin.entries))
      assert.equal(await refusal(peer, log, putter.make({})), 'E_CERTIFICATE')
      for (const kind of ['certificate', 'revocation', 'config', 'checkpoint'] as const) {
        assert.equal(await refusal(peer, log, device.make({ kind })), 'E_CERTIFICATE')
      }
      const self = device.make({ kind: 'certificate' }, log.certificateFor(stranger.key))
      assert.equal(await refusal(peer, log, self), 'E_CERTIFICATE')
      assert.equal((await peer.readLog(log.read())).heads.length, 2)
    })

    it('20: refuses what a revoked device writes, and still has what it wrote before', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 3)
      assert.deepEqual(await outcomesOf(peer, log.append(log.revoke(device, 2))), ['stored'])
      assert.equal(await refusal(peer, log, device.make({})), 'E_REVOKED')
      assert.deepEqual(await outcomesOf(peer, log.append(...device.entries)), Array(3).fill('had'))
      const again = log.certificateFor(device.key)
      const reissued = log.admin.make({ kind: 'certificate' }, again)
      assert.equal(await refusal(peer, log, reissued), 'E_CERTIFICATE')
    })

    it('21: refuses entries and certificates of another log', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const other = new TestLog('other')
      const theirs = other.device('laptop')
      assert.equal(await refusal(peer, log, theirs.snapshot()), 'E_ENTRY')
      assert.equal(await refusal(peer, log, other.admin.entries[0]), 'E_ENTRY')
      const foreign = device.make({ logId: other.logId })
      assert.equal(await refusal(peer, log, foreign), 'E_ENTRY')
      const smuggled = log.admin.make({ kind: 'certificate' }, other.certificateFor(theirs.key))
      assert.equal(await refusal(peer, log, smuggled), 'E_CERTIFICATE')
    })

    it('refuses a signature that is another’s, or of other bytes', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const entry = device.make({})
      const forged = log.stranger('thief').make({ ...entry.fields })
      assert.equal(
        await refusal(peer, log, { ...entry, signature: forged.signature }),
        'E_SIGNATURE',
      )
      const { signature } = device.make({ clientMs: 5 })
      assert.equal(await refusal(peer, log, { ...entry, signature }), 'E_SIGNATURE')
      const zeros = new Uint8Array(64)
      assert.equal(await refusal(peer, log, { ...entry, signature: zeros }), 'E_SIGNATURE')
    })

    it('refuses over its rate whoever writes too much, by number and by bytes', async () => {
      const peer = await start()
      const log = new TestLog()
      const busy = log.device('busy', { bytesPer30Days: 2 ** 30, entriesPerDay: 3 })
      const wordy = log.device('wordy', { bytesPer30Days: 5000, entriesPerDay: 1000 })
      await peer.appendEntries(log.append(...log.admin.entries))
      for (let i = 0; i < 5; i++) busy.snapshot()
      const outcomes = await outcomesOf(peer, log.append(...busy.entries))
      assert.deepEqual(outcomes, ['stored', 'stored', 'stored', 'E_RATE'])
      assert.deepEqual(await outcomesOf(peer, log.append(wordy.snapshot(2000))), ['stored'])
      assert.equal(await refusal(peer, log, wordy.make({}, new Uint8Array(5000))), 'E_RATE')
      assert.deepEqual(await outcomesOf(peer, log.append(wordy.snapshot(1000))), ['stored'])
    })

    it('takes nothing new once a later config names other servers', async () => {
      const peer = await start()
      const other = publicKeyOfSeed(sha256(utf8('another server')))
      const log = new TestLog('moved', [serverKey, other])
      const device = log.device('laptop')
      await peer.appendEntries(log.append(...log.admin.entries, device.snapshot()))
      assert.deepEqual(await outcomesOf(peer, log.append(log.configure(1, [other]))), ['stored'])
      assert.equal(await refusal(peer, log, device.make({})), 'E_READ_ONLY')
      assert.equal((await verdictOn(peer, log, device.entries[0])).outcome, 'had')
    })

    it('refuses a body that is another’s, or missing', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const entry = device.make({})
      for (const body of [utf8('a bodY'), utf8('a bod'), new Uint8Array(0), undefined]) {
        assert.equal(await refusal(peer, log, { ...entry, body }), 'E_ENTRY')
      }
      assert.equal((await verdictOn(peer, log, entry)).outcome, 'stored')
    })

    it('22: refuses headers that are none, whatever they are', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const { header, signature, body } = device.make({})
      const bombs = [
        ...[new Uint8Array(0), Uint8Array.of(0x9f), utf8('text'), new Uint8Array(4096).fill(0x81)],
        ...[
          Uint8Array.of(0x9b, 0, 0, 1, 0, 0, 0, 0, 0),
          header.subarray(1),
          header.subarray(0, -1),
        ],
        Uint8Array.of(...header, 0),
      ]
      for (const bomb of bombs) {
        const entry = { header: bomb, signature, body, receipts: [] }
        assert.equal(await refusal(peer, log, entry), 'E_ENTRY')
      }
      await fc.assert(
        fc.asyncProperty(fc.nat(header.length - 1), fc.nat(7), async (at, bit) => {
          const spoilt = header.slice()
          spoilt[at] ^= 1 << bit
          const { outcome } = await verdictOn(peer, log, {
            ...{ header: spoilt, signature, body, receipts: [] },
          })
          assert.ok(outcome === 'refused' || outcome === 'gap')
        }),
      )
      assert.equal((await verdictOn(peer, log, device.make({}))).outcome, 'stored')
    })

    it('22: refuses rules that are none in the admin’s chain', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const wrong = [
        log.admin.make({ kind: 'certificate' }, utf8('no certificate')),
        log.admin.make({ kind: 'revocation' }, Uint8Array.of(0x80)),
        log.admin.make({ kind: 'config' }, Uint8Array.of(0x9f)),
        log.admin.make({ kind: 'snapshot' }),
      ]
      for (const entry of wrong) await refusal(peer, log, entry)
      assert.deepEqual(await outcomesOf(peer, log.append(device.snapshot())), ['stored'])
    })

    it('refuses requests out of bounds', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 1)
      const entry = device.make({})
      const body = new Uint8Array(2 ** 20)
      const many: HandedEntry[] = Array.from({ length: 5 }, () => ({ ...entry, body }))
      const receipt = receiptsFor(entry, log, [1])[0]
      const wrong: Partial<AppendRequest>[] = [
        { logId: new Uint8Array(31) },
        { logId: new Uint8Array(33) },
        { genesis: new Uint8Array(8193) },
        { entries: Array.from({ length: maxAppendEntries + 1 }, () => entry) },
        { entries: many },
        { entries: [{ ...entry, header: new Uint8Array(4097) }] },
        { entries: [{ ...entry, signature: new Uint8Array(63) }] },
        { entries: [{ ...entry, body: new Uint8Array(2 ** 20 + 1) }] },
        { entries: [{ ...entry, receipts: Array.from({ length: 33 }, () => receipt) }] },
        { entries: [{ ...entry, receipts: [{ ...receipt, receivedMs: -1 }] }] },
        { entries: [{ ...entry, receipts: [{ ...receipt, node: new Uint8Array(1) }] }] },
      ]
      assert.ok(many.reduce((sum, each) => sum + entryWireBytes(each), 0) > maxAppendBytes)
      for (const change of wrong) {
        const appending = peer.appendEntries({ ...log.append(entry), ...change })
        await refused(appending, 'E_BAD_REQUEST', 'E_TOO_LARGE')
      }
      const range = { author: device.key, firstSeq: 1, lastSeq: 1 }
      for (const change of [
        { logId: new Uint8Array(0) },
        ...[minReadBytes - 1, maxReadBytes + 1, NaN].map((maxBytes) => ({ maxBytes })),
        ...[{ firstSeq: 0 }, { firstSeq: 1.5 }, { lastSeq: -1 }, { author: new Uint8Array(8) }].map(
          (field) => ({ ranges: [{ ...range, ...field }] }),
        ),
        { ranges: [range, range] },
      ]) {
        await refused(peer.readLog(log.read(change)), 'E_BAD_REQUEST')
      }
      assert.equal((await verdictOn(peer, log, entry)).outcome, 'stored')
    })

    it('reads ranges, clipped to what there is', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 20)
      const range = (firstSeq: number, lastSeq: number) =>
        peer.readLog(
          log.read({ others: false, ranges: [{ author: device.key, firstSeq, lastSeq }] }),
        )
      assertHolds(await range(3, 5), log, device.entries.slice(2, 5))
      assertHolds(await range(20, 20), log, device.entries.slice(19))
      assertHolds(await range(18, Number.MAX_SAFE_INTEGER), log, device.entries.slice(17))
      assertHolds(await range(21, 30), log, [])
      assertHolds(await range(5, 4), log, [])
      const stranger = log.stranger('nobody').key
      const others = await peer.readLog(
        log.read({ ranges: [{ author: stranger, firstSeq: 1, lastSeq: 9 }] }),
      )
      assertHolds(others, log, [...log.admin.entries, ...device.entries])
      const none = await peer.readLog(
        log.read({ ranges: [{ author: device.key, firstSeq: 1, lastSeq: 0 }] }),
      )
      assertHolds(none, log, log.admin.entries)
      assert.ok(none.complete)
    })

    it('gives the bodies and the receipts that are asked for', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 2)
      await peer.appendEntries(log.append(log.revoke(device, 2)))
      const all = [...log.admin.entries, ...device.entries]
      const none = await peer.readLog(log.read({ bodies: 'none', receipts: false }))
      assertHolds(none, log, all, () => false)
      assert.ok(none.entries.every(({ receipt }) => receipt === undefined))
      const rules = await peer.readLog(log.read({ bodies: 'rules' }))
      assertHolds(rules, log, all, ({ fields }) => fields.kind !== 'snapshot')
      assert.ok(rules.entries.every(({ receipt }) => receipt !== undefined))
    })

    it('stops before an answer is too long, and goes on where it is asked to', async () => {
      const peer = await start()
      const log = new TestLog()
      const device = log.device('laptop')
      await peer.appendEntries(log.append(...log.admin.entries))
      for (let i = 0; i < 70; i++) device.snapshot(60_000)
      for (let from = 0; from < 70; from += 35) {
        await peer.appendEntries(log.append(...device.entries.slice(from, from + 35)))
      }
      const seen: number[] = []
      let firstSeq = 1
      for (let complete = false; !complete;) {
        const ranges = [{ author: device.key, firstSeq, lastSeq: 1000 }]
        const reply = await peer.readLog(log.read({ others: false, ranges }))
        const bytes = reply.entries.reduce((sum, entry) => sum + entryWireBytes(entry), 0)
        assert.ok(reply.entries.length > 0 && bytes <= minReadBytes)
        assertHolds(reply, log, device.entries.slice(firstSeq - 1).slice(0, reply.entries.length))
        seen.push(reply.entries.length)
        firstSeq += reply.entries.length
        complete = reply.complete
      }
      assert.equal(firstSeq, 71)
      assert.ok(seen.length > 1)
    })

    it('keeps logs apart that know nothing of each other', async () => {
      const peer = await start()
      const { log, device } = await written(peer, 2)
      const other = new TestLog('other')
      const theirs = other.device('laptop')
      theirs.snapshot()
      await peer.appendEntries(other.append(...other.admin.entries, ...theirs.entries))
      assertHolds(await peer.readLog(log.read()), log, [...log.admin.entries, ...device.entries])
      const reply = await peer.readLog(other.read())
      assertHolds(reply, other, [...other.admin.entries, ...theirs.entries])
    })

    /** Receipts of servers by number, for an entry. */
    function receiptsFor(entry: TestEntry, log: TestLog, servers: readonly number[]): Receipt[] {
      return servers.map((i) => {
        const seed = sha256(utf8(`server ${i}`))
        const nodeKey = { seed, publicKey: publicKeyOfSeed(seed) }
        const subject = { logId: log.logId, id: entry.id }
        return signReceipt(subject, { receivedMs: 1000, late: false }, nodeKey)
      })
    }

    it('marks as late what an honest server had before, and takes it beyond the rate', async () => {
      const peer = await start()
      const servers = [0, 1, 2, 3].map((i) => publicKeyOfSeed(sha256(utf8(`server ${i}`))))
      const log = new TestLog('late', servers)
      const device = log.device('laptop', { bytesPer30Days: 2 ** 30, entriesPerDay: 1 })
      await peer.appendEntries(log.append(...log.admin.entries))
      const [a, b, c] = [device.snapshot(), device.snapshot(), device.snapshot()]
      assert.deepEqual(await outcomesOf(peer, log.append(a)), ['stored'])
      assert.equal(await refusal(peer, log, b), 'E_RATE')
      for (const liars of [[0], [0, 0], [0, 9], [9, 8, 7]]) {
        const vouched = { ...b, receipts: receiptsFor(b, log, liars) }
        assert.equal(await refusal(peer, log, vouched), 'E_RATE')
      }
      const wrong = { ...b, receipts: receiptsFor(a, log, [0, 1, 2, 3]) }
      assert.equal(await refusal(peer, log, wrong), 'E_RATE')
      const bodyless = { ...b, body: undefined, receipts: receiptsFor(b, log, [0, 1]) }
      const vouched = { ...c, receipts: receiptsFor(c, log, [2, 3]) }
      const { verdicts } = await peer.appendEntries(log.append(bodyless, vouched))
      for (const verdict of verdicts)
        assert.ok(verdict.outcome === 'stored' && verdict.receipt.late)
      const reply = await peer.readLog(log.read())
      assertHolds(reply, log, [...log.admin.entries, a, b, c], (entry) => entry !== b)
      assert.deepEqual(
        reply.entries.slice(1).map(({ receipt }) => receipt?.late),
        [false, true, true],
      )
      assert.equal((await verdictOn(peer, log, { ...b, body: utf8('wrong') })).outcome, 'had')
      const had = await verdictOn(peer, log, b)
      assert.deepEqual(had, { outcome: 'had', receipt: reply.entries[2].receipt })
      assertHolds(await peer.readLog(log.read()), log, [...log.admin.entries, a, b, c])
    })

    it('gives reads and receipts of before while it is read-only or full, and takes nothing', async () => {
      const peer = await start({ readOnly: true })
      const log = new TestLog()
      await refused(peer.appendEntries(log.append()), 'E_READ_ONLY')
      await refused(peer.readLog(log.read()), 'E_ABSENT')
      await fixture?.close()
      const full = await start({ reserveBytes: Number.MAX_SAFE_INTEGER })
      await refused(full.appendEntries(log.append()), 'E_FULL')
    })

    it('keeps no more logs, and no longer ones, than it may', async () => {
      const peer = await start({ limits: { maxLogs: 1, maxLogEntries: 4 } })
      const { log, device } = await written(peer, 2)
      await refused(peer.appendEntries(new TestLog('other').append()), 'E_FULL')
      const entries = [device.snapshot(), device.snapshot()]
      assert.deepEqual(await outcomesOf(peer, log.append(...entries)), ['stored', 'E_FULL'])
      assert.deepEqual(await outcomesOf(peer, log.append(...device.entries.slice(0, 3))), [
        ...['had', 'had', 'had'],
      ])
      assert.equal(
        (await verdictOn(peer, log, device.make({ seq: 1, clientMs: 1 }))).outcome,
        'conflict',
      )
    })

    it('begins no more logs in an hour than it may', async () => {
      const peer = await start({ limits: { newLogsPerHour: 4 } })
      const begun: string[] = []
      for (let i = 0; i < 4; i++) {
        const log = new TestLog(`log ${i}`)
        const appended: Promise<AppendReply> = peer.appendEntries(log.append())
        begun.push(
          await appended.then(
            () => 'begun',
            (error: unknown) => (isGridError(error) ? error.code : String(error)),
          ),
        )
      }
      assert.deepEqual(begun, ['begun', 'begun', 'E_RATE', 'E_RATE'])
    })

    it('checks no more signatures than it may', async () => {
      const peer = await start({ limits: { checksPerSecond: 1 } })
      const { log, device } = await written(peer, 1)
      const forged = { ...device.make({}), signature: new Uint8Array(64) }
      const request = log.append(...Array.from({ length: 200 }, () => forged))
      await outcomesOf(peer, request)
      await refused(peer.appendEntries(request), 'E_RATE')
      assert.equal((await peer.readLog(log.read())).heads.length, 2)
    })

    it('gives up when its signal does', async () => {
      const peer = await start()
      const log = new TestLog()
      const signal = AbortSignal.abort(new Error('given up'))
      await assert.rejects(peer.appendEntries(log.append(), { signal }), /given up/)
      await assert.rejects(peer.readLog(log.read(), { signal }), /given up/)
    })
  })
}
