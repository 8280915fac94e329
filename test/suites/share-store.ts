/** What every share store must do, as a function of how to make one. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toHex } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { compareShares } from '../../src/storage/share-name.ts'
import type { ShareKey, ShareStore } from '../../src/storage/share-store.ts'

export interface ShareStoreFixture {
  /** Empty and open. */
  store: ShareStore
  close(): Promise<void>
}

/** The storage index number `i` of the tests. */
export function indexOf(i: number): Uint8Array {
  return sha256(Uint8Array.of(i)).slice(0, 20)
}

/** Writes and commits a share. */
export async function putBytes(
  store: ShareStore,
  storageIndex: Uint8Array,
  shareNumber: number,
  bytes: Uint8Array,
): Promise<void> {
  const writer = await store.create(storageIndex, shareNumber, bytes.length)
  await writer.write([bytes])
  await writer.commit()
}

/** The whole of a share, or undefined. */
export async function readBytes(
  store: ShareStore,
  storageIndex: Uint8Array,
  shareNumber: number,
): Promise<Uint8Array | undefined> {
  const reader = await store.read(storageIndex, shareNumber)
  if (reader === undefined) return undefined
  try {
    return await reader.read(0, reader.shareBytes)
  } finally {
    await reader.close()
  }
}

/** Names and sizes of all shares, in order. */
export async function entriesOf(store: ShareStore): Promise<string[]> {
  const entries: string[] = []
  for await (const { storageIndex, shareNumber, shareBytes } of store.entries()) {
    entries.push(`${toHex(storageIndex)} ${shareNumber} ${shareBytes}`)
  }
  return entries.sort()
}

async function countsOf(store: ShareStore): Promise<{ shareCount: number; shareBytes: number }> {
  const { shareCount, shareBytes } = await store.totals()
  return { shareCount, shareBytes }
}

/** Sets a share aside, as one does who has read it. */
export async function setAside(
  store: ShareStore,
  storageIndex: Uint8Array,
  shareNumber: number,
): Promise<boolean> {
  const reader = await store.read(storageIndex, shareNumber)
  assert.ok(reader !== undefined)
  try {
    return await store.setAside(storageIndex, shareNumber, reader)
  } finally {
    await reader.close()
  }
}

export function shareStoreSuite(name: string, make: () => Promise<ShareStoreFixture>): void {
  describe(`${name} as a share store`, () => {
    const a = indexOf(0)
    const b = indexOf(1)
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)
    let fixture: ShareStoreFixture
    let store: ShareStore

    beforeEach(async () => {
      fixture = await make()
      store = fixture.store
    })

    afterEach(() => fixture.close())

    it('starts with nothing', async () => {
      assert.deepEqual(await store.list(a), [])
      assert.equal(await store.read(a, 0), undefined)
      assert.deepEqual(await entriesOf(store), [])
      assert.deepEqual(await countsOf(store), { shareCount: 0, shareBytes: 0 })
    })

    it('gives back what was written in pieces cut anywhere', async () => {
      const writer = await store.create(a, 3, 1000)
      await writer.write([bytes.subarray(0, 1), bytes.subarray(1, 1), bytes.subarray(1, 400)])
      await writer.write([])
      await writer.write([bytes.subarray(400)])
      await writer.commit()
      assert.deepEqual(await readBytes(store, a, 3), bytes)
    })

    it('shows nothing of a share before it is committed', async () => {
      const writer = await store.create(a, 0, 1000)
      await writer.write([bytes])
      assert.deepEqual(await store.list(a), [])
      assert.equal(await store.read(a, 0), undefined)
      assert.deepEqual(await entriesOf(store), [])
      assert.deepEqual(await countsOf(store), { shareCount: 0, shareBytes: 0 })
      await writer.commit()
      assert.deepEqual(await store.list(a), [0])
    })

    it('borrows pieces only until the write is done', async () => {
      const writer = await store.create(a, 0, 1000)
      const piece = bytes.slice()
      await writer.write([piece])
      piece.fill(0)
      await writer.commit()
      assert.deepEqual(await readBytes(store, a, 0), bytes)
    })

    it('leaves nothing of a share that was given up', async () => {
      const writer = await store.create(a, 0, 1000)
      await writer.write([bytes.subarray(0, 999)])
      await writer.abort()
      await writer.abort()
      assert.equal(await store.read(a, 0), undefined)
      assert.deepEqual(await entriesOf(store), [])
    })

    it('keeps a committed share when it is given up afterwards', async () => {
      const writer = await store.create(a, 0, 1000)
      await writer.write([bytes])
      await writer.commit()
      await writer.abort()
      assert.deepEqual(await readBytes(store, a, 0), bytes)
    })

    it('takes exactly the bytes that were declared', async () => {
      const writer = await store.create(a, 0, 999)
      await assert.rejects(writer.write([bytes]), RangeError)
      await writer.abort()
      const short = await store.create(a, 0, 1001)
      await short.write([bytes])
      await assert.rejects(short.commit(), RangeError)
      await short.abort()
      assert.deepEqual(await store.list(a), [])
    })

    it('lists the numbers of one object, ascending', async () => {
      for (const number of [254, 9, 10, 0, 100]) await putBytes(store, a, number, bytes)
      await putBytes(store, b, 7, bytes)
      assert.deepEqual(await store.list(a), [0, 9, 10, 100, 254])
      assert.deepEqual(await store.list(b), [7])
      assert.deepEqual(await store.list(indexOf(2)), [])
    })

    it('counts and lists every share', async () => {
      for (let i = 0; i < 20; i++) await putBytes(store, indexOf(i), i, bytes.subarray(0, i + 1))
      assert.deepEqual(
        await entriesOf(store),
        Array.from({ length: 20 }, (_, i) => `${toHex(indexOf(i))} ${i} ${i + 1}`).sort(),
      )
      assert.deepEqual(await countsOf(store), { shareCount: 20, shareBytes: 210 })
    })

    it('replaces a share that is committed again, and counts it once', async () => {
      await putBytes(store, a, 0, bytes)
      const reader = await store.read(a, 0)
      await putBytes(store, a, 0, bytes.subarray(500))
      assert.deepEqual(await reader?.read(0, 1000), bytes)
      await reader?.close()
      assert.deepEqual(await readBytes(store, a, 0), bytes.subarray(500))
      assert.deepEqual(await countsOf(store), { shareCount: 1, shareBytes: 500 })
    })

    it('keeps two writers of one share apart', async () => {
      const first = await store.create(a, 0, 1000)
      const second = await store.create(a, 0, 1000)
      await first.write([bytes.subarray(0, 500)])
      await second.write([bytes])
      await first.abort()
      await second.commit()
      assert.deepEqual(await readBytes(store, a, 0), bytes)
    })

    it('commits many shares at once', async () => {
      const numbers = Array.from({ length: 100 }, (_, i) => i)
      await Promise.all(
        numbers.map((number) => putBytes(store, indexOf(number % 5), number, bytes)),
      )
      for (const number of numbers) {
        assert.deepEqual(await readBytes(store, indexOf(number % 5), number), bytes)
      }
      assert.deepEqual(await countsOf(store), { shareCount: 100, shareBytes: 100_000 })
    })

    it('reads exact ranges, and none past the end', async () => {
      await putBytes(store, a, 0, bytes)
      const reader = await store.read(a, 0)
      assert.ok(reader !== undefined)
      assert.equal(reader.shareBytes, 1000)
      assert.deepEqual(await reader.read(0, 0), new Uint8Array(0))
      assert.deepEqual(await reader.read(999, 1), bytes.subarray(999))
      assert.deepEqual(await reader.read(250, 500), bytes.subarray(250, 750))
      await assert.rejects(reader.read(999, 2), (error) => isGridError(error, 'E_IO'))
      await assert.rejects(reader.read(1000, 1), (error) => isGridError(error, 'E_IO'))
      await reader.close()
    })

    it('gives bytes that are the caller’s', async () => {
      await putBytes(store, a, 0, bytes)
      ;(await readBytes(store, a, 0))?.fill(0)
      assert.deepEqual(await readBytes(store, a, 0), bytes)
    })

    it('lists all shares in one order, from any of them on', async () => {
      for (let i = 0; i < 30; i++) await putBytes(store, indexOf(i % 10), 7 * i + 2, bytes)
      const keys: ShareKey[] = []
      for await (const { storageIndex, shareNumber } of store.entries())
        keys.push({ storageIndex, shareNumber })
      assert.equal(keys.length, 30)
      assert.deepEqual([...keys].sort(compareShares), keys)
      for (const at of [0, 1, 14, 28, 29]) {
        const rest: ShareKey[] = []
        for await (const { storageIndex, shareNumber } of store.entries(keys[at]))
          rest.push({ storageIndex, shareNumber })
        assert.deepEqual(rest, keys.slice(at + 1))
      }
    })

    it('shows no share that was set aside, and says which', async () => {
      for (const number of [1, 2, 3]) await putBytes(store, a, number, bytes)
      await putBytes(store, b, 0, bytes)
      assert.deepEqual(await store.damaged(), [])
      assert.equal(await setAside(store, a, 2), true)
      assert.equal(await setAside(store, b, 0), true)
      assert.deepEqual(await store.list(a), [1, 3])
      assert.equal(await store.read(a, 2), undefined)
      assert.equal((await entriesOf(store)).length, 2)
      assert.deepEqual(await countsOf(store), { shareCount: 2, shareBytes: 2000 })
      const expected = [
        { storageIndex: a, shareNumber: 2 },
        { storageIndex: b, shareNumber: 0 },
      ].sort(compareShares)
      assert.deepEqual(await store.damaged(), expected)
    })

    it('forgets the damage when another copy comes, as often as it does', async () => {
      await putBytes(store, a, 2, bytes)
      for (let round = 0; round < 3; round++) {
        assert.equal(await setAside(store, a, 2), true)
        assert.equal((await store.damaged()).length, 1)
        await putBytes(store, a, 2, bytes)
        assert.deepEqual(await store.damaged(), [])
        assert.deepEqual(await readBytes(store, a, 2), bytes)
      }
      assert.deepEqual(await countsOf(store), { shareCount: 1, shareBytes: 1000 })
    })

    it('leaves a copy that has come since the damaged one was read', async () => {
      await putBytes(store, a, 2, bytes.subarray(1))
      const reader = await store.read(a, 2)
      assert.ok(reader !== undefined)
      await putBytes(store, a, 2, bytes)
      assert.equal(await store.setAside(a, 2, reader), false)
      await reader.close()
      assert.deepEqual(await readBytes(store, a, 2), bytes)
      assert.deepEqual(await store.damaged(), [])
    })

    it('never takes a copy away that is put while the damaged one goes', async () => {
      for (let i = 0; i < 20; i++) {
        await putBytes(store, indexOf(i), 0, bytes.subarray(1))
        const reader = await store.read(indexOf(i), 0)
        assert.ok(reader !== undefined)
        const writer = await store.create(indexOf(i), 0, 1000)
        await writer.write([bytes])
        const [moved] = await Promise.all([
          store.setAside(indexOf(i), 0, reader),
          i % 2 === 0 ? writer.commit() : Promise.resolve().then(() => writer.commit()),
        ])
        await reader.close()
        assert.equal(typeof moved, 'boolean')
        assert.deepEqual(await readBytes(store, indexOf(i), 0), bytes)
        assert.deepEqual(await store.damaged(), [])
      }
      assert.deepEqual(await countsOf(store), { shareCount: 20, shareBytes: 20_000 })
    })

    it('sets no share aside twice, nor one that is gone', async () => {
      await putBytes(store, a, 2, bytes)
      const reader = await store.read(a, 2)
      assert.ok(reader !== undefined)
      assert.equal(await store.setAside(a, 2, reader), true)
      assert.equal(await store.setAside(a, 2, reader), false)
      await reader.close()
      assert.equal((await store.damaged()).length, 1)
    })

    it('counts what shares take on the disk', async () => {
      assert.equal((await store.totals()).diskBytes, 0)
      for (let i = 0; i < 5; i++) await putBytes(store, indexOf(i), 0, bytes)
      const { diskBytes } = await store.totals()
      assert.ok(diskBytes >= 5000, `${diskBytes} bytes`)
      await setAside(store, indexOf(0), 0)
      assert.equal((await store.totals()).diskBytes, (diskBytes * 4) / 5)
    })

    it('tells its space', async () => {
      const { freeBytes, totalBytes } = await store.space()
      assert.ok(freeBytes > 0 && freeBytes <= totalBytes)
    })
  })
}
