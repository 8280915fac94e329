/** Many clients of one node in one process, each with a key and a connection of its own: `idle-clients ADDRESS COUNT`. */
import '../src/base/shim.ts'
import { SystemClock } from '../src/base/clock.ts'
import { parsePeerAddress } from '../src/base/multiaddr.ts'
import { SystemRandom } from '../src/base/random.ts'
import { connectStorage } from '../src/node/peers/connect-storage.ts'
import { openLibp2pNet } from '../src/node/net/libp2p-net.ts'
import { storageProtocol } from '../src/storage/storage-protocol.ts'

const [address = '', count = '1'] = process.argv.slice(2)
const target = parsePeerAddress(address)!
const clock = new SystemClock()
for (let i = 0; i < Number(count); i++) {
  const net = await openLibp2pNet({ seed: new SystemRandom().bytes(32), listen: [] })
  const channel = await net.dial(target, storageProtocol)
  const { peer } = await connectStorage(target.id, channel, { clock })
  // one request each, as a client asks that has just come
  await peer.status()
}
console.log('connected')
setInterval(() => undefined, 1000)
