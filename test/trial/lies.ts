/** What the servers of a trial may do wrong with logs, by the names that the command line takes. */
import { faults } from '../../src/storage/faults.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import { logFaults } from '../../src/storage/log-faults.ts'

export const lies: Record<string, () => Fault> = {
  /** Never answers what it is asked about logs. */
  silence: () => ({ readLog: faults.hangs().readLog, appendEntries: faults.hangs().appendEntries }),
  garbage: () => logFaults.garblesEntries('header'),
  /** Heads that nobody wrote. */
  'invented-heads': () => logFaults.inventsHeads(),
  /** Without the newest entry of every chain. */
  'old-head': () => logFaults.hidesNewest(1),
  'reordered-entries': () => logFaults.reordersEntries(),
}
