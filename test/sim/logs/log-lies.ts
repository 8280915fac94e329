/** The ways in which a log server of a run may misbehave, by the names that plans use. */
import { GridError } from '../../../src/base/errors.ts'
import { entryIdOf } from '../../../src/log/entry.ts'
import { faults, sometimes } from '../../../src/storage/faults.ts'
import type { Fault } from '../../../src/storage/faulty-peer.ts'
import { type Branch, logFaults } from '../../../src/storage/log-faults.ts'
import type { NodeKey } from '../../../src/storage/log-judge.ts'

export const logLies = [
  'hidesNewest',
  'hidesMuch',
  'standsStill',
  'omitsChain',
  'omitsEntry',
  'reordersEntries',
  'flipsHeaders',
  'flipsSignatures',
  'flipsBodies',
  'flipsReceipts',
  'garblesGenesis',
  'inventsHeads',
  'showsBranch',
  'withholdsBodies',
  'neverEnds',
  'losesLogs',
  'feignsNews',
  'hidesNews',
  'forgesReceipts',
  'signsOnly',
  'claimsGap',
  'claimsConflict',
  'echoesConflict',
  'refusesEntries',
  'feignsRevocation',
  'hangs',
  'isLate',
  'isBusy',
  'flaps',
  'keepsNothing',
  'forgesAndDrops',
  'swapsReceipts',
  'servesOtherLog',
  'scolds',
] as const

export type LogLie = (typeof logLies)[number]

/** What lies need to know of the world. */
export interface LieParts {
  nodeKey: NodeKey
  /** Another chain of the first device, signed by a thief of its key. */
  branch: Branch
  /** Genesis of another log. */
  otherGenesis: Uint8Array
}

const makers: Record<LogLie, (parts: LieParts) => Fault> = {
  hidesNewest: () => logFaults.hidesNewest(),
  hidesMuch: () => logFaults.hidesNewest(3),
  standsStill: () => logFaults.standsStill(),
  omitsChain: () => logFaults.omitsChain(),
  omitsEntry: () => logFaults.omitsEntry(),
  reordersEntries: () => logFaults.reordersEntries(),
  flipsHeaders: () => logFaults.garblesEntries('header'),
  flipsSignatures: () => logFaults.garblesEntries('signature'),
  flipsBodies: () => logFaults.garblesEntries('body'),
  flipsReceipts: () => logFaults.garblesEntries('receipt'),
  garblesGenesis: () => logFaults.garblesGenesis(),
  inventsHeads: () => logFaults.inventsHeads(),
  showsBranch: ({ branch }: LieParts) => logFaults.showsBranch(branch),
  withholdsBodies: () => logFaults.withholdsBodies(),
  neverEnds: () => logFaults.neverEnds(),
  losesLogs: () => logFaults.losesLogs(),
  feignsNews: () => logFaults.misstatesAdmin(),
  hidesNews: () => logFaults.misstatesAdmin(0),
  forgesReceipts: () => logFaults.forgesReceipts(),
  signsOnly: ({ nodeKey }: LieParts) => logFaults.signsOnly(nodeKey),
  claimsGap: () => logFaults.claimsGap(),
  claimsConflict: () => logFaults.claimsConflict(),
  echoesConflict: () => logFaults.claimsConflict(false),
  refusesEntries: () => logFaults.refusesEntries(),
  feignsRevocation: () => logFaults.refusesEntries('E_REVOKED'),
  hangs: () => faults.hangs(),
  isLate: () => faults.isLate(8000),
  isBusy: () => faults.fails('E_BUSY'),
  flaps: () => sometimes(0.5, faults.fails('E_BUSY')),

  /** Old heads, and receipts for what it throws away: the whole coalition at once. */
  keepsNothing: ({ nodeKey }: LieParts): Fault => ({
    ...logFaults.standsStill(),
    ...logFaults.signsOnly(nodeKey),
  }),

  /** Receipts under a signature of nobody, for what it throws away. */
  forgesAndDrops: (): Fault => ({
    appendEntries: async ({ asked: [request], random, clock }) => ({
      adminSeq: 0,
      verdicts: request.entries.map(() => ({
        outcome: 'stored',
        receipt: {
          ...{ node: random.bytes(32), receivedMs: clock.nowMs(), late: false },
          signature: random.bytes(64),
        },
      })),
    }),
  }),

  /** A receipt that is good, for another entry. */
  swapsReceipts: ({ nodeKey }: LieParts): Fault => ({
    appendEntries: async (call) => {
      const [request] = call.asked
      const entries = request.entries.map((e) => ({ ...e, header: e.body ?? e.header }))
      return logFaults.signsOnly(nodeKey).appendEntries!({
        ...call,
        asked: [{ ...request, entries }],
      })
    },
  }),

  /** The genesis and the entries of another log. */
  servesOtherLog: ({ otherGenesis }: LieParts): Fault => ({
    readLog: async ({ honest, asked: [request], random }) => {
      const reply = await honest()
      const genesis = request.genesis ? otherGenesis : undefined
      const heads = reply.heads.map((head) => ({ ...head, id: entryIdOf(random.bytes(8)) }))
      return { ...reply, genesis, heads }
    },
  }),

  /** Refuses all, in words that would play with a terminal. */
  scolds: (): Fault => {
    const refuse = async (): Promise<never> => {
      throw new GridError('E_FORBIDDEN', `\u001b[2J\u202e${'no\n'.repeat(500)}`)
    }
    return { readLog: refuse, appendEntries: refuse }
  },
}

export function logFaultOf(lie: LogLie, parts: LieParts): Fault {
  return makers[lie](parts)
}
