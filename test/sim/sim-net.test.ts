import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat } from '../../src/base/bytes.ts'
import type { Channel } from '../../src/base/channel.ts'
import type { Net } from '../../src/base/net.ts'
import { HostClock } from './host-clock.ts'
import { SimClock } from './sim-clock.ts'
import { SimNetwork } from './sim-net.ts'
import { SimRandom } from './sim-random.ts'

const protocol = '/test/1'

/** A client `c` and a server `s` that sends back what it gets. */
class Pair {
  readonly faults: string[] = []
  readonly random: SimRandom
  readonly clock: SimClock
  readonly network: SimNetwork
  readonly client: Net
  serverClock!: HostClock
  /** Bytes that the server has read. */
  served = 0

  constructor(seed: string) {
    this.random = new SimRandom(seed)
    this.clock = new SimClock(this.random.fork('clock'))
    this.network = new SimNetwork({
      clock: this.clock,
      random: this.random.fork('net'),
      onFault: (kind) => this.faults.push(kind),
    })
    this.client = this.network.attach('c', new HostClock(this.clock))
    this.boot()
  }

  boot(): Net {
    this.serverClock = new HostClock(this.clock)
    const server = this.network.attach('s', this.serverClock)
    server.handle(protocol, async (channel) => {
      for await (const piece of channel.source) {
        this.served += piece.length
        await channel.send([piece])
      }
      await channel.close()
    })
    return server
  }

  crash(power: boolean): void {
    this.serverClock.stop()
    this.network.detach('s', { power })
  }

  dial(signal?: AbortSignal): Promise<Channel> {
    const options = signal === undefined ? {} : { signal }
    return this.client.dial({ id: 's', addresses: [] }, protocol, options)
  }

  async run<T>(work: Promise<T>): Promise<T> {
    let over = false
    work.finally(() => (over = true)).catch(() => {})
    await this.clock.run({ done: () => over })
    assert.ok(over, 'nothing is left to happen, and it has not ended')
    return work
  }
}

/** Sends `bytes`, and returns what comes back. */
async function echo(channel: Channel, bytes: Uint8Array): Promise<Uint8Array> {
  const sent = channel.send([bytes.subarray(0, 1), bytes.subarray(1)]).then(() => channel.close())
  sent.catch(() => {})
  const back: Uint8Array[] = []
  for await (const piece of channel.source) back.push(piece)
  await sent
  return concat(...back)
}

async function echoOnce(pair: Pair, bytes: Uint8Array): Promise<Uint8Array> {
  return echo(await pair.dial(), bytes)
}

describe('SimNetwork', () => {
  it('carries bytes of every length in order, there and back', async () => {
    for (const length of [1, 2, 1000, 65_536, 1_000_000]) {
      const pair = new Pair(`length ${length}`)
      const bytes = pair.random.bytes(length)
      assert.deepEqual(await pair.run(echoOnce(pair, bytes)), bytes)
      assert.ok(pair.clock.monotonicMs() > 0)
      await pair.clock.run()
      assert.equal(pair.network.connectionCount, 0)
    }
  })

  it('says who is at the other end', async () => {
    const pair = new Pair('names')
    const channel = await pair.run(pair.dial())
    assert.equal(channel.remoteId, 's')
  })

  it('cuts the bytes anew', async () => {
    const pair = new Pair('pieces')
    const channel = await pair.run(pair.dial())
    const sizes = new Set<number>()
    const read = async (): Promise<void> => {
      for await (const piece of channel.source) sizes.add(piece.length)
    }
    const send = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await channel.send([new Uint8Array(1000)])
      await channel.close()
    }
    await pair.run(Promise.all([read(), send()]))
    assert.ok(
      [...sizes].some((size) => size > 1000 && size % 1000 !== 0),
      [...sizes].join(),
    )
  })

  it('lets streams overtake each other', async () => {
    const winners = new Set<number>()
    for (let seed = 0; seed < 30; seed++) {
      const pair = new Pair(`race ${seed}`)
      const echoes = [0, 1].map((i) => echoOnce(pair, new Uint8Array(10)).then(() => i))
      winners.add(await pair.run(Promise.race(echoes)))
    }
    assert.equal(winners.size, 2)
  })

  it('holds a sender back whose receiver does not read', async () => {
    const pair = new Pair('window')
    pair.network.attach('deaf', new HostClock(pair.clock)).handle(protocol, async () => {})
    const channel = await pair.run(pair.client.dial({ id: 'deaf', addresses: [] }, protocol))
    let sentBytes = 0
    const flood = async (): Promise<void> => {
      for (;;) {
        await channel.send([new Uint8Array(10_000)])
        sentBytes += 10_000
      }
    }
    void flood()
    await pair.clock.run()
    assert.ok(sentBytes > 100_000 && sentBytes < 1_000_000, `${sentBytes} bytes`)
  })

  it('breaks in the middle of what is sent', async () => {
    const pair = new Pair('ambush')
    pair.network.link('c', 's').lieInWait({ kind: 'cut', afterBytes: 5000 })
    await assert.rejects(pair.run(echoOnce(pair, new Uint8Array(20_000))), { code: 'E_CLOSED' })
    assert.equal(pair.served, 5000)
    assert.deepEqual(pair.faults, ['cut'])
  })

  it('flips one bit, of the byte that the plan names', async () => {
    const pair = new Pair('flip')
    pair.network.link('c', 's').lieInWait({ kind: 'flip', afterBytes: 70_000 })
    const bytes = new Uint8Array(100_000)
    const back = await pair.run(echoOnce(pair, bytes))
    const changed = [...back.keys()].filter((at) => back[at] !== 0)
    assert.deepEqual(changed, [70_000])
    assert.ok([1, 2, 4, 8, 16, 32, 64, 128].includes(back[70_000]))
    assert.deepEqual([...new Set(bytes)], [0], 'the sender’s own buffer is left alone')
  })

  it('ends both sides when told to cut', async () => {
    const pair = new Pair('cut')
    const channel = await pair.run(pair.dial())
    pair.network.cut('s', 'c')
    await assert.rejects(pair.run(echo(channel, new Uint8Array(1))), { code: 'E_CLOSED' })
    assert.equal(pair.network.connectionCount, 0)
  })

  it('delivers after a short partition, and gives up in a long one', async () => {
    for (const [durationMs, survives] of [
      [10_000, true],
      [600_000, false],
    ] as const) {
      for (const [from, to] of [
        ['c', 's'],
        ['s', 'c'],
      ] as const) {
        const pair = new Pair(`partition ${durationMs} ${from}`)
        const channel = await pair.run(pair.dial())
        pair.network.block(from, to)
        const outcome = echo(channel, new Uint8Array(100))
        pair.clock.after(durationMs, () => pair.network.heal())
        if (survives) assert.equal((await pair.run(outcome)).length, 100)
        else await assert.rejects(pair.run(outcome), { code: 'E_CLOSED' })
      }
    }
  })

  it('cannot connect through a partition, nor to a host that is off, frozen or without a process', async () => {
    const troubles: ((pair: Pair) => void)[] = [
      (pair) => pair.network.block('c', 's'),
      (pair) => pair.network.block('s', 'c'),
      (pair) => pair.crash(true),
      (pair) => pair.crash(false),
      (pair) => pair.serverClock.freeze(),
    ]
    for (const trouble of troubles) {
      const pair = new Pair('unreachable')
      trouble(pair)
      await assert.rejects(pair.run(pair.dial()), { code: 'E_UNREACHABLE' })
    }
  })

  it('tells at once when a process dies, and late when the power goes', async () => {
    for (const power of [false, true]) {
      const pair = new Pair(`death ${String(power)}`)
      const channel = await pair.run(pair.dial())
      pair.crash(power)
      await assert.rejects(pair.run(echo(channel, new Uint8Array(10))), { code: 'E_CLOSED' })
      assert.equal(pair.clock.monotonicMs() > 10_000, power)
      assert.equal(pair.served, 0)
    }
  })

  it('lets a new process be reached, and ends what the old one left', async () => {
    const pair = new Pair('reboot')
    const channel = await pair.run(pair.dial())
    pair.crash(true)
    pair.boot()
    await assert.rejects(pair.run(echo(channel, new Uint8Array(10))), { code: 'E_CLOSED' })
    assert.equal((await pair.run(echoOnce(pair, new Uint8Array(10)))).length, 10)
  })

  it('keeps a frozen host’s connections until it goes on', async () => {
    const pair = new Pair('freeze')
    const channel = await pair.run(pair.dial())
    pair.serverClock.freeze()
    pair.clock.after(300_000, () => pair.serverClock.thaw())
    assert.equal((await pair.run(echo(channel, new Uint8Array(10)))).length, 10)
    assert.ok(pair.clock.monotonicMs() >= 300_000)
  })

  it('drips', async () => {
    const pair = new Pair('drip')
    pair.network.link('s', 'c').dripping = true
    await pair.run(echoOnce(pair, new Uint8Array(100)))
    assert.ok(pair.clock.monotonicMs() > 12_000)
  })

  it('gives up dialling when the caller does', async () => {
    const pair = new Pair('abort')
    const controller = new AbortController()
    const dialling = pair.dial(controller.signal)
    controller.abort(new Error('enough'))
    await assert.rejects(pair.run(dialling), /enough/)
    await pair.clock.run()
    assert.equal(pair.network.connectionCount, 0)
  })

  it('ends every channel when a port closes', async () => {
    const pair = new Pair('close')
    const channel = await pair.run(pair.dial())
    await pair.client.close()
    await assert.rejects(pair.run(echo(channel, new Uint8Array(1))), { code: 'E_CLOSED' })
  })
})
