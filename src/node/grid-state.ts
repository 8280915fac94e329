/**
 * How a grid is, as one client sees it: a state, why, and what to do about it. Pure, over what
 * servers answered and what is remembered of them. What is unknown is never ok.
 */
import type { Seen } from './peers/peer-history.ts'
import type { IntroducerReport, PeerReport } from './peers/peer-pool.ts'
import type { Redundancy } from './placement/placement.ts'
import { type Tolerance, toleranceOf } from './placement/tolerance.ts'

export type StateName = 'ok' | 'degraded' | 'never worked'

export interface State {
  state: StateName
  /** Of a degraded one: wall time, as far back as anybody here looked. */
  sinceMs: number | undefined
  /** Why it is not ok, and what to do: one line each. */
  cause: string | undefined
  next: string | undefined
}

export interface GridView {
  overall: State
  servers: { report: PeerReport; state: State }[]
  introducers: { report: IntroducerReport; state: State }[]
  answering: number
  accepting: number
  redundancy: Redundancy | undefined
  /** Of objects on n of the servers that answer and take shares. */
  tolerance: Tolerance | undefined
  /** Fewer servers take shares than a put needs. */
  isTooSmall: boolean
}

/** The key under which the history keeps how the grid as a whole was. */
export const wholeGrid = 'grid'

/** What there is to judge by. */
export interface Witnessed {
  reports: readonly PeerReport[]
  introducers: readonly IntroducerReport[]
  redundancy: Redundancy | undefined
}

/** @param note - notes in the history whether a server, an introducer, or the grid, works now */
export function viewGrid(
  { reports, introducers, redundancy }: Witnessed,
  note: (id: string, works: boolean) => Seen,
): GridView {
  const servers = reports.map((report) => {
    const works = report.status !== undefined
    return { report, state: stateOfServer(report, note(report.id, works)) }
  })
  // one peer may be both
  const told = introducers.map((report) => {
    const seen = note(`introducer ${report.id}`, report.answers)
    return { report, state: stateOfIntroducer(report, seen) }
  })
  const answering = reports.filter(({ status }) => status !== undefined)
  const accepting = answering.filter(({ accepts, status }) => accepts && status?.readOnly === false)
  const isTooSmall = redundancy === undefined || accepting.length < redundancy.happy
  const tolerance = redundancy && toleranceOf(redundancy, accepting)
  const counts = { known: reports.length, answering: answering.length, accepting: accepting.length }
  const problem = problemOf(counts, redundancy) ?? introducerProblem(introducers)
  const seen = note(wholeGrid, problem === undefined)
  const overall = problem === undefined ? ok : stateFrom(seen, problem)
  return {
    ...{ overall, servers, introducers: told },
    ...{ answering: answering.length, accepting: accepting.length },
    ...{ redundancy, tolerance, isTooSmall },
  }
}

const ok: State = { state: 'ok', sinceMs: undefined, cause: undefined, next: undefined }

interface Problem {
  cause: string
  next: string
}

function stateFrom({ answeredMs, silentSinceMs }: Seen, { cause, next }: Problem): State {
  const state = answeredMs === undefined ? 'never worked' : 'degraded'
  return { state, sinceMs: silentSinceMs, cause, next }
}

function stateOfServer({ status, error }: PeerReport, seen: Seen): State {
  if (status !== undefined) {
    if (status.damagedCount > 0)
      return {
        ...{ state: 'degraded', sinceMs: undefined },
        cause: `${status.damagedCount} damaged shares were set aside there`,
        next: 'grid check --all, then repair what it finds',
      }
    return ok
  }
  const next =
    seen.answeredMs === undefined
      ? 'see whether its node runs and whether its port can be reached from here'
      : 'nothing, if it comes back within days; then: grid check --all'
  return stateFrom(seen, { cause: error ?? 'no answer', next })
}

function stateOfIntroducer({ answers, error }: IntroducerReport, seen: Seen): State {
  if (answers) return ok
  const next =
    seen.answeredMs === undefined
      ? 'see whether it runs and whether its address in grid.introducers can be reached from here'
      : replaceIntroducer
  return stateFrom(seen, { cause: error ?? 'no answer', next })
}

/** Servers are found by the kept list for 90 days, but no new ones, and none that moves. */
function introducerProblem(introducers: readonly IntroducerReport[]): Problem | undefined {
  const lost = introducers.filter(({ answers }) => !answers).length
  if (lost === 0) return undefined
  if (lost < introducers.length)
    return {
      cause: `${lost} of ${introducers.length} introducers do not answer`,
      next: 'see each of them above; take out of grid.introducers those that are gone for good',
    }
  return {
    cause: 'no introducer answers: all goes on with the servers known before',
    next: replaceIntroducer,
  }
}

const replaceIntroducer =
  'start it again; if it is gone for good: grid introducer init, grid introducer run, and its address into grid.introducers of every config.toml'

function problemOf(
  { known, answering, accepting }: { known: number; answering: number; accepting: number },
  redundancy: Redundancy | undefined,
): Problem | undefined {
  if (known === 0)
    return {
      cause: 'no storage server is known: no introducer has named one',
      next: 'check grid.introducers and grid.peers in config.toml, and whether an introducer runs',
    }
  if (answering === 0)
    return {
      cause: `none of ${known} storage servers answers`,
      next: 'check the network of this machine, then the servers',
    }
  if (redundancy === undefined || accepting < redundancy.happy)
    return {
      cause: `${accepting} servers take shares, and a put needs ${redundancy?.happy ?? 1}`,
      next: 'make room on servers, bring back those that are silent, or add some',
    }
  if (accepting < redundancy.n)
    return {
      cause: `${accepting} servers take shares, and a whole object needs ${redundancy.n}`,
      next: 'bring back those that are silent or full, or add some; until then new objects have fewer shares',
    }
  if (answering < known)
    return {
      cause: `${known - answering} of ${known} servers do not answer`,
      next: 'see each of them above',
    }
  return undefined
}
