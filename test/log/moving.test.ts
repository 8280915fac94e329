/** An admin who certifies, revokes and moves a log in one sitting, with interruptions. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import { keyOf, plenty, snapshotOf, World } from './world.ts'

const codeIs = (code: Parameters<typeof isGridError>[1]) => (error: unknown) =>
  isGridError(error, code)

/** A log on four of eight servers, and the other four; the laptop is certified. */
async function staged() {
  const world = new World(8, { of: 4 })
  const [before, after] = [world.servers.slice(0, 4), world.servers.slice(4)]
  world.peers = [...before]
  await world.found('laptop')
  world.peers = [...world.servers]
  return { world, before, after, keys: after.map(({ publicKey }) => publicKey) }
}

describe('an admin in one sitting', () => {
  it('reads by its own rules, and follows those it has certified', async () => {
    const world = new World(4)
    await world.found('laptop')
    const admin = await world.admin()
    await (
      await world.grant(admin, 'desk')
    ).settled
    await (
      await (await world.device('desk')).append(...snapshotOf('a'))
    ).settled
    await admin.writer.refresh()
    const { view } = admin.writer
    assert.ok(view.rules.certificateOf(keyOf('desk')))
    assert.equal(view.chainOf(keyOf('desk'))?.chain.seq, 1)
  })

  it('signs nothing that servers must refuse for good', async () => {
    const world = new World(4)
    const admin = await world.found('laptop')
    const less = world.grant(admin, 'laptop', plenty, ['append'])
    await assert.rejects(less, codeIs('E_CERTIFICATE'))
    await world.grant(admin, 'phone')
    await admin.revoke(keyOf('phone'))
    await assert.rejects(world.grant(admin, 'phone'), codeIs('E_CERTIFICATE'))
    await assert.rejects(admin.revoke(world.log.keys.adminKey), codeIs('E_ENTRY'))
    assert.equal((await world.grant(admin, 'desk')).outcome, 'committed')
  })

  it('takes along what a device wrote that was certified since', async () => {
    const { world, after, keys } = await staged()
    const admin = await world.admin()
    await (
      await world.grant(admin, 'desk')
    ).settled
    await (
      await (await world.device('desk')).append(...snapshotOf('a'))
    ).settled
    assert.equal((await admin.moveTo(keys, after)).outcome, 'committed')
    world.peers = [...after]
    const view = await world.reader().read()
    assert.equal(view.conclusion.state, 'FRESH')
    assert.equal(view.chainOf(keyOf('desk'))?.chain.seq, 1)
  })

  it('is followed by a device that reads again', async () => {
    const { world, after, keys } = await staged()
    const laptop = await world.device('laptop')
    await (
      await (await world.admin()).moveTo(keys, after)
    ).settled
    await laptop.writer.refresh()
    assert.equal((await laptop.append(...snapshotOf('a'))).outcome, 'committed')
  })
})
