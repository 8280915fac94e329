import { sleep } from '../../base/clock.ts'
import { GridError } from '../../base/errors.ts'
import { openHome } from '../../node/home/home.ts'
import type { OwnNode } from '../../node/running/own-verbs.ts'
import { command, type Command, type Context } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { flag } from '../option.ts'
import { openOwnNode } from '../own-node.ts'
import { scrubFacts, scrubText } from '../view-text.ts'

const pollMs = 500

export const nodeScrub: Command = command({
  arguments: [],
  options: { now: flag('--now', 'read every share through now, and wait for what comes of it') },
  examples: [
    ['grid node scrub', 'see when all shares were read through last, and what was damaged'],
    ['grid node scrub --now', 'read them all through, at 5 MB/s, while the node goes on'],
  ],
  async run(context, { options }) {
    await openHome(context.home)
    const node = await openOwnNode(context)
    try {
      if (options.now) await readAll(context, node)
      const { scrub, storage } = await node.view()
      if (scrub === undefined || storage === undefined)
        throw new GridError('E_USAGE', 'this node keeps no shares', {
          hint: 'see: grid node status',
        })
      const { damagedCount } = storage
      const lines = [scrubText(scrub)]
      if (damagedCount > 0)
        lines.push(
          `${damagedCount} damaged shares are set aside in quarantine/ of the storage directory; whoever put them can repair them: grid check`,
        )
      await context.output.item({ ...scrubFacts(scrub), damagedCount }, lines.join('\n'))
      return {
        summary: { damagedCount },
        exit: damagedCount > 0 ? exitCodes.damageFound : exitCodes.ok,
      }
    } finally {
      node.close()
    }
  },
})

/** A signal that ends it leaves the node at its work. */
async function readAll({ world, signal, progress }: Context, node: OwnNode): Promise<void> {
  const { storage, scrub: before } = await node.view()
  if (storage === undefined) return
  const task = progress.start('reading shares', storage.shareBytes)
  try {
    await node.scrub()
    for (;;) {
      await sleep(world.clock, pollMs, { signal })
      const { scrub } = await node.view()
      if (scrub?.lastFull !== undefined && scrub.lastFull.endedMs !== before?.lastFull?.endedMs)
        return
      task.advance(scrub?.running?.checkedBytes ?? 0)
    }
  } finally {
    task.end()
  }
}
