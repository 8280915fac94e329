import { logPeerSuite } from '../suites/log-peer.ts'
import { World } from './world.ts'

logPeerSuite('MemoryLogPeer', async () => ({
  peer: new World(1).server('under test'),
  close: () => Promise.resolve(),
}))
