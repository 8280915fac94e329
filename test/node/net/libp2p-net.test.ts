/** Real hosts on this machine. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'
import { after, afterEach, before, describe, it } from 'mocha'
import type { Channel } from '../../../src/base/channel.ts'
import { SystemClock, sleep } from '../../../src/base/clock.ts'
import { Budget } from '../../../src/base/limit.ts'
import { parseTcpAddress } from '../../../src/base/multiaddr.ts'
import type { Net, PeerTarget } from '../../../src/base/net.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { identityOf } from '../../../src/node/home/identity.ts'
import { openLibp2pNet } from '../../../src/node/net/libp2p-net.ts'
import type { NetLimits } from '../../../src/node/net/net-limits.ts'
import { LocalPeer } from '../../../src/storage/local-peer.ts'
import { MemoryLogStore } from '../../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../../src/storage/memory-store.ts'
import { RemotePeer } from '../../../src/storage/remote-peer.ts'
import { serveStorage } from '../../../src/storage/serve.ts'
import { storageProtocol } from '../../../src/storage/storage-protocol.ts'
import { openCaller } from '../../../src/wire/caller.ts'
import { logServerSuite } from '../../suites/log-server.ts'
import { refused, storagePeerSuite } from '../../suites/storage-peer.ts'
import { collect, mib, patterned } from '../../wire/stand.ts'

const clock = new SystemClock()
const nets: Net[] = []
let seeds = 0

function seed(): Uint8Array {
  return new Uint8Array(32).fill(++seeds)
}

async function open(listen: string[], limits: Partial<NetLimits> = {}): Promise<Net> {
  const net = await openLibp2pNet({ seed: seed(), listen, limits })
  nets.push(net)
  return net
}

function serverNet(limits?: Partial<NetLimits>): Promise<Net> {
  return open(['/ip4/127.0.0.1/tcp/0'], limits)
}

function target(net: Net): PeerTarget {
  return { id: net.id, addresses: net.addresses() }
}

async function closeAll(): Promise<void> {
  await Promise.all(nets.splice(0).map((net) => net.close()))
}

async function echo(channel: Channel): Promise<void> {
  for await (const piece of channel.source) await channel.send([piece])
  await channel.close()
}

/** The next `length` bytes of a channel. */
async function take(channel: Channel, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of channel.source) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes >= length) break
  }
  return Buffer.concat(pieces)
}

/** A connection that says nothing. */
async function rawConnect(net: Net): Promise<Socket> {
  const [address = ''] = net.addresses()
  const socket = connect(parseTcpAddress(address)!.port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.resume()
  return socket
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve))
}

/** How many of `sockets` are closed by the other side within `ms`. */
async function closedWithin(sockets: Socket[], ms: number): Promise<number> {
  let count = 0
  for (const socket of sockets) void closed(socket).then(() => count++)
  await sleep(clock, ms)
  return count
}

describe('Libp2pNet', () => {
  afterEach(closeAll)

  it('is named by its key, and tells where it listens', async () => {
    const key = new Uint8Array(32).fill(200)
    const net = await openLibp2pNet({ seed: key, listen: ['/ip4/127.0.0.1/tcp/0'] })
    nets.push(net)
    assert.equal(net.id, peerIdOf(identityOf(key).publicKey))
    assert.equal(net.addresses().length, 1)
    assert.match(net.addresses()[0], /^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*$/)
    assert.deepEqual((await open([])).addresses(), [])
  })

  it('carries bytes both ways, and each side knows the other', async () => {
    const [server, client] = [await serverNet(), await open([])]
    const caller = new Promise<Channel>((resolve) => {
      server.handle('/echo', async (channel) => {
        resolve(channel)
        await echo(channel)
      })
    })
    const channel = await client.dial(target(server), '/echo')
    assert.equal(channel.remoteId, server.id)
    assert.equal(channel.remoteAddress, server.addresses()[0])
    assert.equal((await caller).remoteId, client.id)
    assert.match((await caller).remoteAddress ?? '', /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    const sent = patterned(5 * mib)
    const sending = (async () => {
      for (let at = 0; at < sent.length; at += mib) {
        await channel.send([sent.subarray(at, at + 3), sent.subarray(at + 3, at + mib)])
      }
      await channel.close()
    })()
    assert.deepEqual(await collect(channel.source), Buffer.from(sent))
    await sending
  })

  it('opens channels over one connection', async () => {
    const [server, client] = [await serverNet(), await open([])]
    const from = new Set<string | undefined>()
    server.handle('/one', async (channel) => {
      from.add(channel.remoteAddress)
      await echo(channel)
    })
    const channels = await Promise.all([1, 2, 3].map(() => client.dial(target(server), '/one')))
    for (const channel of channels) {
      await channel.send([Uint8Array.of(1)])
      await take(channel, 1)
    }
    assert.equal(from.size, 1)
  })

  it('reads what was sent before the other side closed, then ends', async () => {
    const [server, client] = [await serverNet(), await open([])]
    server.handle('/say', async (channel) => {
      await channel.send([patterned(2 * mib)])
      await channel.close()
    })
    const channel = await client.dial(target(server), '/say')
    await sleep(clock, 50)
    assert.equal((await collect(channel.source)).length, 2 * mib)
    channel.abort(new Error('over'))
  })

  it('breaks on both sides when one aborts', async () => {
    const [server, client] = [await serverNet(), await open([])]
    const broke = new Promise<void>((resolve, reject) => {
      server.handle('/break', async (channel) => {
        await refused(collect(channel.source), 'E_CLOSED').then(resolve, reject)
      })
    })
    const channel = await client.dial(target(server), '/break')
    await channel.send([Uint8Array.of(1)])
    channel.abort(new Error('enough'))
    await broke
    await refused(collect(channel.source), 'E_CLOSED')
    await refused(channel.send([Uint8Array.of(1)]), 'E_CLOSED')
  })

  it('server 20, client 27: takes only so much that the other side does not read, on either side', async () => {
    const [server, client] = [await serverNet(), await open([])]
    let pushed = 0
    const push = async (channel: Channel): Promise<void> => {
      const piece = new Uint8Array(256 * 1024)
      for (;;) {
        await channel.send([piece])
        pushed += piece.length
      }
    }
    server.handle('/push', push)
    server.handle('/sink', () => new Promise(() => {}))
    for (const [protocol, sender] of [
      ['/push', undefined],
      ['/sink', push],
    ] as const) {
      pushed = 0
      const channel = await client.dial(target(server), protocol)
      // one reader that takes a piece and no more
      const reading = channel.source[Symbol.asyncIterator]().next()
      const sending = sender?.(channel).catch(() => {})
      for (let last = -1; last !== pushed;) {
        last = pushed
        await sleep(clock, 100)
      }
      assert.ok(pushed > 0 && pushed < 4 * mib, `${protocol}: ${pushed} bytes were taken`)
      channel.abort(new Error('enough'))
      await sending
      await reading.catch(() => {})
    }
  })

  it('says why it cannot reach a peer', async () => {
    const [server, client, other] = [await serverNet(), await open([]), await open([])]
    const dial = (peer: PeerTarget, protocol = '/x'): Promise<Channel> =>
      client.dial(peer, protocol)
    const { addresses } = target(server)
    const cases: [() => Promise<Channel>, RegExp][] = [
      [() => dial({ id: other.id, addresses }), /another peer answers/],
      [() => dial({ id: other.id, addresses: ['/ip4/127.0.0.1/tcp/1'] }), /ECONNREFUSED/],
      [() => dial({ id: other.id, addresses: [] }), /no address/],
      [() => dial({ id: other.id, addresses: ['/ip4/127.0.0.1/udp/1', 'rubbish'] }), /no address/],
      [() => dial({ id: 'nobody', addresses }), /no peer id/],
      [() => dial(target(server)), /no channel of \/x/],
    ]
    for (const [attempt, message] of cases) {
      await assert.rejects(attempt(), { code: 'E_UNREACHABLE', message })
    }
  })

  it('gives a dial up on the signal, and at its deadline', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const client = await open([], { dialMs: 150 })
    const peer = { id: peerIdOf(seed()), addresses: [`/ip4/127.0.0.1/tcp/${port}`] }
    const controller = new AbortController()
    const dial = client.dial(peer, '/x', { signal: controller.signal })
    setTimeout(() => controller.abort(new Error('enough')), 20)
    await assert.rejects(dial, /enough/)
    await refused(client.dial(peer, '/x'), 'E_UNREACHABLE')
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  it('connects anew when a connection has died in silence', async () => {
    const server = await serverNet()
    server.handle('/echo', echo)
    const [address = ''] = server.addresses()
    const sockets: Socket[] = []
    const link = createServer((near) => {
      const far = connect(parseTcpAddress(address)!.port, '127.0.0.1')
      sockets.push(near, far)
      near.pipe(far).pipe(near)
      for (const socket of [near, far]) socket.on('error', () => {})
    }).listen(0, '127.0.0.1')
    await once(link, 'listening')
    const { port } = link.address() as AddressInfo
    const client = await open([], { openStreamMs: 150 })
    const peer = { id: server.id, addresses: [`/ip4/127.0.0.1/tcp/${port}`] }
    await client.dial(peer, '/echo')
    for (const socket of sockets) socket.unpipe().pause()
    const channel = await client.dial(peer, '/echo')
    await channel.send([Uint8Array.of(7)])
    assert.deepEqual([...(await take(channel, 1))], [7])
    for (const socket of sockets) socket.destroy()
    link.close()
  })

  it('says when its port is taken', async () => {
    const server = await serverNet()
    await refused(open(server.addresses()), 'E_PORT_TAKEN')
  })

  it('says when it cannot listen at all', async () => {
    await refused(open(['/ip4/192.0.2.1/tcp/0']), 'E_CONFIG')
  })

  it('closes at once, with channels open, and the other side sees it', async () => {
    const [server, client] = [await serverNet(), await open([])]
    server.handle('/echo', echo)
    const channel = await client.dial(target(server), '/echo')
    await channel.send([Uint8Array.of(1)])
    await take(channel, 1)
    const startMs = clock.monotonicMs()
    await server.close()
    assert.ok(clock.monotonicMs() - startMs < 400)
    await refused(collect(channel.source), 'E_CLOSED')
    await refused(client.dial(target(server), '/echo'), 'E_UNREACHABLE')
  })

  it('finds a peer again that was started anew', async () => {
    const client = await open([])
    const key = seed()
    const first = await openLibp2pNet({ seed: key, listen: ['/ip4/127.0.0.1/tcp/0'] })
    first.handle('/echo', echo)
    const peer = target(first)
    await client.dial(peer, '/echo')
    await first.close()
    const second = await openLibp2pNet({ seed: key, listen: peer.addresses })
    nets.push(second)
    second.handle('/echo', echo)
    const channel = await client.dial(peer, '/echo')
    await channel.send([Uint8Array.of(7)])
    assert.deepEqual([...(await take(channel, 1))], [7])
  })

  it('client 2: ends a handshake that is not finished in time', async () => {
    const server = await serverNet({ handshakeMs: 100 })
    const socket = await rawConnect(server)
    socket.write('\u0013/multistream/1.0.0\n')
    const startMs = clock.monotonicMs()
    await closed(socket)
    assert.ok(clock.monotonicMs() - startMs < 1000)
  })

  it('client 1: drops connections beyond those whose handshake it waits for', async () => {
    const server = await serverNet({ maxPending: 3 })
    const sockets = await Promise.all(Array.from({ length: 8 }, () => rawConnect(server)))
    assert.equal(await closedWithin(sockets, 100), 5)
    for (const socket of sockets) socket.destroy()
  })

  it('client 1: drops connections beyond the rate, and an honest dial still gets through', async () => {
    const server = await serverNet({ newPerSecondPrivate: 4 })
    server.handle('/echo', echo)
    const sockets = await Promise.all(Array.from({ length: 10 }, () => rawConnect(server)))
    const channel = await (await open([])).dial(target(server), '/echo')
    assert.equal(channel.remoteId, server.id)
    assert.ok((await closedWithin(sockets, 50)) >= 6)
    for (const socket of sockets) socket.destroy()
  })

  it('client 1: drops connections beyond those of one address, and takes the next when one ends', async () => {
    const server = await serverNet({ maxPerPrivateAddress: 2 })
    server.handle('/echo', echo)
    const [a, b, c] = [await open([]), await open([]), await open([], { dialMs: 500 })]
    await a.dial(target(server), '/echo')
    await b.dial(target(server), '/echo')
    await refused(c.dial(target(server), '/echo'), 'E_UNREACHABLE')
    await a.close()
    await c.dial(target(server), '/echo')
  })

  it('client 1: holds no more connections than its limit', async () => {
    const server = await serverNet({ maxConnections: 2, maxPending: 2 })
    server.handle('/echo', echo)
    const limits = { dialMs: 500 }
    const clients = await Promise.all([1, 2, 3].map(() => open([], limits)))
    const dials = clients.map((client) => client.dial(target(server), '/echo'))
    const results = await Promise.allSettled(dials)
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 2)
  })

  it('client 4: takes 8 streams of a protocol on one connection, and resets the next', async () => {
    const [server, client] = [await serverNet(), await open([])]
    server.handle('/echo', echo)
    const channels: Channel[] = []
    for (let i = 0; i < 8; i++) channels.push(await client.dial(target(server), '/echo'))
    const ninth = await client.dial(target(server), '/echo')
    await refused(collect(ninth.source), 'E_CLOSED')
    for (const channel of channels) {
      await channel.send([Uint8Array.of(1)])
      await take(channel, 1)
    }
  })

  it('client 4: takes 16 streams in all on one connection', async () => {
    const [server, client] = [await serverNet(), await open([])]
    const protocols = ['/a', '/b', '/c']
    for (const protocol of protocols) server.handle(protocol, echo)
    for (let i = 0; i < 16; i++) await client.dial(target(server), protocols[i % 3])
    await refused(client.dial(target(server), '/a'), 'E_UNREACHABLE')
  })
})

describe('Libp2pNet and the storage protocol', () => {
  let server: Net
  let client: Net
  let serving: (channel: Channel) => Promise<void>

  before(async () => {
    server = await serverNet()
    client = await open([])
    server.handle(storageProtocol, (channel) => serving(channel))
  })
  after(closeAll)

  storagePeerSuite('RemotePeer over TCP and Noise', async (settings) => {
    const store = new MemoryStore()
    await store.open()
    const local = new LocalPeer({ id: server.id, store, clock, ...settings })
    const budget = new Budget(128 * mib)
    serving = (channel) => serveStorage(local, channel, { clock, budget })
    const caller = await openCaller(await client.dial(target(server), storageProtocol), { clock })
    return {
      peer: new RemotePeer(server.id, caller),
      close: async () => {
        caller.close()
        await caller.ended
      },
    }
  })

  logServerSuite('RemotePeer over TCP and Noise', async ({ seed, limits, ...settings }) => {
    const logs = { store: new MemoryLogStore(), seed, limits }
    const parts = { id: server.id, store: new MemoryStore(), logs, clock }
    const local = new LocalPeer({ ...parts, ...settings })
    const budget = new Budget(128 * mib)
    serving = (channel) => serveStorage(local, channel, { clock, budget })
    const caller = await openCaller(await client.dial(target(server), storageProtocol), { clock })
    return {
      peer: new RemotePeer(server.id, caller),
      close: async () => {
        caller.close()
        await caller.ended
      },
    }
  })
})
