/** A log from its making to its reading, with honest servers. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { fetchBody, openSnapshot, openSnapshotCheck } from '../../src/log/bodies.ts'
import { isGridError } from '../../src/base/errors.ts'
import { snapshotOf, World } from './world.ts'

describe('log', () => {
  for (const n of [1, 2, 3, 4, 7, 10]) {
    it(`is written and read on ${n} servers`, async () => {
      const world = new World(n)
      await world.found('laptop', 'desk')
      const laptop = await world.device('laptop')
      for (let i = 1; i <= 5; i++) {
        const { outcome, seq } = await laptop.append(...snapshotOf(`${i}`))
        assert.equal(outcome, 'committed')
        assert.equal(seq, i)
      }
      const desk = await world.device('desk')
      assert.equal((await desk.append(...snapshotOf('d'))).outcome, 'committed')

      const view = await world.reader().read()
      assert.equal(view.conclusion.state, 'FRESH')
      assert.equal(view.conclusion.answered, n)
      assert.deepEqual(view.chains.map(({ chain }) => chain.seq).sort(), [1, 2, 5])
      assert.equal([...view.entries('snapshot')].length, 6)
      assert.ok(view.servers.every(({ verdict }) => verdict === 'current'))
    })
  }

  it('gives the reader all, the verifier his half, and nobody else anything', async () => {
    const world = new World(3)
    await world.found('laptop')
    const [snapshot, check] = snapshotOf('a')
    await (await world.device('laptop')).append(snapshot, check)
    const view = await world.reader().read()
    const [entry] = view.entries('snapshot')
    const body = await fetchBody(entry, world.peers, { clock: world.clock })
    const { readSeed, verifySeed } = world.log.keys
    assert.deepEqual(openSnapshot(entry, body, readSeed), snapshot)
    assert.deepEqual(openSnapshotCheck(entry, body, verifySeed), check)
    const unopened = (error: unknown): boolean => isGridError(error, 'E_SEAL')
    assert.throws(() => openSnapshot(entry, body, verifySeed), unopened)
    assert.throws(() => openSnapshotCheck(entry, body, readSeed), unopened)
    assert.throws(() => openSnapshot(entry, body, world.log.keys.signSeed), unopened)
  })
})
