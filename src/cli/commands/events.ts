import { sleep } from '../../base/clock.ts'
import { isGridError } from '../../base/errors.ts'
import { EventFile } from '../../node/running/event-file.ts'
import { openHome } from '../../node/home/home.ts'
import type { NodeEvent } from '../../node/running/node-event.ts'
import { command, type Command, type Context } from '../command.ts'
import { eventFacts, eventLine } from '../event-lines.ts'
import { flag, value } from '../option.ts'
import { openOwnNode } from '../own-node.ts'
import { untilStopped } from '../until-stopped.ts'

const maxShown = 1000
/** How often a node is asked whether something happened. */
const pollMs = 500

export const events: Command = command({
  arguments: [],
  options: {
    follow: flag('-f, --follow', 'wait for more, until Ctrl-C'),
    last: value('--last <N>', 'the newest N (50)', 'a number up to 1000', parseCount),
  },
  examples: [
    ['grid events', "see what happened at this home's node last"],
    ['grid events -f --json', 'hand each event to a program as it happens'],
  ],
  async run(context, { options }) {
    const { home, output, signal } = context
    await openHome(home)
    const last = options.last ?? 50
    let count = 0
    const show = async (found: readonly NodeEvent[]): Promise<void> => {
      for (const event of found) await output.item(eventFacts(event), eventLine(event))
      count += found.length
    }
    if (options.follow) await untilStopped(signal, () => follow(context, last, show))
    else await show(await recent(context, last))
    return { summary: { events: count } }
  },
})

/** Of the running node, or of one that has run. */
async function recent(context: Context, last: number): Promise<NodeEvent[]> {
  try {
    const node = await openOwnNode(context)
    try {
      return await node.events(0, last)
    } finally {
      node.close()
    }
  } catch (error) {
    if (!isGridError(error, 'E_UNREACHABLE', 'E_CLOSED')) throw error
    return new EventFile(context.world.disk, context.home.events).read(last)
  }
}

/** Until the signal aborts; E_UNREACHABLE or E_CLOSED if the node ends. */
async function follow(
  context: Context,
  last: number,
  show: (found: readonly NodeEvent[]) => Promise<void>,
): Promise<void> {
  const { signal, world } = context
  const node = await openOwnNode(context)
  try {
    let found = await node.events(0, last)
    let seq = 0
    for (;;) {
      await show(found)
      seq = found[found.length - 1]?.seq ?? seq
      await sleep(world.clock, pollMs, { signal })
      found = await node.events(seq, maxShown)
    }
  } finally {
    node.close()
  }
}

function parseCount(text: string): number | undefined {
  const count = Number(text)
  return /^\d{1,4}$/.test(text) && count >= 1 && count <= maxShown ? count : undefined
}
