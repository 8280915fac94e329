/** The log's clients (src/log) over real servers and the wire, one of four of them a liar. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'mocha'
import { channelPair } from '../../src/base/channel.ts'
import { SystemClock } from '../../src/base/clock.ts'
import { Budget } from '../../src/base/limit.ts'
import { faults } from '../../src/storage/faults.ts'
import { type Fault, FaultyPeer } from '../../src/storage/faulty-peer.ts'
import { LocalPeer } from '../../src/storage/local-peer.ts'
import { logFaults } from '../../src/storage/log-faults.ts'
import { MemoryLogStore } from '../../src/storage/memory-log-store.ts'
import { MemoryStore } from '../../src/storage/memory-store.ts'
import { RemotePeer } from '../../src/storage/remote-peer.ts'
import { serveStorage } from '../../src/storage/serve.ts'
import { openCaller } from '../../src/wire/caller.ts'
import { keyOf, seedOf, snapshotOf, World } from '../log/world.ts'
import { SimRandom } from '../sim/sim-random.ts'

const serverCount = 4
const budget = new Budget(2 ** 27)
const clock = new SystemClock()
const closers: (() => void)[] = []

/** The peers of a world, each a server of its own behind a wire; those in front may be told to lie. */
async function serve(world: World): Promise<FaultyPeer[]> {
  const liars: FaultyPeer[] = []
  world.peers = []
  for (const [i, { id }] of world.servers.entries()) {
    const logs = { store: new MemoryLogStore(), seed: seedOf(`server ${i}`) }
    const parts = { id, store: new MemoryStore(), logs, reserveBytes: 0 }
    const local = new LocalPeer({ ...parts, clock: world.clock })
    const random = new SimRandom(`server ${i}`)
    const peer = new FaultyPeer({ peer: local, clock: world.clock, random })
    const [near, far] = channelPair({ ids: ['client', id] })
    void serveStorage(peer, far, { clock, budget })
    const caller = await openCaller(near, { clock })
    closers.push(() => caller.close())
    world.peers.push(new RemotePeer(id, caller))
    liars.push(peer)
  }
  return liars
}

const twoFaced: Record<string, () => Fault> = {
  ...Object.fromEntries(
    Object.entries(logFaults)
      .filter(([name]) => name !== 'showsBranch' && name !== 'signsOnly')
      .map(([name, make]) => [name, make as () => Fault]),
  ),
  signsOnly: () => logFaults.signsOnly({ seed: seedOf('server 2'), publicKey: keyOf('server 2') }),
  hangs: () => faults.hangs(),
  fails: () => faults.fails('E_IO'),
  closes: () => faults.closes(),
}

describe('a log on four servers behind the wire', () => {
  afterEach(() => {
    for (const close of closers.splice(0)) close()
  })

  it('is written and read', async () => {
    const world = new World(serverCount)
    await serve(world)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    for (let i = 1; i <= 3; i++) {
      assert.equal((await laptop.append(...snapshotOf(`${i}`))).outcome, 'committed')
    }
    const view = await world.reader().read()
    assert.equal(view.conclusion.state, 'FRESH')
    assert.equal(view.conclusion.answered, serverCount)
    assert.equal([...view.entries('snapshot')].length, 3)
  })

  for (const [name, make] of Object.entries(twoFaced)) {
    it(`is written and read though one of them ${name}`, async () => {
      const world = new World(serverCount)
      const liars = await serve(world)
      await world.found('laptop')
      const before = await world.device('laptop')
      assert.equal((await before.append(...snapshotOf('before'))).outcome, 'committed')
      liars[2].fault = make()
      const laptop = await world.device('laptop')
      assert.equal((await laptop.append(...snapshotOf('during'))).outcome, 'committed')
      const view = await world.reader().read()
      assert.equal(view.conclusion.state, 'FRESH')
      assert.equal([...view.entries('snapshot')].length, 2)
    })
  }

  it('brings one up to date that was away, with late receipts', async () => {
    const world = new World(serverCount)
    const liars = await serve(world)
    await world.found('laptop')
    liars[3].fault = faults.fails('E_IO')
    const laptop = await world.device('laptop')
    for (let i = 1; i <= 3; i++) {
      assert.equal((await laptop.append(...snapshotOf(`${i}`))).outcome, 'committed')
    }
    liars[3].fault = undefined
    const report = await laptop.append(...snapshotOf('4'))
    assert.ok((await report.settled).every(({ outcome }) => outcome === 'stored'))
    const { entries } = await world.peers[3].readLog({
      ...{ logId: world.logId, genesis: false, others: false, bodies: 'none', receipts: true },
      ranges: [{ author: keyOf('laptop'), firstSeq: 1, lastSeq: 9 }],
      maxBytes: 2 ** 21,
    })
    assert.deepEqual(
      entries.map(({ receipt }) => receipt?.late),
      [true, true, true, false],
    )
  })
})
