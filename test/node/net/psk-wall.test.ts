/** The outer wall over real sockets: who does not know the secret gets nothing. */
import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, it } from 'mocha'
import type { Channel } from '../../../src/base/channel.ts'
import { concat, utf8 } from '../../../src/base/bytes.ts'
import { expand, hmac } from '../../../src/base/hash.ts'
import { parseTcpAddress } from '../../../src/base/multiaddr.ts'
import type { Net } from '../../../src/base/net.ts'
import { openLibp2pNet } from '../../../src/node/net/libp2p-net.ts'
import { refused } from '../../suites/storage-peer.ts'

const [one, two] = [1, 2].map((byte) => new Uint8Array(32).fill(byte))
const nets: Net[] = []
const lines: Server[] = []
let seeds = 100

async function open(psks: Uint8Array[], listens = false): Promise<Net> {
  const listen = listens ? ['/ip4/127.0.0.1/tcp/0'] : []
  const seed = new Uint8Array(32).fill(++seeds)
  // a server that closes on whom it does not know has that happen quickly
  const net = await openLibp2pNet({
    seed,
    listen,
    psks,
    limits: { handshakeMs: 500, dialMs: 2_000 },
  })
  nets.push(net)
  return net
}

async function server(...psks: Uint8Array[]): Promise<Net> {
  const net = await open(psks, true)
  net.handle('/echo', async (channel) => {
    for await (const piece of channel.source) await channel.send([piece])
    await channel.close()
  })
  return net
}

async function take(channel: Channel, length: number): Promise<Uint8Array> {
  let taken = new Uint8Array(0)
  for await (const piece of channel.source) {
    taken = new Uint8Array(concat(taken, piece))
    if (taken.length >= length) break
  }
  return taken
}

async function dial(from: Net, to: Overheard['net']): Promise<Channel> {
  return from.dial({ id: to.id, addresses: to.addresses() }, '/echo')
}

/** What a server sends to one who says `bytes`, until the connection ends. */
async function answerTo(net: Net, bytes: Uint8Array): Promise<Buffer> {
  const { port } = parseTcpAddress(net.addresses()[0])!
  const socket: Socket = connect(port, '127.0.0.1')
  const pieces: Buffer[] = []
  socket.on('data', (piece) => pieces.push(piece))
  socket.on('error', () => undefined)
  const ended = new Promise((resolve) => socket.once('close', resolve))
  if (bytes.length > 0) socket.write(bytes)
  await ended
  return Buffer.concat(pieces)
}

/** What went by between two, as an observer on the line has it. */
interface Overheard {
  readonly net: { id: string; addresses(): string[] }
  readonly fromDialler: Buffer[]
  readonly fromListener: Buffer[]
}

/** A line to `net` that somebody listens on. */
async function overhear(net: Net): Promise<Overheard> {
  const { port } = parseTcpAddress(net.addresses()[0])!
  const [fromDialler, fromListener]: Buffer[][] = [[], []]
  const line = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    near.on('data', (piece: Buffer) => fromDialler.push(piece)).pipe(far)
    far.on('data', (piece) => fromListener.push(piece)).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => undefined)
  })
  lines.push(line)
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve))
  const { port: at } = line.address() as AddressInfo
  return {
    net: { id: net.id, addresses: () => [`/ip4/127.0.0.1/tcp/${at}`] },
    fromDialler,
    fromListener,
  }
}

describe('outer wall', () => {
  afterEach(async () => {
    await Promise.all(nets.splice(0).map((net) => net.close()))
    for (const line of lines.splice(0)) line.close()
  })

  it('carries what those say to each other who know the secret', async () => {
    const [far, near] = [await server(one), await open([one])]
    const channel = await dial(near, far)
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 3)
    const [back] = await Promise.all([take(channel, bytes.length), channel.send([bytes])])
    assert.deepEqual(back, bytes)
  })

  it('lets nobody in with another secret, or with none', async () => {
    const far = await server(one)
    await refused(dial(await open([two]), far), 'E_UNREACHABLE')
    await refused(dial(await open([]), far), 'E_UNREACHABLE')
    const plain = await server()
    await refused(dial(await open([one]), plain), 'E_UNREACHABLE', 'E_TIMEOUT')
  })

  it('shows an observer noise only, which the secret and both nonces make readable', async () => {
    const heard = await overhear(await server(one))
    const channel = await dial(await open([one]), heard.net)
    await channel.send([utf8('x')])
    await take(channel, 1)
    const [dialler, listener] = [heard.fromDialler, heard.fromListener].map((each) =>
      Buffer.concat(each),
    )
    const greeting = utf8('\x13/multistream/1.0.0\n')
    for (const said of [dialler, listener]) {
      assert.equal(said.includes('/multistream'), false)
      assert.equal(said.includes('/noise'), false)
    }
    // as docs/specs/psk.md says it
    const key = hmac(one, concat(dialler.subarray(0, 32), listener.subarray(0, 32)))
    for (const [said, label] of [
      [dialler, 'psk/dialler'],
      [listener, 'psk/listener'],
    ] as const) {
      const cipher = createDecipheriv('aes-256-ctr', expand(key, label), new Uint8Array(16))
      const plain = cipher.update(said.subarray(64))
      assert.deepEqual(plain.subarray(0, greeting.length), Buffer.from(greeting))
    }
  })

  it('rotates: the old and the new secret are let in side by side', async () => {
    const far = await server(two, one)
    for (const psks of [[one], [two], [one, two], [two, one]]) {
      const channel = await dial(await open(psks), far)
      await channel.send([utf8('x')])
      assert.deepEqual(await take(channel, 1), utf8('x'))
    }
  })

  it('gives a scanner not a byte, whatever it says', async () => {
    const far = await server(one)
    const nonce = new Uint8Array(32).fill(9)
    const said = [
      new Uint8Array(0),
      utf8('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'.padEnd(80)),
      concat(Uint8Array.of(19), utf8('/multistream/1.0.0\n'), new Uint8Array(64)),
      concat(nonce, hmac(two, utf8('grid/v1/psk/hello'), nonce)),
      concat(nonce, hmac(one, utf8('grid/v1/psk/hello'), nonce).fill(0, 31)),
      new Uint8Array(100_000),
    ]
    for (const bytes of said) assert.equal((await answerTo(far, bytes)).length, 0)
    const known = concat(nonce, hmac(one, utf8('grid/v1/psk/hello'), nonce))
    assert.equal((await answerTo(far, known)).length >= 64, true, 'who knows it is answered')
  })
})
