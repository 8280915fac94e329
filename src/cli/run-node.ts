/** What `up`, `node run` and `introducer run` share: a node that runs until it is told to stop. */
import { isGridError } from '../base/errors.ts'
import { environmentOverrides, type Override, parseConfig } from '../node/home/config.ts'
import { raiseFormat } from '../node/home/home-format.ts'
import { lockHome } from '../node/home/home-lock.ts'
import { openHome, readConfig, readPsks } from '../node/home/home.ts'
import { openLibp2pNet } from '../node/net/libp2p-net.ts'
import { runNode } from '../node/running/running-node.ts'
import { SelfNet } from '../node/net/self-net.ts'
import type { Context, Outcome } from './command.ts'
import { forgetMapped, giveBackMemory } from './heap.ts'
import { restWhenIdle } from './memory-rest.ts'

export interface NodeRoles {
  /** Whether it introduces nodes to each other; if absent, where its config names it as an introducer. */
  introduces?: boolean
  /** Settings that win over the file and the environment. */
  overrides?: readonly Override[]
}

const twin =
  'another node runs with the key of this one: stop one of them, and make a new home for it (grid node init)'

/** Says where it listens as soon as it does, so that a script can wait for that line. */
export async function runHere(context: Context, roles: NodeRoles = {}): Promise<Outcome> {
  const { world, home, signal, output, trace } = context
  const { clock, random, disk } = world
  const secrets = await openHome(home)
  const overrides = [...environmentOverrides(world.env), ...(roles.overrides ?? [])]
  const config = parseConfig(await readConfig(home), overrides, home.path)
  const lock = await lockHome(home)
  try {
    const store = config.storage.enabled ? config.storage.directory : undefined
    await raiseFormat({ disk, home, store })
    const { listen, inviteListen } = config.node
    const seed = secrets.identitySeed
    const psks = await readPsks(config.grid.pskFiles)
    const net = new SelfNet(await openLibp2pNet({ seed, listen, clock, random, psks }))
    const openDoor = () => openLibp2pNet({ seed, listen: inviteListen, clock, random })
    const wall = psks.length === 0 ? {} : { psk: psks[0], openDoor }
    const introduces = roles.introduces ?? config.grid.introducers.some(({ id }) => id === net.id)
    const onTwin = (): void =>
      void output.warning(twin, { code: 'E_LOCKED' }).catch(() => undefined)
    const basic = { home, config, secrets, net, clock, random, disk, trace, introduces }
    const parts = { ...basic, onTwin, forgetMapped, ...wall }
    const node = await runNode(parts).catch(async (error: unknown) => {
      await net.close()
      throw error
    })
    const { id, addresses } = node
    try {
      await output.item({ event: 'listening', peerId: id, addresses }, addresses.join('\n'))
      restWhenIdle({ clock, signal, cpuMs, giveBack: giveBackMemory }).catch(() => undefined)
      await aborted(signal)
    } finally {
      await node.close()
    }
    return { summary: { peerId: id }, text: 'stopped' }
  } finally {
    await lock.release()
  }
}

export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Resolves on the user's wish, which is how a node ends well; rejects at a deadline. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      if (isGridError(signal.reason, 'E_INTERRUPTED')) resolve()
      else reject(signal.reason as Error)
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}
