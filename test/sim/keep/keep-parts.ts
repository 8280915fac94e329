/** What the machines of a run of keeping share. */
import type { Clock } from '../../../src/base/clock.ts'
import type { FoundObject } from '../../../src/node/check/check-run.ts'
import type { ErasureCode } from '../../../src/encoding/erasure-code.ts'
import type { ReleaseReply } from '../../../src/storage/hold-peer.ts'
import type { Journal } from '../journal.ts'
import type { SimRandom } from '../sim-random.ts'
import type { Tally } from '../tally.ts'
import type { KeepJudge } from './keep-judge.ts'
import type { KeepLog } from './keep-log.ts'
import type { KeepObject } from './keep-objects.ts'
import type { KeepOptions } from './keep-plan.ts'
import type { KeepServer } from './keep-server.ts'

/** What of the world a machine is given. */
export interface KeepParts {
  options: KeepOptions
  clock: Clock
  random: SimRandom
  journal: Journal
  tally: Tally
  log: KeepLog
  judge: KeepJudge
  servers: readonly KeepServer[]
  objects: readonly KeepObject[]
  rules: KeepRules
  code: ErasureCode
  /** A server has answered a release that it had carried out before. */
  onReplayed: (server: string, reply: ReleaseReply) => void
}

/** Numbers that a test may change, to see that the simulation finds it out. */
export interface KeepRules {
  /** A snapshot refers only to what was put or touched so long ago at most. */
  freshMs: number
  /** By how much less than it should a release spares what was touched before its marking began. */
  lessMarginMs: number
  /** Whether what an older snapshot of the device's own held is touched again. */
  touches: boolean
  /** What is made of what a check has found. */
  found: (found: FoundObject) => FoundObject
}
