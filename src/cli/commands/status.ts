import { formatByteSize } from '../../base/byte-size.ts'
import { plainText } from '../../base/plain-text.ts'
import type { PeerReport } from '../../node/peer-pool.ts'
import { command, type Command } from '../command.ts'
import { openHomeGrid } from '../home-grid.ts'

export const status: Command = command({
  arguments: [],
  options: {},
  examples: [['grid status', 'list the storage servers and how they are']],
  async run(context) {
    const { signal, output } = context
    const grid = await openHomeGrid(context)
    try {
      const reports = await grid.status({ signal })
      for (const report of reports) await output.item({ ...report }, lineOf(report))
      const answering = reports.filter((report) => report.status !== undefined)
      const accepting = answering.filter(({ accepts }) => accepts)
      return {
        summary: {
          servers: reports.length,
          answering: answering.length,
          accepting: accepting.length,
        },
        text: `${answering.length} of ${reports.length} servers answer, ${accepting.length} accept shares`,
      }
    } finally {
      await grid.close()
    }
  },
})

/** `attic  12D3KooW…WxYz  1.20 TiB free  812 shares  34.0 GiB`. */
function lineOf({ id, nickname, accepts, status: facts, error }: PeerReport): string {
  const name = nameOf(id, nickname)
  const key = `${id.slice(0, 8)}…${id.slice(-6)}`
  if (facts === undefined) return [name, key, error ?? 'no answer'].join('  ')
  const words = [`${formatByteSize(facts.freeBytes)} free`, `${facts.shareCount} shares`]
  words.push(formatByteSize(facts.shareBytes))
  if (!accepts || facts.readOnly) words.push('takes no more')
  return [name, key, ...words].join('  ')
}

/** Of a folder, which is called by its path, the end, since that tells it from others. */
function nameOf(id: string, nickname: string): string {
  if (nickname === id) return '-'.padEnd(12)
  if (!nickname.startsWith('/') || nickname.length <= 30) return plainText(nickname, 30).padEnd(12)
  return plainText(`…${nickname.slice(-29)}`, 30)
}
