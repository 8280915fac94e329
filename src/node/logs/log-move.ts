/**
 * Moves a log off servers that take nothing any more, or do not answer, onto others
 * (docs/specs/log.md, "Servers and quorums").
 */
import { heardByMany } from '../../base/deadline.ts'
import { GridError } from '../../base/errors.ts'
import { peerIdOf, publicKeyOf } from '../../base/peer-id.ts'
import type { LogAdmin } from '../../log/log-admin.ts'
import type { AppendReport } from '../../log/quorum-append.ts'
import type { Candidate } from '../peers/candidate.ts'
import { serversWanted } from './log-founding.ts'

export interface MovedLog {
  /** How many keep it now. */
  servers: number
  /** Peer ids of those that keep it since now, and of those that do not any more. */
  came: string[]
  gone: string[]
  /** Undefined where nothing had to be moved. */
  report: AppendReport | undefined
}

/**
 * Of its servers those stay that accept and answer; others that accept come until there are ten; then
 * those stay, if there is room, that are only silent.
 *
 * @param candidates - every server known, those first that are to be preferred
 * @throws E_NOT_ENOUGH_SERVERS, and as `LogAdmin.moveTo`
 */
export async function moveLog(
  admin: LogAdmin,
  candidates: readonly Candidate[],
  options: { signal?: AbortSignal } = {},
): Promise<MovedLog> {
  const { view, configs } = admin.writer
  const before = view.rules.config.servers.map(peerIdOf)
  const chosen = chosenOf(before, candidates, answeredOf(admin))
  if (chosen.length === 0)
    throw new GridError('E_NOT_ENOUGH_SERVERS', 'no server is known that could keep the log')
  const after = new Set(chosen.map(({ id }) => id))
  const came = [...after].filter((id) => !before.includes(id))
  const gone = before.filter((id) => !after.has(id))
  const moved = { servers: after.size, came, gone }
  if (came.length + gone.length === 0 && configs.length === 1)
    return { ...moved, report: undefined }
  const keys = chosen.map(({ id }) => publicKeyOf(id)!)
  const peers = chosen.map(({ peer }) => peer)
  return { ...moved, report: await admin.moveTo(keys, peers, heardByMany(options)) }
}

function answeredOf({ writer }: LogAdmin): Set<string> {
  return new Set(
    writer.view.servers.flatMap(({ server, reason }) => (reason === undefined ? server : [])),
  )
}

function chosenOf(
  before: readonly string[],
  candidates: readonly Candidate[],
  answered: ReadonlySet<string>,
): Candidate[] {
  const accepting = candidates.filter(({ accepts, id }) => accepts && publicKeyOf(id) !== undefined)
  const own = accepting.filter(({ id }) => before.includes(id))
  const stay = own.filter(({ id }) => answered.has(id))
  const others = accepting.filter(({ id }) => !before.includes(id))
  const silent = own.filter(({ id }) => !answered.has(id))
  return [...stay, ...others, ...silent].slice(0, Math.max(serversWanted, stay.length))
}
