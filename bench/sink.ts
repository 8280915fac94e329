/**
 * A process that takes bytes over Grid's network and keeps none: what a fan-out costs by itself.
 * Prints its peer id and addresses; ends with its standard input.
 */
import '../src/base/shim.ts'
import { randomBytes } from 'node:crypto'
import { openLibp2pNet } from '../src/node/net/libp2p-net.ts'
import { sinkProtocol } from './fan-out.ts'

const net = await openLibp2pNet({ seed: randomBytes(32), listen: ['/ip4/127.0.0.1/tcp/0'] })
net.handle(sinkProtocol, async (channel) => {
  let expected = 0
  let received = 0
  const start: number[] = []
  for await (const piece of channel.source) {
    for (const byte of piece.subarray(0, 4 - start.length)) start.push(byte)
    received += piece.length
    if (start.length === 4) expected = start.reduce((value, byte) => value * 256 + byte, 0)
    if (start.length === 4 && received === expected + 4) {
      await channel.send([Uint8Array.of(1)])
      start.length = 0
      received = 0
    }
  }
})
console.log(JSON.stringify({ id: net.id, addresses: net.addresses() }))
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
