import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { InboundGate } from '../../../src/node/net/inbound-gate.ts'
import { netLimits } from '../../../src/node/net/net-limits.ts'
import { SimClock } from '../../sim/sim-clock.ts'
import { SimRandom } from '../../sim/sim-random.ts'

const stranger = '/ip4/203.0.113.7/tcp/4001'
const neighbour = '/ip4/192.168.1.20/tcp/4001'
const itself = '/ip4/127.0.0.1/tcp/4001'

function makeGate(): { gate: InboundGate; clock: SimClock } {
  const clock = new SimClock(new SimRandom('gate'))
  return { gate: new InboundGate(clock, netLimits), clock }
}

/** How many of `attempts` connections from `address` come in. */
function admitted(gate: InboundGate, address: string, attempts: number): number {
  let count = 0
  for (let i = 0; i < attempts; i++) if (gate.admit(address) !== undefined) count++
  return count
}

/** Lets all time pass that rates look at. */
async function wait(clock: SimClock, ms: number): Promise<void> {
  await clock.run({ untilMs: clock.monotonicMs() + ms })
}

describe('InboundGate', () => {
  it('client 1: lets 5 new connections a second in from a public address', async () => {
    const { gate, clock } = makeGate()
    assert.equal(admitted(gate, stranger, 1000), 5)
    await wait(clock, 199)
    assert.equal(admitted(gate, stranger, 1000), 0)
    await wait(clock, 1)
    assert.equal(admitted(gate, stranger, 1000), 1)
    await wait(clock, 60_000)
    assert.equal(admitted(gate, stranger, 1000), 5)
  })

  it('keeps 16 at once from a public address, until one ends', async () => {
    const { gate, clock } = makeGate()
    let leave: (() => void) | undefined
    for (let i = 0; i < 16; i++) {
      leave = gate.admit(stranger)
      assert.ok(leave, `connection ${i}`)
      await wait(clock, 1000)
    }
    assert.equal(gate.admit(stranger), undefined)
    leave?.()
    leave?.()
    assert.equal(admitted(gate, stranger, 2), 1)
  })

  it('lets 64 in at once from this machine and from private networks', () => {
    for (const address of [itself, neighbour, '/ip6/::1/tcp/1', '/ip6/fd00::1/tcp/1']) {
      assert.equal(admitted(makeGate().gate, address, 200), 64, address)
    }
  })

  it('lets 100 a second in from this machine', () => {
    const { gate } = makeGate()
    let count = 0
    for (let leave = gate.admit(itself); leave !== undefined; leave = gate.admit(itself)) {
      leave()
      count++
    }
    assert.equal(count, 100)
  })

  it('counts each address for itself, whatever the port', () => {
    const { gate } = makeGate()
    assert.equal(admitted(gate, stranger, 9), 5)
    assert.equal(admitted(gate, '/ip4/203.0.113.7/tcp/9', 9), 0)
    assert.equal(admitted(gate, '/ip4/203.0.113.8/tcp/4001', 9), 5)
  })

  it('counts a /64 of IPv6 as one address', () => {
    const { gate } = makeGate()
    assert.equal(admitted(gate, '/ip6/2001:db8:1:2::1/tcp/1', 9), 5)
    assert.equal(admitted(gate, '/ip6/2001:db8:1:2:3:4:5:6/tcp/1', 9), 0)
    assert.equal(admitted(gate, '/ip6/2001:DB8:1:2:ffff::/tcp/1', 9), 0)
    assert.equal(admitted(gate, '/ip6/2001:db8:1:3::1/tcp/1', 9), 5)
    assert.equal(admitted(gate, '/ip6/2001:db8::2/tcp/1', 9), 5)
    assert.equal(admitted(gate, '/ip6/2001:db8:0:0:1::/tcp/1', 9), 0)
  })

  it('forgets addresses that come no more, and none that are still there', async () => {
    const { gate, clock } = makeGate()
    assert.equal(admitted(gate, stranger, 3), 3)
    for (let i = 0; i < 3000; i++) {
      gate.admit(`/ip4/198.51.${i >> 8}.${i & 255}/tcp/1`)?.()
      await wait(clock, 1)
    }
    for (let i = 0; i < 13; i++) {
      assert.ok(gate.admit(stranger), `connection ${i + 4}`)
      await wait(clock, 1000)
    }
    assert.equal(gate.admit(stranger), undefined)
  })
})
