/** What every log store must do, as a function of how to make one. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { compareBytes, toHex, u32be, utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import type {
  EntryBytes,
  EntryRecord,
  LogStore,
  StoredEntry,
  StoredLog,
} from '../../src/storage/log-store.ts'

export interface LogStoreFixture {
  /** Empty and open. */
  store: LogStore
  close(): Promise<void>
}

export const genesis: Uint8Array = utf8('a genesis')

/** The log id, or the author's key, number `i` of the tests. */
export function nameOf(i: number): Uint8Array {
  return sha256(u32be(i))
}

/** Entry `seq` of an author; another `variant` of it has another id. */
export function recordOf(
  author: number,
  seq: number,
  options: { fork?: boolean; variant?: number; body?: boolean; bodyBytes?: number } = {},
): EntryRecord {
  const { fork = false, variant = 0, body = true, bodyBytes = 100 } = options
  const id = sha256(u32be(author), u32be(seq), u32be(variant))
  return {
    author: nameOf(author),
    seq,
    id,
    receivedMs: 1000 * seq + variant,
    fork,
    head: utf8(`head ${author} ${seq} ${variant}`),
    body: body ? new Uint8Array(bodyBytes).fill(seq) : undefined,
  }
}

/** Entries `first` … `last` of an author. */
export function recordsOf(author: number, first: number, last: number): EntryRecord[] {
  return Array.from({ length: last - first + 1 }, (_, i) => recordOf(author, first + i))
}

/** Everything that a log shows, in words. */
export function shownBy(log: StoredLog): string[] {
  return log.authors().flatMap((author) => {
    const tell = ({ seq, id, receivedMs, fork, headBytes, bodyBytes }: StoredEntry): string =>
      [
        toHex(author).slice(0, 4),
        seq,
        toHex(id).slice(0, 8),
        receivedMs,
        fork,
        headBytes,
        bodyBytes,
      ]
        .map(String)
        .join(' ')
    return [...log.chain(author), ...log.forks(author)].map(tell)
  })
}

/** Checks that a log holds `record`, all of it, at its place. */
export async function assertHolds(log: StoredLog, record: EntryRecord): Promise<void> {
  const among = record.fork ? log.forks(record.author) : [log.chain(record.author)[record.seq - 1]]
  const entry = among.find((each) => each !== undefined && toHex(each.id) === toHex(record.id))
  assert.ok(entry !== undefined, `entry ${record.seq} is not there`)
  assert.equal(entry.receivedMs, record.receivedMs)
  const { head, body } = record
  assert.deepEqual(await log.read(entry, true), { head, body } satisfies EntryBytes)
}

export function logStoreSuite(name: string, make: () => Promise<LogStoreFixture>): void {
  describe(`${name} as a log store`, () => {
    const logId = nameOf(1000)
    let fixture: LogStoreFixture
    let store: LogStore
    let log: StoredLog

    beforeEach(async () => {
      fixture = await make()
      store = fixture.store
      log = await store.create(logId, genesis)
    })

    afterEach(() => fixture.close())

    it('keeps a genesis, and only the first', async () => {
      const again = await store.create(logId, utf8('another'))
      assert.deepEqual(again.genesis, genesis)
      assert.deepEqual((await store.log(logId))?.genesis, genesis)
      assert.equal(await store.log(nameOf(1001)), undefined)
    })

    it('counts its logs', async () => {
      assert.equal(await store.count(), 1)
      await store.create(nameOf(1001), genesis)
      await store.create(nameOf(1001), genesis)
      assert.equal(await store.count(), 2)
    })

    it('names its logs, each once', async () => {
      for (const i of [1001, 1002, 1003]) await store.create(nameOf(i), genesis)
      const names: Uint8Array[] = []
      for await (const name of store.names()) names.push(name)
      const wanted = [logId, ...[1001, 1002, 1003].map(nameOf)]
      assert.deepEqual(names.sort(compareBytes), wanted.sort(compareBytes))
    })

    it('starts with no entries', async () => {
      assert.deepEqual(log.authors(), [])
      assert.deepEqual(log.chain(nameOf(1)), [])
      assert.deepEqual(log.forks(nameOf(1)), [])
      assert.equal(log.bytes, 0)
    })

    it('gives back what was appended', async () => {
      const records = [...recordsOf(1, 1, 3), ...recordsOf(2, 1, 2)]
      await log.append(records.slice(0, 2))
      await log.append(records.slice(2))
      for (const record of records) await assertHolds(log, record)
      assert.equal(log.chain(nameOf(1)).length, 3)
      const authors = [nameOf(1), nameOf(2)].map(toHex).sort()
      assert.deepEqual(log.authors().map(toHex), authors)
      assert.equal(
        log.bytes,
        records.reduce((sum, { head, body }) => sum + head.length + body!.length, 0),
      )
    })

    it('takes chains mixed with one another', async () => {
      const a = recordsOf(1, 1, 3)
      const b = recordsOf(2, 1, 3)
      await log.append([a[0], b[0], b[1], a[1], a[2], b[2]])
      for (const record of [...a, ...b]) await assertHolds(log, record)
    })

    it('reads a head without its body', async () => {
      const record = recordOf(1, 1)
      await log.append([record])
      const [entry] = log.chain(nameOf(1))
      assert.deepEqual(await log.read(entry, false), { head: record.head, body: undefined })
    })

    it('borrows bytes only until the append is done, and gives bytes that are the caller’s', async () => {
      const record = recordOf(1, 1)
      const copy = { ...record, head: record.head.slice(), body: record.body!.slice() }
      await log.append([copy])
      copy.head.fill(0)
      copy.body.fill(0)
      const [entry] = log.chain(nameOf(1))
      const { head, body } = await log.read(entry, true)
      head.fill(0)
      body!.fill(0)
      await assertHolds(log, record)
    })

    it('keeps evidence beside the chain, and the chain as it was', async () => {
      await log.append(recordsOf(1, 1, 3))
      const forks = [1, 2].map((variant) => recordOf(1, 2, { fork: true, variant, body: false }))
      for (const fork of forks) await log.append([fork])
      for (const record of [...recordsOf(1, 1, 3), ...forks]) await assertHolds(log, record)
      assert.equal(log.chain(nameOf(1)).length, 3)
      assert.equal(log.forks(nameOf(1)).length, 2)
      await log.append([recordOf(1, 4)])
      assert.equal(log.chain(nameOf(1)).length, 4)
    })

    it('takes an entry once', async () => {
      await log.append(recordsOf(1, 1, 2))
      const before = shownBy(log)
      const { bytes } = log
      await log.append([{ ...recordOf(1, 1), receivedMs: 1 }])
      assert.deepEqual(shownBy(log), before)
      assert.equal(log.bytes, bytes)
    })

    it('takes the body of an entry that it has without one', async () => {
      await log.append([recordOf(1, 1, { body: false }), recordOf(1, 2)])
      assert.equal(log.chain(nameOf(1))[0].bodyBytes, undefined)
      await assertHolds(log, recordOf(1, 1, { body: false }))
      await log.append([recordOf(1, 1)])
      await assertHolds(log, recordOf(1, 1))
      await log.append([recordOf(1, 1, { body: false })])
      await assertHolds(log, recordOf(1, 1))
    })

    it('tells no body from an empty one', async () => {
      await log.append([recordOf(1, 1, { bodyBytes: 0 }), recordOf(1, 2, { body: false })])
      await assertHolds(log, recordOf(1, 1, { bodyBytes: 0 }))
      await assertHolds(log, recordOf(1, 2, { body: false }))
    })

    it('takes the longest entry, and many at once', async () => {
      const longest = recordOf(1, 1, { bodyBytes: 2 ** 20 })
      await log.append([longest])
      await assertHolds(log, longest)
      const many = recordsOf(2, 1, 600)
      await log.append(many)
      for (const record of [many[0], many[255], many[256], many[599]])
        await assertHolds(log, record)
    })

    it('keeps logs apart', async () => {
      const other = await store.create(nameOf(1001), genesis)
      await log.append([recordOf(1, 1)])
      assert.deepEqual(other.authors(), [])
      await other.append([recordOf(1, 1, { variant: 1 })])
      await assertHolds(log, recordOf(1, 1))
      await assertHolds(other, recordOf(1, 1, { variant: 1 }))
    })

    it('tells its space', async () => {
      const { freeBytes, totalBytes } = await store.space()
      assert.ok(freeBytes > 0 && freeBytes <= totalBytes)
    })

    it('makes no name of anything but 32 bytes', async () => {
      if (name.includes('Memory')) return
      for (const length of [0, 31, 33, 1000]) {
        await assert.rejects(store.create(new Uint8Array(length), genesis), RangeError)
        await assert.rejects(store.log(new Uint8Array(length)), RangeError)
      }
    })
  })
}

/** True where an append must not be shown: a GridError of the store. */
export function isStoreFailure(error: unknown): boolean {
  return isGridError(error, 'E_IO', 'E_FULL')
}
