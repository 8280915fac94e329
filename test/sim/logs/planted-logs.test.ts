/** Bugs put into logs on purpose, to see that the simulation finds each of them. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Disk, DiskFile } from '../../../src/base/disk.ts'
import { Branches } from '../../../src/log/branches.ts'
import { Chain } from '../../../src/log/chain.ts'
import { quorumOf } from '../../../src/log/log-config.ts'
import { LogRules } from '../../../src/log/log-rules.ts'
import type { LogView } from '../../../src/log/log-view.ts'
import type { AppendReport, ServerReceipt } from '../../../src/log/quorum-append.ts'
import { RateWindow } from '../../../src/log/rate-window.ts'
import { altered } from '../altered.ts'
import { runPlan } from '../run-plan.ts'
import { makeLogPlan } from './log-plan.ts'
import type { LogParts } from './log-world.ts'

/** Seeds in which a bug must show. */
const seedsTried = 200

const noFileSync = (disk: Disk): Disk =>
  altered(disk, {
    create: async (path): Promise<DiskFile> =>
      altered(await disk.create(path), { sync: async () => {} }),
  })

const noDirectorySync = (disk: Disk): Disk => altered(disk, { syncDirectory: async () => {} })

/** Committed once so many servers have said something that `counts`. */
const committedBy =
  (lacking: number, counts: (answer: ServerReceipt) => boolean) =>
  (report: AppendReport): AppendReport => {
    const { servers } = report
    const isEnough = servers.filter(counts).length >= quorumOf(servers.length) - lacking
    return isEnough ? { ...report, outcome: 'committed' } : report
  }

/** Methods of the real thing that are replaced while the bug is in. */
interface Replaced {
  of: object
  method: string
  by: (this: never, ...args: never[]) => unknown
}

const placeOf = Reflect.get(Chain.prototype, 'placeOf') as () => unknown

interface Planted {
  parts?: LogParts
  replaced?: Replaced
  found: RegExp
  /** The seed to begin at; 1 if absent. */
  from?: number
}

const planted: Record<string, Planted> = {
  'does not sync the files of its log store': { parts: { disk: noFileSync }, found: /I3|I1/ },
  'does not sync the directories of its log store': {
    parts: { disk: noDirectorySync },
    found: /I3|I1/,
  },
  'takes one server less for a quorum': {
    parts: { report: committedBy(1, (answer) => 'receipt' in answer) },
    found: /L1/,
  },
  'counts receipts that are not good': {
    parts: {
      report: committedBy(0, (answer) => {
        return 'receipt' in answer || ('code' in answer && answer.code === 'E_RECEIPT')
      }),
    },
    found: /L1/,
  },
  'does not write its pins': {
    parts: { pins: (pins) => altered(pins, { save: async () => {} }) },
    found: /L2/,
    // one seed in some 400 rolls back just the servers that answer, and then restarts the reader
    from: 401,
  },
  'does not write its journal': {
    parts: { journal: (journal) => altered(journal, { save: async () => {} }) },
    found: /L3|L5/,
  },
  'says FRESH whatever answers': {
    parts: {
      view: (view) => {
        const conclusion = { ...view.conclusion, state: 'FRESH', evidence: [] } as const
        return altered<LogView>(view, { conclusion })
      },
    },
    found: /L2|L3|L1/,
  },
  'takes entries whatever they link to': {
    replaced: {
      of: Chain.prototype,
      method: 'placeOf',
      by(this: never, ...args: never[]) {
        const place: unknown = Reflect.apply(placeOf, this, args)
        return place === 'unlinked' ? 'next' : place
      },
    },
    found: /L4|forged/,
  },
  'ignores revocations': {
    replaced: { of: LogRules.prototype, method: 'revocationOf', by: () => undefined },
    found: /L4/,
  },
  'takes entries at any rate': {
    replaced: { of: RateWindow.prototype, method: 'hasRoom', by: () => true },
    found: /L4/,
  },
  'tells of no fork': {
    parts: {
      peer: (peer) =>
        altered(peer, {
          readLog: async (...args) => ({ ...(await peer.readLog(...args)), forks: [] }),
        }),
    },
    replaced: { of: Branches.prototype, method: 'proofs', by: () => [] },
    found: /L3/,
  },
}

async function withReplaced<T>(replaced: Replaced | undefined, work: () => Promise<T>): Promise<T> {
  if (replaced === undefined) return work()
  const { of, method, by } = replaced
  const before = Object.getOwnPropertyDescriptor(of, method)!
  Object.defineProperty(of, method, { ...before, value: by })
  try {
    return await work()
  } finally {
    Object.defineProperty(of, method, before)
  }
}

describe('simulation of logs, with a bug planted in it', function () {
  this.timeout(120_000)
  for (const [name, { parts, replaced, found, from = 1 }] of Object.entries(planted)) {
    it(`finds out one that ${name}`, () =>
      withReplaced(replaced, async () => {
        for (let seed = from; seed < from + seedsTried; seed++) {
          const plan = makeLogPlan(`planted ${seed}`)
          const { violation } = await runPlan(plan, parts === undefined ? {} : { logParts: parts })
          if (violation === undefined) continue
          assert.match(violation, found)
          return
        }
        assert.fail(`not found in ${seedsTried} seeds`)
      }))
  }
})
