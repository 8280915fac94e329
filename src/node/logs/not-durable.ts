/** An entry that is on fewer servers than a quorum, as its author is told. */
import { GridError } from '../../base/errors.ts'
import type { AppendReport } from '../../log/quorum-append.ts'
import { isFull } from '../peers/candidate.ts'

export function notDurable(report: AppendReport): GridError {
  const stored = report.receipts.length
  const { servers } = report
  const on = `the entry is on ${stored} of ${servers.length} log servers, fewer than a quorum`
  const refused = servers.flatMap((answer) =>
    answer.outcome === 'failed' ? [{ peerId: answer.server, code: answer.code }] : [],
  )
  // the entry may be there all the same, so this is no E_FULL
  const isForRoom = isFull(refused, Math.max(1, refused.length))
  return new GridError('E_NOT_DURABLE', isForRoom ? `the grid is full: ${on}` : on, {
    hint: isForRoom
      ? 'make room on the disks of its servers; it is offered again before the next one'
      : 'see `grid status`; it is offered again before the next one',
    facts: { stored, isFull: isForRoom, servers: servers.map(factsOf) },
  })
}

function factsOf(answer: AppendReport['servers'][number]): Record<string, string> {
  const { server, outcome } = answer
  return answer.outcome === 'failed'
    ? { server, outcome, code: answer.code, reason: answer.reason }
    : { server, outcome }
}
