/** An admin who certifies, revokes and moves a log in one sitting, with interruptions. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import { readHeader } from '../../src/log/entry.ts'
import { MemoryEntryJournal } from '../../src/log/entry-journal.ts'
import { LogAdmin } from '../../src/log/log-admin.ts'
import type { LogPeer } from '../../src/log/log-peer.ts'
import { behaving, keyOf, plenty, snapshotOf, World } from './world.ts'

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

describe('a device that has not heard of a move', () => {
  it('commits to a quorum of the servers that keep the log now', async () => {
    const world = new World(4, { of: 1 })
    await world.found('laptop')
    const laptop = await world.device('laptop')
    await (
      await laptop.append(...snapshotOf('a'))
    ).settled
    const moved = await (
      await world.admin()
    ).moveTo(
      world.servers.map(({ publicKey }) => publicKey),
      world.servers.slice(1),
    )
    await moved.settled
    // the one server that it knows would make a quorum of what it knows
    const report = await laptop.append(...snapshotOf('b'))
    assert.equal(report.outcome, 'committed')
    assert.ok(report.receipts.length >= 3)
    world.peers = world.servers.slice(1)
    const view = await world.reader().read()
    assert.deepEqual(
      [view.conclusion.state, view.chainOf(keyOf('laptop'))?.chain.seq],
      ['FRESH', 2],
    )
  })
})

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

  it('does not move to servers of which fewer than a quorum took all', async () => {
    const { world, before, after, keys } = await staged()
    await (
      await (await world.device('laptop')).append(...snapshotOf('a'))
    ).settled
    // two of four have no room for what the laptop wrote
    const full = (peer: LogPeer): LogPeer =>
      behaving(peer, {
        appendEntries: async (request) => {
          const isSnapshot = request.entries.some((e) => readHeader(e).fields.kind === 'snapshot')
          if (!isSnapshot) return peer.appendEntries(request)
          return { adminSeq: 0, verdicts: [{ outcome: 'refused', code: 'E_FULL', reason: 'full' }] }
        },
      })
    const targets = after.map((peer, i) => (i < 2 ? full(peer) : peer))
    world.peers = [...before, ...targets]
    const move = (await world.admin()).moveTo(keys, targets)
    await assert.rejects(move, codeIs('E_NOT_ENOUGH_SERVERS'))
    const view = await world.reader().read()
    assert.equal(view.rules.config.epoch, 0)
    assert.equal(view.conclusion.state, 'FRESH')
  })

  it('brings a move that was interrupted to its end before another', async () => {
    const { world, before, after, keys } = await staged()
    const deaf = (peer: LogPeer): LogPeer =>
      behaving(peer, { appendEntries: () => Promise.reject(new Error('gone')) })
    world.peers = [...before.map((peer, i) => (i < 2 ? peer : deaf(peer))), ...after]
    const journal = new MemoryEntryJournal()
    const open = () => LogAdmin.open(world.log.keys, { ...world.writing(), journal })
    assert.equal((await (await open()).moveTo(keys, after)).outcome, 'not-durable')
    world.peers = [...world.servers]
    const report = await (await open()).moveTo(keys, after)
    assert.equal(report.outcome, 'committed')
    await report.settled
    // a quorum of the old servers tells where the log went, whatever one of them does
    for (const liar of before) {
      world.peers = before.filter((peer) => peer !== liar)
      assert.equal((await world.reader().read()).rules.config.epoch, 1)
    }
    world.peers = [...after]
    assert.equal((await world.reader().read()).conclusion.state, 'FRESH')
  })
})
