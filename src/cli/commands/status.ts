import { formatByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { plainText } from '../../base/plain-text.ts'
import { type GridView, type State, viewGrid, type Witnessed } from '../../node/grid-state.ts'
import { PeerHistory } from '../../node/peers/peer-history.ts'
import type { IntroducerReport, PeerReport } from '../../node/peers/peer-pool.ts'
import { RecordFolder } from '../../node/home/record-folder.ts'
import { command, type Command, type Context } from '../command.ts'
import { factsOfEnd, itemOfEnd } from '../end-item.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { openHomeGrid } from '../home-grid.ts'
import { endsOf, testEnds, withEnds } from '../status-ends.ts'
import { backupItems, nodeItem } from '../status-items.ts'
import { isoText, momentText } from '../time-text.ts'

export const status: Command = command({
  arguments: [],
  options: {},
  examples: [
    ['grid status', 'see how the storage servers are, what may fail, and what to do'],
    ['grid status --json', 'the same for a program; the exit code is not 0 unless all is well'],
  ],
  async run(context) {
    const { signal, output } = context
    const grid = await openHomeGrid(context)
    try {
      const reports = await grid.status({ signal })
      const seen = await viewOf(context, {
        reports,
        introducers: await grid.introducers({ signal }),
        redundancy: await grid.redundancy({ signal }),
      })
      const ends = await endsOf(context)
      const view = { ...seen, overall: withEnds(seen.overall, ends) }
      for (const { report, state } of view.servers)
        await output.item({ ...report, ...stateFacts(state) }, lineOf(report, state))
      for (const { report, state } of view.introducers) {
        const facts = { about: 'introducer', id: report.id, ...stateFacts(state) }
        await output.item(facts, introducerLine(report, state))
      }
      const own = await nodeItem(context)
      const backups = await backupItems(context, grid)
      const more = [...backups, ...ends.map(itemOfEnd)]
      for (const { facts, text } of [...(own === undefined ? [] : [own]), ...more])
        await output.item(facts, plainText(text, 400))
      await tell(context, view)
      const { answering, accepting, overall, redundancy, tolerance } = view
      return {
        summary: {
          ...{ servers: reports.length, answering, accepting, ...stateFacts(overall) },
          ...{ redundancy: redundancy ?? null, mayVanish: tolerance ?? null },
          ends: [...ends, ...testEnds(backups)].map(factsOfEnd),
        },
        text: `${answering} of ${reports.length} servers answer, ${accepting} accept shares`,
        exit: exitOf(view),
      }
    } finally {
      await grid.close()
    }
  },
})

async function viewOf({ home, world }: Context, witnessed: Witnessed): Promise<GridView> {
  const { disk, random, clock } = world
  const history = await PeerHistory.open(new RecordFolder({ disk, random, path: home.cache }))
  const nowMs = Math.floor(clock.nowMs())
  const view = viewGrid(witnessed, (id, works) => history.note(id, works, nowMs))
  // a home that cannot be written is told of all the same
  await history.save().catch(() => undefined)
  return view
}

/** What may vanish, and what is wrong: to people. */
async function tell({ output }: Context, view: GridView): Promise<void> {
  const { overall, redundancy, tolerance, servers } = view
  if (servers.length === 0)
    throw new GridError('E_UNREACHABLE', `${stateText(overall)}: ${overall.cause ?? ''}`, {
      ...(overall.next !== undefined && { hint: overall.next }),
      facts: { ...stateFacts(overall), servers: 0 },
    })
  if (redundancy !== undefined && tolerance !== undefined) {
    const { k, n } = redundancy
    const domains =
      tolerance.domains === undefined ? '' : `, or any ${tolerance.domains} whole domains,`
    const worst =
      tolerance.worst === undefined
        ? ''
        : `; ${plainText(tolerance.worst.label, 60)} takes ${tolerance.worst.shareCount} shares of one object with it`
    output.note(
      `new objects are coded ${k}-of-${n}: any ${tolerance.servers} of the servers${domains} may vanish${worst}`,
    )
  }
  if (overall.state !== 'ok')
    await output.warning(`${stateText(overall)}: ${overall.cause ?? ''}; ${overall.next ?? ''}`)
}

/** Unknown is never healthy: whatever is not ok has a code of its own. */
function exitOf({ overall, answering, isTooSmall }: GridView): ExitCode {
  if (answering === 0) return exitCodes.unreachable
  if (isTooSmall) return exitCodes.notEnoughServers
  return overall.state === 'ok' ? exitCodes.ok : exitCodes.partlyDone
}

function stateFacts({ state, sinceMs, cause, next }: State): Record<string, unknown> {
  if (state === 'ok') return { state }
  return { state, since: isoText(sinceMs), cause, next }
}

/** `degraded since 2026-01-02 03:04:05Z`. */
function stateText({ state, sinceMs }: State): string {
  return sinceMs === undefined || state === 'never worked'
    ? state
    : `${state} since ${momentText(sinceMs)}`
}

/** `attic  12D3KooW…WxYz  1.20 TiB free  812 shares  34.0 GiB`. */
function lineOf({ id, nickname, accepts, status: facts }: PeerReport, state: State): string {
  const name = nameOf(id, nickname)
  const words = [name, keyOf(id)]
  if (facts !== undefined) {
    words.push(`${formatByteSize(facts.freeBytes)} free`, `${facts.shareCount} shares`)
    words.push(formatByteSize(facts.shareBytes))
    if (!accepts || facts.readOnly) words.push('takes no more')
  }
  return [...words, ...complaint(state)].join('  ')
}

/** `introducer    12D3KooW…WxYz  names the servers`. */
function introducerLine({ id, answers }: IntroducerReport, state: State): string {
  const words = ['introducer'.padEnd(12), keyOf(id), ...(answers ? ['names the servers'] : [])]
  return [...words, ...complaint(state)].join('  ')
}

function keyOf(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-6)}`
}

function complaint(state: State): string[] {
  if (state.state === 'ok') return []
  return [`${stateText(state)}: ${plainText(state.cause ?? '')}`, `try: ${state.next ?? ''}`]
}

/** Of a folder, which is called by its path, the end, since that tells it from others. */
function nameOf(id: string, nickname: string): string {
  if (nickname === id) return '-'.padEnd(12)
  if (!nickname.startsWith('/') || nickname.length <= 30) return plainText(nickname, 30).padEnd(12)
  return plainText(`…${nickname.slice(-29)}`, 30)
}
