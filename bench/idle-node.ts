/** A node in a process of its own, with room for more connections than a node has: `idle-node HOME COUNT`. */
import '../src/base/shim.ts'
import { SystemClock } from '../src/base/clock.ts'
import { SystemDisk } from '../src/base/disk.ts'
import { SystemRandom } from '../src/base/random.ts'
import { noTrace } from '../src/base/trace.ts'
import { collectSeldom, giveBackMemory } from '../src/cli/heap.ts'
import { restWhenIdle } from '../src/cli/memory-rest.ts'
import { cpuMs } from '../src/cli/run-node.ts'
import { parseConfig } from '../src/node/home/config.ts'
import { homeAt, openHome, readConfig } from '../src/node/home/home.ts'
import { openLibp2pNet } from '../src/node/net/libp2p-net.ts'
import { runNode } from '../src/node/running/running-node.ts'

const [directory = '', room = '256'] = process.argv.slice(2)
// as the command line does
collectSeldom()
const count = Number(room)
const home = homeAt(directory)
const secrets = await openHome(home)
const config = parseConfig(await readConfig(home), [], home.path)
const parts = { clock: new SystemClock(), random: new SystemRandom(), disk: new SystemDisk() }
const limits = {
  ...{ maxConnections: count, maxPerPrivateAddress: count },
  ...{ newPerSecondPrivate: count, maxPending: count },
}
const { listen } = config.node
const net = await openLibp2pNet({ seed: secrets.identitySeed, listen, limits, ...parts })
const node = await runNode({
  ...{ home, config, secrets, net, trace: noTrace, introduces: false },
  ...parts,
})
console.log(node.addresses[0])
const { signal } = new AbortController()
void restWhenIdle({ clock: parts.clock, signal, cpuMs, giveBack: giveBackMemory })
