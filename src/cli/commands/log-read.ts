import { toBase32 } from '../../base/base32.ts'
import { formatByteSize } from '../../base/byte-size.ts'
import { plainText } from '../../base/plain-text.ts'
import { formatCap } from '../../caps/text.ts'
import type { LogSnapshot } from '../../node/logs/readable-log.ts'
import { capOptions } from '../cap-argument.ts'
import { command, type Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { openHomeGrid } from '../home-grid.ts'
import { deviceName, headText, onlyLogCap, shortId } from '../log-cap.ts'
import { conclusionText, exitOf } from '../log-verdict.ts'
import { flag, value } from '../option.ts'
import type { Facts } from '../output.ts'

export const logRead: Command = command({
  arguments: [{ name: 'CAP', summary: 'the LOG-Read or LOG-Admin cap; or ALIAS:', optional: true }],
  options: {
    ...capOptions,
    last: value('--last <N>', 'the newest ones only', 'a number from 1', (text) =>
      /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined,
    ),
    caps: flag('--caps', 'print the cap of each directory instead of the list'),
  },
  examples: [
    ['grid log read --cap-file log.cap', 'list the snapshots of all devices'],
    ['grid log read --cap-file log.cap --last 1 --caps', 'print the cap of the newest one'],
  ],
  async run(context, call) {
    const { signal, output } = context
    const { last, caps } = call.options
    const cap = await onlyLogCap(call, context, 'LOG-Read')
    const grid = await openHomeGrid(context)
    try {
      const log = grid.logs.reader(cap)
      const view = await log.read({ signal })
      const { conclusion } = view
      if (conclusion.state !== 'FRESH') await output.warning(conclusionText(conclusion))
      let snapshots = 0
      for await (const each of log.snapshots(view, { last, signal })) {
        snapshots++
        const text = caps && each.snapshot ? formatCap(each.snapshot.cap) : lineOf(each)
        await output.item(factsOf(each), text)
      }
      const { state, answered, quorum } = conclusion
      const isSound = state === 'FRESH' || state === 'STALE-POSSIBLE'
      return {
        summary: { snapshots, state, answered, quorum },
        text: conclusionText(conclusion),
        exit: isSound ? exitCodes.ok : exitOf(conclusion),
      }
    } finally {
      await grid.close()
    }
  },
})

/** `laptop:3:a2b3c4d5e6  2026-01-02 03:04:05Z  attic  12 files  34.0 MiB  after b2c3d4e5f6`. */
function lineOf({ device, author, seq, id, clientMs, snapshot, error }: LogSnapshot): string {
  const head = headText(deviceName(device, author), seq, id)
  const time = new Date(clientMs).toISOString().slice(0, 19).replace('T', ' ')
  if (snapshot === undefined) return [head, `${time}Z`, error?.message ?? 'sealed'].join('  ')
  const { host, label, totals, parents, partial } = snapshot
  const words = [head, `${time}Z`, plainText(host, 40)]
  if (totals.files + totals.directories > 0) {
    // versions of trees are not counted
    words.push(`${totals.files} files`, `${totals.directories} directories`)
    words.push(formatByteSize(totals.bytes))
  }
  if (label !== '') words.push(plainText(label, 60))
  if (partial) words.push('partial')
  if (parents.length > 0) words.push(`after ${parents.map(shortId).join(', ')}`)
  return words.join('  ')
}

function factsOf({ device, author, seq, id, clientMs, snapshot, error }: LogSnapshot): Facts {
  const name = deviceName(device, author)
  const facts = {
    head: headText(name, seq, id),
    device: name,
    author: toBase32(author),
    seq,
    id: toBase32(id),
    time: new Date(clientMs).toISOString(),
  }
  if (snapshot === undefined) return { ...facts, error: error?.code }
  const { cap, host, label, tool, totals, partial, parents, paths } = snapshot
  const texts = new TextDecoder()
  return {
    ...facts,
    cap: formatCap(cap),
    host,
    label,
    tool,
    paths: paths.map((path) => texts.decode(path)),
    ...totals,
    partial,
    parents: parents.map(toBase32),
  }
}
