import { sleep } from '../../base/clock.ts'
import { openHome } from '../../node/home/home.ts'
import type { NodeView } from '../../node/running/own-verbs.ts'
import { command, type Command } from '../command.ts'
import { flag } from '../option.ts'
import { openOwnNode } from '../own-node.ts'
import { untilStopped } from '../until-stopped.ts'
import { viewFacts, viewText } from '../view-text.ts'

const intervalMs = 1000
const widthOfNoTerminal = 120
/** To the upper left, and everything below away: the picture is drawn over itself. */
const redraw = '\u001b[H\u001b[J'

export const top: Command = command({
  arguments: [],
  options: { once: flag('--once', 'say it once, and end') },
  examples: [
    ['grid top', 'watch the node of this home at work, until Ctrl-C'],
    ['grid top --once --json', 'the same once, for a program'],
  ],
  async run(context, { options }) {
    const { home, output, signal, world } = context
    await openHome(home)
    const node = await openOwnNode(context)
    try {
      let before: NodeView | undefined
      const { isTerminal, columns } = world.stdout
      const show = async (): Promise<void> => {
        const view = await node.view()
        const clear = isTerminal && !options.once ? redraw : ''
        const picture = viewText(view, before, isTerminal ? columns : widthOfNoTerminal)
        await output.item(viewFacts(view, before), clear + picture)
        before = view
      }
      await show()
      if (!options.once)
        await untilStopped(signal, async () => {
          for (;;) {
            await sleep(world.clock, intervalMs, { signal })
            await show()
          }
        })
      return { summary: { peerId: before!.peerId } }
    } finally {
      node.close()
    }
  },
})
