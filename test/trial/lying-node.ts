/**
 * A storage node that keeps what it is given and lies about logs: `lying-node.js LIE --home HOME`,
 * with the home of a node that has stopped. Says where it listens, as `grid node run --json` does.
 */
import '../../src/base/shim.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { noTrace } from '../../src/base/trace.ts'
import { parseConfig } from '../../src/node/home/config.ts'
import { homeAt, openHome, readConfig } from '../../src/node/home/home.ts'
import { openLibp2pNet } from '../../src/node/net/libp2p-net.ts'
import { runNode } from '../../src/node/running/running-node.ts'
import { SelfNet } from '../../src/node/net/self-net.ts'
import { FaultyPeer } from '../../src/storage/faulty-peer.ts'
import { lies } from './lies.ts'

const [lie = '', ...rest] = process.argv.slice(2)
const fault = lies[lie]
if (fault === undefined) throw new Error(`no such lie: ${lie}; one of ${Object.keys(lies).join()}`)
const home = homeAt(rest[rest.indexOf('--home') + 1])
const secrets = await openHome(home)
const config = parseConfig(await readConfig(home), [], home.path)
const [clock, random, disk] = [new SystemClock(), new SystemRandom(), new SystemDisk()]
const seed = secrets.identitySeed
const net = new SelfNet(await openLibp2pNet({ seed, listen: config.node.listen, clock, random }))
const node = await runNode({
  ...{ home, config, secrets, net, clock, random, disk },
  trace: noTrace,
  introduces: false,
  face: (storage) => new FaultyPeer({ peer: storage, fault: fault(), clock, random }),
})
const { id, addresses } = node
console.log(JSON.stringify({ v: 1, type: 'item', event: 'listening', peerId: id, addresses }))
process.once('SIGTERM', () => void node.close().then(() => process.exit(0)))
