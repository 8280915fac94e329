import { GridError, isGridError } from '../../base/errors.ts'
import { parseTcpAddress } from '../../base/multiaddr.ts'
import type { Override } from '../../node/home/config.ts'
import { openHome } from '../../node/home/home.ts'
import { identityOf } from '../../node/home/identity.ts'
import { command, type Command, type Context } from '../command.ts'
import {
  clientOptions,
  founded,
  foundingOptions,
  givenSettings,
  listenOptions,
  makeHome,
  storageOptions,
} from '../make-home.ts'
import { runHere } from '../run-node.ts'

const defaultListen = '/ip4/0.0.0.0/tcp/7780'

export const up: Command = command({
  arguments: [],
  options: { ...storageOptions, ...listenOptions, ...clientOptions, ...foundingOptions },
  examples: [
    ['grid up', "run this machine's node; the first of a grid introduces the others"],
    ['grid up --membership signed', 'and let in only who was invited'],
    ['grid up --introducer /dns4/a.example/tcp/7780/p2p/12D3KooW…', 'join the grid of another'],
  ],
  async run(context, { options }) {
    const given = givenSettings(options)
    const { introducer, listen, membership, psk } = options
    if (await isMissing(context)) {
      const first = introducer.length === 0
      if (!first && (membership !== undefined || psk)) {
        throw new GridError('E_USAGE', 'the first node of a grid says who may join it')
      }
      await (first ? makeFirst(context, given, options, listen[0]) : makeHome(context, given))
    }
    return runHere(context, { overrides: given })
  },
})

async function isMissing({ home }: Context): Promise<boolean> {
  try {
    await openHome(home)
    return false
  } catch (error) {
    if (isGridError(error, 'E_NOT_INITIALISED')) return true
    throw error
  }
}

/** The home of a grid's first node: it is its own introducer, and that of those who come later. */
async function makeFirst(
  context: Context,
  given: readonly Override[],
  founding: Parameters<typeof founded>[0],
  listen = defaultListen,
): Promise<void> {
  const port = parseTcpAddress(listen)?.port
  if (port === 0) {
    throw new GridError('E_USAGE', "--listen: a grid's first node needs a port that stays")
  }
  const { secrets, settings } = founded(founding, context.world.random)
  const { id } = identityOf(secrets.identitySeed)
  const own = `/ip4/127.0.0.1/tcp/${port}/p2p/${id}`
  const introducers = { path: 'grid.introducers', value: [own], source: 'grid up' }
  await makeHome(context, [...given, ...settings, introducers], secrets)
}
