import { GridError, isGridError } from '../../base/errors.ts'
import { comparisonWords } from '../../members/comparison-words.ts'
import { maxLinkChars, parseInviteLink, ticketHashOf } from '../../members/invite-link.ts'
import { joinGrid } from '../../members/join.ts'
import type { Config } from '../../node/home/config.ts'
import { openHome } from '../../node/home/home.ts'
import { lockHome } from '../../node/home/home-lock.ts'
import { identityOf } from '../../node/home/identity.ts'
import { joinHome } from '../../node/join-home.ts'
import { openLibp2pNet } from '../../node/net/libp2p-net.ts'
import { command, type Command, type Context } from '../command.ts'
import { readHomeConfig } from '../home-config.ts'
import { kindsOf } from '../invite-lines.ts'
import {
  clientOptions,
  givenSettings,
  listenOptions,
  makeHome,
  storageOptions,
} from '../make-home.ts'
import { flag } from '../option.ts'

const { storage, reserve } = storageOptions

export const join: Command = command({
  arguments: [
    {
      name: 'LINK',
      summary: 'what grid invite printed; asked for, or from standard input, if absent',
      optional: true,
    },
  ],
  options: {
    nickname: clientOptions.nickname,
    ...{ storage, reserve },
    ...listenOptions,
    replace: flag('--replace', 'also where this home is in a grid already: to renew, or to change'),
  },
  examples: [
    ["grid join 'grid-invite:1:…'", 'become a member; then run: grid up'],
    ["grid join --storage /srv/shares --reserve 10GiB 'grid-invite:1:…'", 'with its own disk'],
  ],
  async run(context, { positionals: [given], options }) {
    const { world, home, output, signal } = context
    const link = parseInviteLink(given ?? (await readLink(context)))
    const settings = givenSettings(options)
    await ensureHome(context)
    const config = await readHomeConfig(context)
    if (isInGrid(config) && !options.replace) {
      throw new GridError('E_EXISTS', `this home is in the grid ${config.grid.name} already`, {
        hint: 'give --replace to renew its membership, or another --home',
      })
    }
    const lock = await lockHome(home)
    try {
      const { identitySeed: seed } = await openHome(home)
      const { id } = identityOf(seed)
      const shown = comparisonWords(ticketHashOf(link.ticket), link.inviter.id, id)
      const { clock, random, disk } = world
      const net = await openLibp2pNet({ seed, listen: [], clock, random })
      const grant = await joinGrid(link, {
        ...{ net, clock, signal },
        nickname: options.nickname ?? config.node.nickname,
        onWaiting: () => {
          output.progress({ waiting: true, words: shown })
          output.note(`the inviter is asked; its machine must show the same words: ${shown}`)
        },
      }).finally(() => net.close())
      await joinHome(home, disk, grant, settings)
      const { gridName, mode, kindBits, introducers } = grant
      return {
        summary: {
          ...{ home: home.path, peerId: id, grid: gridName, membership: mode, words: shown },
          ...{ kinds: kindsOf(kindBits), introducers: introducers.length },
        },
        text: `joined the grid ${gridName} as ${kindsOf(kindBits)}; now run: grid up`,
      }
    } finally {
      await lock.release()
    }
  },
})

async function readLink({ world, signal }: Context): Promise<string> {
  if (world.ask !== undefined) {
    return world.ask('paste the line that grid invite printed: ', { signal })
  }
  let text = ''
  for await (const piece of world.stdin) {
    text += new TextDecoder().decode(piece)
    if (text.length > maxLinkChars || text.includes('\n')) break
  }
  return text.trim()
}

/** One without a grid, so that what was joined half can be joined again as the same node. */
async function ensureHome(context: Context): Promise<void> {
  try {
    await openHome(context.home)
  } catch (error) {
    if (!isGridError(error, 'E_NOT_INITIALISED')) throw error
    await makeHome(context, [])
  }
}

function isInGrid({ grid }: Config): boolean {
  return grid.introducers.length + grid.peers.length > 0
}
