/** Clients that flood a real node on this machine. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'
import { afterEach, describe, it } from 'mocha'
import type { Channel } from '../../src/base/channel.ts'
import { SystemClock, sleep } from '../../src/base/clock.ts'
import { Budget } from '../../src/base/limit.ts'
import { parseTcpAddress } from '../../src/base/multiaddr.ts'
import type { Net } from '../../src/base/net.ts'
import { connectStorage } from '../../src/node/peers/connect-storage.ts'
import { openLibp2pNet } from '../../src/node/net/libp2p-net.ts'
import type { NetLimits } from '../../src/node/net/net-limits.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { storageProtocol } from '../../src/storage/storage-protocol.ts'
import { SimClock } from '../sim/sim-clock.ts'
import { SimRandom } from '../sim/sim-random.ts'
import { flags, frameHead, frameTypes, type RawYamux, rawYamux } from './raw-yamux.ts'

const clock = new SystemClock()
const mib = 2 ** 20
const nets: Net[] = []
const sockets: Socket[] = []
const raws: RawYamux[] = []
let seeds = 100

async function open(listen: string[], limits: Partial<NetLimits> = {}): Promise<Net> {
  const net = await openLibp2pNet({ seed: new Uint8Array(32).fill(++seeds), listen, limits })
  nets.push(net)
  return net
}

interface Node {
  net: Net
  /** Time of the protocol; that of the network is real. */
  clock: SimClock
  /** Channels being served now. */
  readonly serving: number
}

/** A storage server. */
async function node(limits: Partial<NetLimits> = {}): Promise<Node> {
  const net = await open(['/ip4/127.0.0.1/tcp/0'], limits)
  const simClock = new SimClock(new SimRandom('connections'))
  const peer = new LocalPeer({ id: net.id, store: new MemoryStore(), clock, reserveBytes: 0 })
  const budget = new Budget(128 * mib)
  let serving = 0
  net.handle(storageProtocol, async (channel) => {
    serving++
    await serveStorage(peer, channel, { clock: simClock, budget })
    serving--
  })
  return {
    net,
    clock: simClock,
    get serving() {
      return serving
    },
  }
}

/** Dials, asks, and is answered, as an honest client; resolves to how long it took. */
async function honest({ net }: Node): Promise<number> {
  const client = await open([])
  const startMs = clock.monotonicMs()
  const target = { id: net.id, addresses: net.addresses() }
  const { peer } = await connectStorage(net.id, await client.dial(target, storageProtocol), {
    clock,
  })
  assert.equal((await peer.status()).shareCount, 0)
  return clock.monotonicMs() - startMs
}

/** A TCP connection that says nothing; `alive` until the other side ends it. */
async function plain({ net }: Node): Promise<Socket> {
  const [address = ''] = net.addresses()
  const socket = connect(parseTcpAddress(address)!.port, '127.0.0.1')
  socket.on('error', () => {})
  sockets.push(socket)
  await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  socket.resume()
  return socket
}

function alive(all: readonly Socket[]): number {
  return all.filter((socket) => !socket.destroyed && !socket.readableEnded).length
}

/** Waits until `reached`, up to ten seconds. */
async function until(reached: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !reached(); i++) await sleep(clock, 10)
}

async function attacker({ net }: Node): Promise<RawYamux> {
  const raw = await rawYamux(net)
  raws.push(raw)
  return raw
}

/** Sends again and again until the node ends the connection. */
async function flood(raw: RawYamux, bytes: Uint8Array, rounds: number): Promise<void> {
  for (let round = 0; round < rounds && !raw.isClosed; round++) {
    try {
      raw.send(bytes)
    } catch {
      break
    }
    await sleep(clock, 2)
  }
  await until(() => raw.isClosed)
}

function frames(count: number, frame: (i: number) => Uint8Array): Uint8Array {
  const bytes = new Uint8Array(count * 12)
  for (let i = 0; i < count; i++) bytes.set(frame(i), i * 12)
  return bytes
}

describe('malicious client, connections', () => {
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    await Promise.all(raws.splice(0).map((raw) => raw.close()))
    await Promise.all(nets.splice(0).map((net) => net.close()))
  })

  it('client 1: of 1,000 silent connections at most 32 stay, and others get in when they are gone', async () => {
    const server = await node({ handshakeMs: 60_000 })
    const all = await Promise.all(Array.from({ length: 1000 }, () => plain(server)))
    await until(() => alive(all) <= 32)
    assert.ok(alive(all) <= 32, `${alive(all)} are alive`)
    assert.ok(alive(all) > 0)
    for (const socket of all) socket.destroy()
    assert.ok((await honest(server)) < 5000)
  })

  it('client 2: handshakes that drip are ended in time, and an honest client gets in', async () => {
    const server = await node({ handshakeMs: 500, maxPending: 8 })
    const all = await Promise.all(Array.from({ length: 20 }, () => plain(server)))
    const hello = new TextEncoder().encode('\u0013/multistream/1.0.0\n')
    let sent = 0
    const dripping = (async () => {
      for (; sent < 100 && alive(all) > 0; sent++) {
        for (const socket of all) {
          if (!socket.destroyed) socket.write(hello.subarray(sent % 20, (sent % 20) + 1))
        }
        await sleep(clock, 20)
      }
    })()
    await until(() => alive(all) <= 8)
    assert.ok(alive(all) <= 8)
    await dripping
    assert.equal(alive(all), 0)
    assert.ok(sent < 60, `${sent} bytes each`)
    assert.ok((await honest(server)) < 5000)
  })

  it('client 3: handshakes beyond the rate of an address are refused before they cost anything', async () => {
    const server = await node({ newPerSecondPrivate: 4 })
    const outcomes = await Promise.allSettled(Array.from({ length: 16 }, () => attacker(server)))
    const done = outcomes.filter(({ status }) => status === 'fulfilled').length
    assert.ok(done >= 1 && done <= 6, `${done} handshakes`)
    await sleep(clock, 500)
    assert.ok((await honest(server)) < 5000)
  })

  it('client 4: streams on which nothing is said are ended after 10 s, and make room for others', async () => {
    const server = await node()
    const client = await open([])
    const target = { id: server.net.id, addresses: server.net.addresses() }
    const silent: Channel[] = []
    for (let i = 0; i < 8; i++) silent.push(await client.dial(target, storageProtocol))
    await until(() => server.serving === 8)
    assert.equal(server.serving, 8)
    const refused = await client.dial(target, storageProtocol)
    await assert.rejects(connectStorage(server.net.id, refused, { clock }), { code: 'E_CLOSED' })
    await server.clock.run({ untilMs: 9_999 })
    assert.equal(server.serving, 8)
    await server.clock.run({ untilMs: 10_000 })
    await until(() => server.serving === 0)
    assert.equal(server.serving, 0)
    const channel = await client.dial(target, storageProtocol)
    const { peer } = await connectStorage(server.net.id, channel, { clock })
    await peer.status()
  })

  it('client 5: a storm of streams opened and reset ends the connection, and others are served', async () => {
    const server = await node()
    const raw = await attacker(server)
    const storm = frames(2000, (i) => {
      const streamId = 1 + 2 * (i >> 1)
      const [flag, type] = i % 2 === 0 ? [flags.syn, frameTypes.windowUpdate] : [flags.rst, 1]
      return frameHead(type, flag, streamId, 0)
    })
    await flood(raw, storm, 50)
    assert.ok(raw.isClosed)
    assert.equal(server.serving, 0)
    assert.ok((await honest(server)) < 5000)
  })

  const windows: Record<string, [flag: number, length: number]> = {
    'a new stream with 256 KiB and a byte': [flags.syn, 256 * 1024 + 1],
    'a new stream with 1 MiB and a byte': [flags.syn, mib + 1],
    'a stream that is not open with 4 GiB': [0, 2 ** 32 - 1],
    'a new stream with 4 GiB': [flags.syn, 2 ** 32 - 1],
  }
  for (const [name, [flag, length]] of Object.entries(windows)) {
    it(`client 6: ${name} in a frame ends the connection, and holds no memory`, async () => {
      const server = await node()
      const raw = await attacker(server)
      const before = process.memoryUsage().arrayBuffers
      raw.send(frameHead(frameTypes.data, flag, 1, length))
      await flood(raw, new Uint8Array(256 * 1024), 100)
      assert.ok(raw.isClosed)
      const grown = process.memoryUsage().arrayBuffers - before
      assert.ok(grown < 8 * mib, `${grown} bytes more`)
      assert.ok((await honest(server)) < 5000)
    })
  }

  const floods: Record<string, (i: number) => Uint8Array> = {
    pings: (i) => frameHead(frameTypes.ping, flags.syn, 0, i),
    'pongs that nobody asked for': (i) => frameHead(frameTypes.ping, flags.ack, 0, i),
    'streams beyond the number allowed': (i) =>
      frameHead(frameTypes.windowUpdate, flags.syn, 1 + 2 * i, 0),
    'frames of a type that there is not': (i) => frameHead(7, 0, i, 0),
  }
  for (const [name, frame] of Object.entries(floods)) {
    for (const deaf of [false, true]) {
      const reader = deaf ? 'a client that reads nothing' : 'a client that reads the answers'
      it(`client 6: a flood of ${name} from ${reader} ends the connection`, async () => {
        const server = await node()
        const raw = await attacker(server)
        if (deaf) raw.deafen()
        await flood(raw, frames(5000, frame), 50)
        assert.ok(raw.isClosed)
        assert.ok((await honest(server)) < 5000)
      })
    }
  }
})
