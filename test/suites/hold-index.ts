/** What every index of holds must do, as a function of how to make one. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toHex } from '../../src/base/bytes.ts'
import { applyRecord } from '../../src/storage/holds/apply-record.ts'
import {
  accountHolder,
  clientHolder,
  type HeldObject,
  type Holder,
  nobody,
  payerHolder,
  unheld,
  withDamaged,
  withHold,
  withShare,
} from '../../src/storage/holds/held-object.ts'
import type { HoldIndex } from '../../src/storage/holds/hold-index.ts'
import type { HoldRecord } from '../../src/storage/holds/hold-record.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { indexOf } from './share-store.ts'

export interface HoldIndexFixture {
  index: HoldIndex
  close(): Promise<void>
}

const [account, other] = [1, 2].map((id) => accountHolder(new Uint8Array(32).fill(id)))
const client = clientHolder('a client')
const payer = payerHolder(new Uint8Array(32).fill(3))

function held(...holders: Holder[]): HeldObject {
  const object = withShare(unheld, 3, 10_000)
  return holders.reduce(
    (sum, holder) => withHold(sum, { holder, payer: undefined, touchedMs: 1000, expiresMs: 0 }),
    object,
  )
}

export function holdIndexSuite(name: string, make: () => Promise<HoldIndexFixture>): void {
  describe(`${name} as an index of holds`, () => {
    let fixture: HoldIndexFixture
    let index: HoldIndex

    beforeEach(async () => {
      fixture = await make()
      index = fixture.index
    })

    afterEach(() => fixture.close())

    it('knows nothing at first', () => {
      assert.equal(index.object(indexOf(1)), undefined)
      assert.deepEqual(index.totals(account), {
        ...{ chargedBytes: 0, objectCount: 0, damagedCount: 0 },
      })
      assert.deepEqual(index.holders(), [])
      assert.equal(index.isComplete, false)
      assert.deepEqual(index.page({ after: undefined, limit: 10 }), { objects: [], complete: true })
      assert.equal(index.lastRelease(account, new Uint8Array(32)), 0)
      assert.deepEqual([...index.marks()], [])
    })

    it('knows about how many rows it has, and never of fewer', async () => {
      await index.change((writer) => {
        for (let i = 0; i < 100; i++) writer.setObject(indexOf(i), held(account, other))
      })
      const rows = 100 * 3
      assert.ok(index.rowCount >= rows && index.rowCount <= rows + 10, `${index.rowCount}`)
      await index.change((writer) => {
        for (let i = 0; i < 90; i++) writer.setObject(indexOf(i), undefined)
      })
      assert.ok(index.rowCount >= 30 && index.rowCount <= 40, `${index.rowCount}`)
    })

    it('gives back every field of what it is given', async () => {
      const hold = { holder: client, payer, touchedMs: 2 ** 41, expiresMs: 2 ** 42 }
      const leased = withHold(held(account), hold)
      const released = {
        ...leased,
        damaged: Uint8Array.of(1, 254),
        holds: leased.holds.map((each) => ({ ...each, releasedMs: 7, cutoffMs: 5 })),
      }
      await index.change((writer) => {
        writer.setObject(indexOf(1), leased)
        writer.setObject(indexOf(2), released)
        writer.setObject(indexOf(3), unheld)
      })
      assert.deepEqual(index.object(indexOf(1)), leased)
      assert.deepEqual(index.object(indexOf(2)), released)
      assert.deepEqual(index.object(indexOf(3)), unheld)
    })

    it('keeps totals for each holder, whatever changes', async () => {
      const set = (number: number, object: HeldObject | undefined): Promise<void> =>
        index.change((writer) => writer.setObject(indexOf(number), object))
      await set(1, held(account, other))
      await set(2, held(account))
      assert.deepEqual(index.totals(account), {
        ...{ chargedBytes: 20_000, objectCount: 2, damagedCount: 0 },
      })
      await set(1, withShare(held(other), 4, 1))
      assert.equal(index.totals(account).chargedBytes, 10_000)
      assert.equal(index.totals(other).chargedBytes, 14_096)
      await set(2, withDamaged(held(account), 3, 10_000))
      assert.deepEqual(index.totals(account), {
        ...{ chargedBytes: 0, objectCount: 1, damagedCount: 1 },
      })
      await set(2, undefined)
      assert.equal(index.totals(account).objectCount, 0)
      assert.deepEqual(index.holders(), [other])
    })

    it('charges who pays for each hold that they pay for', async () => {
      const paid = { payer, touchedMs: 1, expiresMs: 0 }
      const object = withHold(withHold(held(), { holder: account, ...paid }), {
        ...{ holder: other, ...paid },
      })
      await index.change((writer) => writer.setObject(indexOf(1), object))
      assert.equal(index.totals(payer).chargedBytes, 20_000)
      const moved = withHold(object, {
        holder: other,
        payer: undefined,
        touchedMs: 2,
        expiresMs: 0,
      })
      await index.change((writer) => writer.setObject(indexOf(1), moved))
      assert.equal(index.totals(payer).chargedBytes, 10_000)
      assert.equal(index.totals(other).chargedBytes, 10_000)
      await index.change((writer) => writer.setObject(indexOf(1), undefined))
      assert.equal(index.totals(payer).objectCount, 0)
    })

    it('pages through all objects, and through those of one holder', async () => {
      const numbers = Array.from({ length: 25 }, (_, i) => i)
      await index.change((writer) => {
        for (const i of numbers) {
          writer.setObject(indexOf(i), held(i % 3 === 0 ? account : other, nobody))
        }
      })
      const ascending = numbers.map((i) => toHex(indexOf(i))).sort()
      const ofAccount = new Set(numbers.filter((i) => i % 3 === 0).map((i) => toHex(indexOf(i))))
      for (const holder of [undefined, account]) {
        const expected = ascending.filter((key) => holder === undefined || ofAccount.has(key))
        for (const limit of [1, 9, expected.length, 100]) {
          const found: string[] = []
          let after: Uint8Array | undefined
          for (;;) {
            const page = index.page({ after, limit, holder })
            assert.ok(page.objects.length <= limit)
            found.push(...page.objects.map(({ storageIndex }) => toHex(storageIndex)))
            if (page.complete) break
            after = page.objects.at(-1)?.storageIndex
          }
          assert.deepEqual(found, expected)
        }
      }
      const { objects } = index.page({ after: undefined, limit: 1, holder: client })
      assert.deepEqual(objects, [])
    })

    it('undoes a change that throws', async () => {
      await index.change((writer) => {
        writer.setObject(indexOf(1), held(account))
        writer.setLastRelease(account, indexOf(1), 4)
        writer.setMark('a segment', 10)
      })
      const failing = index.change((writer) => {
        writer.setObject(indexOf(1), held(client))
        writer.setObject(indexOf(2), held(account))
        writer.setObject(indexOf(2), held(other))
        writer.setLastRelease(account, indexOf(1), 5)
        writer.setMark('a segment', undefined)
        writer.setComplete(true)
        throw new Error('planned')
      })
      await assert.rejects(failing, /planned/)
      assert.deepEqual(index.object(indexOf(1)), held(account))
      assert.equal(index.object(indexOf(2)), undefined)
      assert.deepEqual(index.holders(), [account])
      assert.equal(index.totals(account).objectCount, 1)
      assert.equal(index.lastRelease(account, indexOf(1)), 4)
      assert.deepEqual([...index.marks()], [['a segment', 10]])
      assert.equal(index.isComplete, false)
    })

    it('sees within a change what the change has done', async () => {
      await index.change((writer) => {
        writer.setObject(indexOf(1), held(account))
        assert.deepEqual(writer.object(indexOf(1)), held(account))
        assert.equal(writer.totals(account).objectCount, 1)
        writer.setComplete(true)
      })
      assert.equal(index.isComplete, true)
    })

    it('keeps releases and marks', async () => {
      const author = new Uint8Array(32).fill(9)
      await index.change((writer) => {
        writer.setLastRelease(account, author, 2 ** 40)
        writer.setMark('one', 1)
        writer.setMark('two', 2)
        writer.setMark('one', undefined)
      })
      assert.equal(index.lastRelease(account, author), 2 ** 40)
      assert.equal(index.lastRelease(other, author), 0)
      assert.deepEqual(index.releases(), [{ account, author, releaseSeq: 2 ** 40 }])
      assert.deepEqual([...index.marks()], [['two', 2]])
    })

    it('comes to the same when records are carried out again, in any order', async () => {
      const random = new SimRandom('orders')
      const storageIndexes = [indexOf(1), indexOf(2)]
      const author = new Uint8Array(32)
      const touchAt = (atMs: number, at: Uint8Array): HoldRecord => ({
        kind: 'held',
        atMs,
        holder: account,
        payer: undefined,
        holds: [{ storageIndex: at, chargedBytes: 5000, touchedMs: atMs, expiresMs: 0 }],
      })
      const records: HoldRecord[] = [
        touchAt(100, indexOf(1)),
        touchAt(150, indexOf(2)),
        touchAt(300, indexOf(2)),
        ...[
          { atMs: 200, releaseSeq: 1, cutoffMs: 180 },
          { atMs: 400, releaseSeq: 2, cutoffMs: 350 },
        ].map((release) => ({
          ...({ kind: 'released', account, author, storageIndexes } as const),
          ...release,
        })),
        touchAt(500, indexOf(1)),
      ]
      await index.change((writer) => {
        for (const record of records) applyRecord(writer, record)
      })
      const expected = storageIndexes.map((at) => index.object(at)?.holds)
      for (let round = 0; round < 20; round++) {
        await index.change((writer) => {
          for (const record of random.shuffled(records)) applyRecord(writer, record)
        })
        assert.deepEqual(
          storageIndexes.map((at) => index.object(at)?.holds),
          expected,
        )
      }
    })
  })
}
