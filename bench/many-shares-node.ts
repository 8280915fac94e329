/** A node that says a line when it serves, and another when it knows all of its shares: `many-shares-node HOME`. */
import '../src/base/shim.ts'
import { SystemClock } from '../src/base/clock.ts'
import { SystemDisk } from '../src/base/disk.ts'
import { SystemRandom } from '../src/base/random.ts'
import { noTrace } from '../src/base/trace.ts'
import { collectSeldom, forgetMapped } from '../src/cli/heap.ts'
import { parseConfig } from '../src/node/home/config.ts'
import { homeAt, openHome, readConfig } from '../src/node/home/home.ts'
import { openLibp2pNet } from '../src/node/net/libp2p-net.ts'
import { runNode } from '../src/node/running/running-node.ts'

const [directory = ''] = process.argv.slice(2)
// as the command line does
collectSeldom()
const home = homeAt(directory)
const secrets = await openHome(home)
const config = parseConfig(await readConfig(home), [], home.path)
const parts = { clock: new SystemClock(), random: new SystemRandom(), disk: new SystemDisk() }
const { listen } = config.node
const net = await openLibp2pNet({ seed: secrets.identitySeed, listen, ...parts })
const node = await runNode({
  ...{ home, config, secrets, net, trace: noTrace, introduces: false, forgetMapped },
  ...parts,
})
console.log(node.addresses[0])
const { deletedShares } = await node.storage!.sweep()
console.log(`swept ${deletedShares}`)
process.stdin.resume().once('end', () => void node.close().then(() => process.exit(0)))
