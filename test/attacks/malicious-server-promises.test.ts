/** Servers that promise and do not keep, or keep a client waiting. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { faults } from '../../src/storage/faults.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import {
  AttackedGrid,
  content,
  indexOfCap,
  noRoom,
  notEnoughServers,
  notEnoughShares,
  range,
} from './attacked-grid.ts'

const bytes = content(1000)
/** Its shares are large enough to be asked about before they are sent. */
const large = content(300_000)
const all = range(0, 10)

/** Numbers of the servers of a grid of 13 that an honest put of `large` gives its shares to, in order. */
async function usualHolders(): Promise<number[]> {
  const honest = AttackedGrid.of({ servers: 13 })
  const { cap } = await honest.put(large)
  const holders: number[] = []
  for (const [i, server] of honest.servers.entries()) {
    const [held] = await honest.run(server.have([indexOfCap(cap)]))
    if (held.length > 0) holders.push(i)
  }
  assert.equal(holders.length, 10)
  return holders
}

/** How many servers really have a share of the file. */
async function trueHolders(attacked: AttackedGrid, cap: string): Promise<number> {
  attacked.corrupt([], () => ({}))
  let count = 0
  for (const server of attacked.servers) {
    const [held] = await attacked.run(server.have([indexOfCap(cap)]))
    if (held.length > 0) count++
  }
  return count
}

describe('malicious server, promises', () => {
  it('server 13: a share that is claimed and then absent is not counted, and its server is named', async () => {
    const attacked = AttackedGrid.of()
    const { cap, sentBytes } = await attacked.put(bytes)
    attacked.corrupt(range(0, 3), () => faults.forgets())
    const again = await attacked.put(bytes)
    assert.deepEqual([again.servers, again.hadBytes], [7, (sentBytes / 10) * 7])
    attacked.corrupt(range(0, 4), () => faults.forgets())
    const verdicts = await notEnoughServers(attacked.put(bytes))
    assert.deepEqual(
      new Set(verdicts.map(({ peerId, code }) => `${peerId} ${code}`)),
      new Set(range(0, 4).map((i) => `s${i} E_ABSENT`)),
    )
    attacked.corrupt(range(0, 7), () => faults.forgets())
    assert.deepEqual(await attacked.get(cap), bytes)
    attacked.corrupt(range(0, 8), () => faults.forgets())
    assert.equal((await notEnoughShares(attacked.get(cap))).length, 8)
  })

  it('server 14: what was acknowledged and never stored is found by the next put, and placed elsewhere', async () => {
    const liars = (await usualHolders()).slice(0, 3)
    const attacked = AttackedGrid.of({ servers: 13 })
    attacked.corrupt(liars, () => faults.acknowledgesOnly())
    const first = await attacked.put(large)
    assert.equal(first.servers, 10)
    const second = await attacked.put(large)
    assert.deepEqual([second.servers, second.hadBytes], [10, (first.sentBytes / 10) * 7])
    assert.equal(await trueHolders(attacked, first.cap), 10)
  })

  it('server 14: seven of ten that acknowledged and stored nothing cost no byte', async () => {
    for (const first of range(0, 4)) {
      const attacked = AttackedGrid.of()
      attacked.corrupt(range(first, first + 7), () => faults.acknowledgesOnly())
      const { cap } = await attacked.put(bytes)
      assert.deepEqual(await attacked.get(cap), bytes)
    }
  })

  it('server 17: servers that drip a byte a second hold a read up by less than three seconds', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(bytes)
    for (const first of range(0, 4)) {
      attacked.grid = attacked.newClient()
      attacked.corrupt(range(first, first + 7), () => faults.drips(1))
      const startMs = attacked.clock.monotonicMs()
      assert.deepEqual(await attacked.get(cap), bytes)
      const elapsedMs = attacked.clock.monotonicMs() - startMs
      assert.ok(elapsedMs < 3000, `${elapsedMs} ms`)
    }
  })

  it('server 17, 18: three of ten that drip or hang hold a put up by less than three seconds', async () => {
    for (const fault of [() => faults.drips(1), () => faults.hangs()]) {
      const attacked = AttackedGrid.of()
      attacked.corrupt(range(0, 3), fault)
      const { servers, cap } = await attacked.put(bytes)
      assert.equal(servers, 7)
      assert.ok(attacked.clock.monotonicMs() < 3000, `${attacked.clock.monotonicMs()} ms`)
      assert.deepEqual(await attacked.get(cap), bytes)
    }
  })

  it('server 19: a connection that breaks in the middle of a share puts it elsewhere', async () => {
    const liars = (await usualHolders()).slice(0, 3)
    const attacked = AttackedGrid.of({ servers: 13 })
    const { putShare } = faults.closes()
    attacked.corrupt(liars, () => ({ putShare }))
    const { servers, cap } = await attacked.put(bytes)
    assert.equal(servers, 10)
    assert.equal(await trueHolders(attacked, cap), 10)
  })

  it('server 25: a server that is full when a share has come whole is replaced', async () => {
    const liars = (await usualHolders()).slice(0, 3)
    const attacked = AttackedGrid.of({ servers: 13 })
    attacked.corrupt(liars, () => faults.isFullAtTheEnd())
    const { servers, cap } = await attacked.put(bytes)
    assert.equal(servers, 10)
    assert.equal(await trueHolders(attacked, cap), 10)
    assert.deepEqual(await attacked.get(cap), bytes)
  })

  it('server 25, T1, T2: with too few others the put fails, and really stores when it is tried again', async () => {
    const attacked = AttackedGrid.of()
    attacked.corrupt(range(0, 4), () => faults.isFullAtTheEnd())
    const verdicts = await noRoom(attacked.put(bytes))
    assert.deepEqual(
      verdicts.map(({ peerId, code }) => `${peerId} ${code}`).sort(),
      range(0, 4).map((i) => `s${i} E_FULL`),
    )
    attacked.corrupt([], () => ({}))
    const { servers, cap } = await attacked.put(bytes)
    assert.equal(servers, 10)
    assert.equal(await trueHolders(attacked, cap), 10)
  })

  const claims: Record<string, () => Fault> = {
    'claims every share and proves none': () => faults.claimsAll(),
    'claims every share and gives a wrong proof': () => ({
      ...faults.claimsAll(),
      ...faults.provesWrong(),
    }),
    'claims every share and gives an old proof': () => {
      const { have, putShare } = faults.claimsAll()
      return { have, putShare, prove: async () => new Uint8Array(32).fill(7) }
    },
    'claims every share and has none to prove': () => {
      const { have, putShare } = faults.claimsAll()
      return { have, putShare }
    },
  }
  for (const [name, fault] of Object.entries(claims)) {
    it(`server 39: a server that ${name} does not count towards happy`, async () => {
      const attacked = AttackedGrid.of()
      attacked.corrupt(range(0, 3), fault)
      const { servers, hadBytes, cap } = await attacked.put(bytes)
      assert.deepEqual([servers, hadBytes], [7, 0])
      assert.equal(await trueHolders(attacked, cap), 7)
      const worse = AttackedGrid.of()
      worse.corrupt(range(0, 4), fault)
      await notEnoughServers(worse.put(bytes))
    })
  }

  it('server 39: a proof that was right for another nonce does not count', async () => {
    const attacked = AttackedGrid.of()
    const { sentBytes } = await attacked.put(bytes)
    attacked.corrupt(all, () => faults.replaysProof())
    assert.equal((await attacked.put(bytes)).hadBytes, sentBytes)
    const verdicts = await notEnoughServers(attacked.put(bytes))
    assert.equal(new Set(verdicts.map(({ peerId }) => peerId)).size, 10)
    assert.ok(verdicts.every(({ code }) => code === 'E_ABSENT'))
  })
})
