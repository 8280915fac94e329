import encodeQR from 'qr'
import { parseByteSize } from '../../base/byte-size.ts'
import { GridError } from '../../base/errors.ts'
import { randomBelow, type Random } from '../../base/random.ts'
import { maxWatchMs } from '../../node/running/control.ts'
import {
  formatRequest,
  parseInvite,
  type InviteReport,
} from '../../node/running/control-messages.ts'
import { defaultMemberMs } from '../../node/running/founding.ts'
import { memberKinds } from '../../members/member-certificate.ts'
import { words } from '../../members/word-list.ts'
import { askHomeNode } from '../ask-node.ts'
import { command, type Command, type Context } from '../command.ts'
import { parseDurationMs } from '../duration.ts'
import { inviteFacts, inviteLine } from '../invite-lines.ts'
import { flag, list, text, value } from '../option.ts'

const dayMs = 24 * 3600 * 1000

export const invite: Command = command({
  arguments: [],
  options: {
    name: text('--name <NAME>', 'what you call the invitation'),
    expires: value(
      '--expires <SPAN>',
      'how long it is good (24h)',
      'a span of time like 24h or 7d',
      parseDurationMs,
    ),
    quota: value(
      '--quota <SIZE>',
      'what it may store at each server (no bound)',
      'a size like 100GiB',
      parseByteSize,
    ),
    days: value('--days <N>', 'how long it is a member (3650)', 'a number of days', (given) =>
      /^[1-9]\d{0,5}$/.test(given) ? Number(given) : undefined,
    ),
    server: flag('--server', 'it keeps shares for others, and stores none unless --client'),
    client: flag('--client', 'it stores files, and keeps no shares for others unless --server'),
    address: list('--address <ADDRESS>', 'where this node is reached, if not where it announces'),
    yes: flag('--yes', 'let in whoever comes with it, without asking'),
    qr: flag('--qr', 'draw it as a QR code too, also where nobody looks at a terminal'),
  },
  examples: [
    ['grid invite', 'print a line for one more machine, wait for it, and ask whether it may'],
    ['grid invite --name attic --quota 500GiB --yes', 'let in who comes with it'],
  ],
  async run(context, { options }) {
    const { world, output } = context
    const { yes, quota = 0, expires = dayMs, days } = options
    const name = options.name ?? nameFor(world.random)
    const request = {
      name,
      kindBits: kindBitsOf(options),
      quotaBytes: quota,
      memberMs: days === undefined ? defaultMemberMs : days * dayMs,
      lifetimeMs: expires,
      approvesItself: yes,
      addresses: options.address,
    }
    const link = await askHomeNode(context, 'createInvite', formatRequest(request))
    if (typeof link !== 'string') throw new GridError('E_PROTOCOL', 'the node gave no link')
    const isDrawn = options.qr || world.stdout.isTerminal
    const code = isDrawn
      ? `\n\n${encodeQR(link, 'ascii', { ecc: 'medium', border: 2 }).trimEnd()}`
      : ''
    await output.item({ name, link }, `${link}${code}`)
    output.note(`on the other machine: grid join '<this line>'; it is good once`)
    const summary = { name, expiresInMs: expires }
    if (yes) return { summary }
    if (world.ask === undefined) {
      output.note(`when somebody has come: grid invite ls, then grid invite approve ${name}`)
      return { summary }
    }
    const came = await waitFor(context, name)
    return { summary: { ...summary, joined: await decide(context, came) } }
  },
})

function kindBitsOf({ server, client }: { server: boolean; client: boolean }): number {
  const isBoth = server === client
  return (isBoth || server ? memberKinds.server : 0) + (isBoth || client ? memberKinds.client : 0)
}

function nameFor(random: Random): string {
  return [0, 0].map(() => words[randomBelow(random, words.length)]).join('-')
}

async function waitFor(context: Context, name: string): Promise<InviteReport> {
  context.output.note('waiting for it; Ctrl-C leaves the invitation open')
  for (;;) {
    const report = parseInvite(await askHomeNode(context, 'watchInvite', [name, maxWatchMs]))
    if (report.state !== 'open') return report
  }
}

async function decide(context: Context, report: InviteReport): Promise<boolean> {
  const { world, output, signal } = context
  const { name, words: shown } = report
  await output.item(
    inviteFacts(report, world.clock.nowMs()),
    inviteLine(report, world.clock.nowMs()),
  )
  if (report.state !== 'asked') return report.state === 'approved' || report.state === 'joined'
  const answer = await world.ask!(`Does it show "${shown}", and may it join? [y/N] `, { signal })
  const isWanted = /^\s*y(es)?\s*$/i.test(answer)
  await askHomeNode(context, isWanted ? 'approveInvite' : 'refuseInvite', [name])
  output.note(isWanted ? 'it may join' : 'it was sent away, and the invitation is spent')
  return isWanted
}
