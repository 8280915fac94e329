import { toBase32 } from '../../base/base32.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { plainText } from '../../base/plain-text.ts'
import type { ListedSnapshot } from '../../backup/snapshots.ts'
import { escapedName } from '../../local/escaped-name.ts'
import { backupLogOptions, backupReadCap, readSnapshots } from '../snapshot-source.ts'
import { command, type Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { openHomeGrid } from '../home-grid.ts'
import { deviceName } from '../log-cap.ts'
import { exitOf } from '../log-verdict.ts'
import { text, value } from '../option.ts'
import type { Facts } from '../output.ts'
import { filterOf, filterOptions } from '../snapshot-options.ts'
import { writePlot } from '../snapshot-plot.ts'

export const snapshots: Command = command({
  arguments: [],
  options: {
    ...backupLogOptions,
    ...filterOptions,
    latest: value('--latest <N>', 'the newest ones only', 'a number from 1', (given) =>
      /^[1-9][0-9]{0,8}$/.test(given) ? Number(given) : undefined,
    ),
    plot: text('--plot <FILE>', 'draw their sizes over time into a new SVG file'),
  },
  examples: [
    ['grid snapshots', 'list all backups, the newest last'],
    ['grid snapshots --host attic --latest 3', 'list the three newest of one machine'],
    ['grid snapshots --plot backups.svg', 'and see how they grow'],
  ],
  async run(context, { options }) {
    const { signal, output } = context
    const cap = await backupReadCap(context, options)
    const grid = await openHomeGrid(context)
    try {
      const found = await readSnapshots(context, grid, cap)
      const { latest } = options
      const listed = await found.list(filterOf(options), { latest, signal })
      for (const each of listed) await output.item(factsOf(each), lineOf(each))
      if (options.plot !== undefined)
        await writePlot(context, listed, { file: options.plot, title: 'Backups' })
      const { conclusion } = found.view
      const { state, answered, quorum } = conclusion
      const isSound = state === 'FRESH' || state === 'STALE-POSSIBLE'
      return {
        summary: { snapshots: listed.length, state, answered, quorum },
        text: listed.length === 1 ? '1 snapshot' : `${listed.length} snapshots`,
        exit: isSound ? exitCodes.ok : exitOf(conclusion),
      }
    } finally {
      await grid.close()
    }
  },
})

/** `a2b3c4d5e6  2026-01-02 03:04:05Z  laptop:12  attic  daily  ~/data  12 files  34.0 MiB  +1.00 MiB`. */
function lineOf(each: ListedSnapshot): string {
  const { shortId, device, author, seq, snapshot, error } = each
  const words = [shortId, timeText(each), `${deviceName(device, author)}:${seq}`]
  if (snapshot === undefined) return [...words, error?.message ?? 'sealed'].join('  ')
  const { host, label, paths, totals, partial, run } = snapshot
  words.push(plainText(host, 40))
  if (label !== '') words.push(plainText(label, 60))
  if (run !== undefined && run.tags.length > 0)
    words.push(`[${run.tags.map((tag) => plainText(tag, 40)).join(', ')}]`)
  words.push(...paths.slice(0, 3).map(escapedName))
  if (paths.length > 3) words.push(`and ${paths.length - 3} more`)
  words.push(`${totals.files} files`, formatByteSize(totals.bytes))
  if (run !== undefined) words.push(`+${formatByteSize(run.addedBytes)}`)
  if (partial) words.push('partial')
  return words.join('  ')
}

/** By the servers' receipts; what the machine itself said, with a question mark, where there are too few. */
function timeText({ receivedMs, clientMs }: ListedSnapshot): string {
  const text = isoOf(receivedMs ?? clientMs)
    .slice(0, 19)
    .replace('T', ' ')
  return receivedMs === undefined ? `${text}?` : `${text}Z`
}

function isoOf(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? 'never' : date.toISOString()
}

function factsOf(each: ListedSnapshot): Facts {
  const { id, shortId, device, author, seq, clientMs, receivedMs, snapshot, error } = each
  const facts = {
    id: toBase32(id),
    shortId,
    device: deviceName(device, author),
    author: toBase32(author),
    seq,
    ...(receivedMs !== undefined && { received: isoOf(receivedMs) }),
    clientTime: isoOf(clientMs),
  }
  if (snapshot === undefined) return { ...facts, error: error?.code }
  const { host, label, tool, paths, totals, partial, parents, run } = snapshot
  return {
    ...facts,
    host,
    label,
    tool,
    paths: paths.map(escapedName),
    ...totals,
    partial,
    parents: parents.map(toBase32),
    ...(run !== undefined && {
      root: escapedName(run.root),
      tags: run.tags,
      started: isoOf(run.startedMs),
      addedBytes: run.addedBytes,
      sentBytes: run.sentBytes,
    }),
  }
}
