/** Bugs put into keeping on purpose, to see that the simulation finds each of them. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { InlineEncoder } from '../../../src/encoding/inline-encoder.ts'
import { readRelease } from '../../../src/log/release.ts'
import { DiskHoldJournal } from '../../../src/storage/holds/disk-hold-journal.ts'
import { HoldLedger } from '../../../src/storage/holds/hold-ledger.ts'
import type { HoldRecord } from '../../../src/storage/holds/hold-record.ts'
import { MemoryHoldIndex } from '../../../src/storage/holds/memory-hold-index.ts'
import { ClockWatch } from '../../../src/storage/holds/sweep-memory.ts'
import { altered } from '../altered.ts'
import { runPlan } from '../run-plan.ts'
import { hourMs, makeKeepPlan } from './keep-plan.ts'
import type { KeepBroken } from './keep-world.ts'

/** Seeds in which a bug must show. */
const seedsTried = 400

/** A method of the real thing that is replaced while the bug is in. */
interface Replaced {
  of: object
  method: string
  /** What takes the place of `real`. */
  by: (real: (...args: never[]) => unknown) => (this: unknown, ...args: never[]) => unknown
}

function replaced(of: object, method: string, by: Replaced['by']): Replaced {
  return { of, method, by }
}

interface Planted {
  parts?: KeepBroken
  replaced?: Replaced
  found: RegExp
  /** The seed to begin at, so that it does not take long; 1 if absent. */
  from?: number
}

const planted: Record<string, Planted> = {
  'leaves no time between a touch and the cutoff': {
    parts: { rules: { lessMarginMs: 72 * hourMs } },
    found: /I5/,
    from: 20,
  },
  'refers to what it remembers, and does not touch it': {
    parts: { rules: { touches: false } },
    found: /I5/,
  },
  'commits what it touched days ago': {
    parts: { rules: { freshMs: Infinity } },
    found: /I5/,
  },
  'says that it holds what is touched, and does not': {
    parts: {
      peer: (peer) =>
        altered(peer, {
          touch: async (indexes) =>
            (await peer.have(indexes)).map(({ length }) => (length > 0 ? 'held' : 'absent')),
        }),
    },
    found: /I5/,
  },
  'does not sync its journal of holds': {
    replaced: replaced(DiskHoldJournal.prototype, 'append', (real) => {
      return function (this: unknown, ...[records]: never[]) {
        return Reflect.apply(real, this, [records, { durable: false }]) as unknown
      }
    }),
    found: /I5/,
    from: 60,
  },
  'does not write touches to its journal': {
    replaced: replaced(HoldLedger.prototype, 'write', (real) => {
      return function (this: unknown, ...[records]: never[]) {
        const others = (records as readonly HoldRecord[]).filter(({ kind }) => kind !== 'held')
        return Reflect.apply(real, this, [others]) as unknown
      }
    }),
    found: /I5/,
  },
  'forgets at a start what was taken back': {
    replaced: replaced(HoldLedger.prototype, 'write', (real) => {
      return function (this: unknown, ...[records]: never[]) {
        const others = (records as readonly HoldRecord[]).filter(
          (record) => record.kind !== 'released' || record.cutoffMs > 0,
        )
        return Reflect.apply(real, this, [others]) as unknown
      }
    }),
    found: /I5/,
    from: 100,
  },
  'sweeps whatever the clock has done': {
    replaced: replaced(ClockWatch.prototype, 'look', (real) => {
      return async function (this: unknown) {
        const look = (await Reflect.apply(real, this, [])) as object
        return { ...look, steadyMs: Number.MAX_SAFE_INTEGER }
      }
    }),
    found: /I5/,
    from: 185,
  },
  'takes nothing back': {
    parts: {
      peer: (peer) =>
        altered(peer, {
          release: async (signed, options) =>
            readRelease(signed.body).cutoffMs > 0
              ? peer.release(signed, options)
              : { changed: 1, kept: 0 },
        }),
    },
    found: /I5/,
  },
  'renews no lease': {
    parts: {
      peer: (peer) =>
        altered(peer, {
          renew: async (indexes) =>
            (await peer.have(indexes)).map(({ length }) => (length > 0 ? 'held' : 'absent')),
        }),
    },
    found: /I5/,
    from: 36,
  },
  'carries a release out again whenever it comes': {
    replaced: replaced(MemoryHoldIndex.prototype, 'lastRelease', () => () => 0),
    found: /I13|I5/,
    from: 238,
  },
  'deletes what a scrub finds damaged': {
    parts: {
      store: (store) =>
        altered(store, {
          setAside: async (storageIndex, shareNumber) => {
            await store.remove(storageIndex, shareNumber)
            return true
          },
        }),
    },
    found: /I5.*damaged/,
    from: 40,
  },
  'counts servers that do not answer': {
    parts: {
      rules: {
        found: (found) => {
          const { claimed, unheard, object } = found
          return claimed + unheard.length < object.n ? found : { ...found, state: 'healthy' }
        },
      },
    },
    found: /I3.*healthy/,
    from: 60,
  },
  'counts damaged shares': {
    parts: {
      rules: {
        found: (found) =>
          found.claims.length < found.object.n ? found : { ...found, state: 'healthy' },
      },
    },
    found: /I3.*healthy/,
    from: 35,
  },
  'repairs with shares that it does not look at': {
    replaced: replaced(InlineEncoder.prototype, 'recode', (real) => {
      return async function (this: unknown, ...args: never[]) {
        const made = (await Reflect.apply(real, this, args)) as { shares: Uint8Array[] }
        for (const share of made.shares) share[share.length - 1] ^= 1
        return made
      }
    }),
    found: /I4/,
  },
}

async function withReplaced<T>(bug: Replaced | undefined, work: () => Promise<T>): Promise<T> {
  if (bug === undefined) return work()
  const { of, method, by } = bug
  const before = Object.getOwnPropertyDescriptor(of, method)!
  const real = before.value as (...args: never[]) => unknown
  Object.defineProperty(of, method, { ...before, value: by(real) })
  try {
    return await work()
  } finally {
    Object.defineProperty(of, method, before)
  }
}

describe('simulation of keeping, with a bug planted in it', function () {
  this.timeout(120_000)
  for (const [name, { parts, replaced: bug, found, from = 1 }] of Object.entries(planted)) {
    it(`finds out one that ${name}`, () =>
      withReplaced(bug, async () => {
        for (let seed = from; seed < from + seedsTried; seed++) {
          const plan = makeKeepPlan(`planted ${seed}`)
          const { violation } = await runPlan(plan, parts === undefined ? {} : { keepParts: parts })
          if (violation === undefined) continue
          assert.match(violation, found)
          return
        }
        assert.fail(`not found in ${seedsTried} seeds`)
      }))
  }
})
