/** An admin who certifies, revokes and moves a log in one sitting, with interruptions. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { entryIdOf, readHeader } from '../../src/log/entry.ts'
import { ChainWriter } from '../../src/log/chain-writer.ts'
import { MemoryEntryJournal } from '../../src/log/entry-journal.ts'
import { LogAdmin } from '../../src/log/log-admin.ts'
import type { LogPeer } from '../../src/log/log-peer.ts'
import { signReceipt } from '../../src/log/receipt.ts'
import { behaving, keyOf, plenty, seedOf, snapshotOf, World } from './world.ts'

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

describe('news of the admin', () => {
  /** The laptop, its requests by verb, and what a server's replies are changed to. */
  async function watched(claim: (server: number, adminSeq: number) => number) {
    const world = new World(4)
    // nobody is slow here but a busy machine
    world.clock.after = () => () => {}
    const admin = await world.found('laptop')
    const asked = { appends: 0, reads: 0 }
    world.peers = world.servers.map((peer, i) =>
      behaving(peer, {
        appendEntries: async (request) => {
          asked.appends++
          const reply = await peer.appendEntries(request)
          return { ...reply, adminSeq: claim(i, reply.adminSeq) }
        },
        readLog: async (request) => {
          // what asks for heads alone: one for each server in a reading
          if (request.ranges.length === 0) asked.reads++
          return peer.readLog(request)
        },
      }),
    )
    const laptop = await world.device('laptop')
    const append = async () => {
      Object.assign(asked, { appends: 0, reads: 0 })
      const report = await laptop.append(...snapshotOf('a'))
      await report.settled
      return { outcome: report.outcome, ...asked }
    }
    return { world, admin, append, laptop }
  }

  it('costs no second trip while there is none', async () => {
    const { append } = await watched((_, adminSeq) => adminSeq)
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await append(), { outcome: 'committed', appends: 4, reads: 0 })
    }
  })

  it('has a device read again, once, and go on', async () => {
    const { append, world, admin, laptop } = await watched((_, adminSeq) => adminSeq)
    await (
      await world.grant(admin, 'desk')
    ).settled
    const first = await append()
    assert.ok(first.outcome === 'committed' && first.reads >= 4)
    assert.equal(laptop.writer.view.chainOf(world.log.keys.adminKey)?.chain.seq, 2)
    assert.deepEqual(await append(), { outcome: 'committed', appends: 4, reads: 0 })
  })

  it('that nobody wrote locks no device out, however many feign it', async () => {
    for (const liars of [1, 2, 4]) {
      for (const claimed of [3, Number.MAX_SAFE_INTEGER, NaN]) {
        const { append } = await watched((i, adminSeq) => (i < liars ? claimed : adminSeq))
        for (let i = 0; i < 2; i++) {
          const { outcome, appends, reads } = await append()
          assert.deepEqual([outcome, appends], ['committed', 4])
          assert.ok(reads <= 4, `${reads} reads`)
        }
      }
    }
  })

  it('counts for an entry that was had before, by what is known when it is offered again', async () => {
    const { world, after, keys, before } = await staged()
    const laptop = await world.writer('laptop')
    // two of four: the entry is there, and not durable
    world.peers = before.slice(0, 2)
    const entry = await laptop.append('snapshot', () => utf8('a snapshot'))
    assert.equal(entry.outcome, 'not-durable')
    world.peers = [...world.servers]
    const admin = await world.admin()
    const moved = await admin.moveTo([...keys, ...before.map((b) => b.publicKey)], after)
    await moved.settled
    assert.equal((await laptop.retry())?.outcome, 'committed')
    assert.equal(laptop.configs[0].servers.length, 8)
  })
})

describe('a device that appends while the log is moved', () => {
  it('commits nothing that the admin did not see, though one server is slow and one lies', async () => {
    const { world, before, after, keys } = await staged()
    const [slow, liar, quick, other] = before
    const node = { seed: seedOf('server 1'), publicKey: liar.publicKey }
    const held: (() => void)[] = []
    const waits = behaving(slow, {
      appendEntries: async (request) => {
        await new Promise<void>((resolve) => held.push(resolve))
        return slow.appendEntries(request)
      },
    })
    const signsOnly = behaving(liar, {
      appendEntries: async ({ logId, entries: [{ header }] }) => {
        const subject = { logId, id: entryIdOf(header) }
        const receipt = signReceipt(subject, { receivedMs: 1, late: false }, node)
        return { adminSeq: 0, verdicts: [{ outcome: 'stored', receipt }] }
      },
    })
    const clock = { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0, after: () => () => {} }
    const laptop = await world.writer('laptop')
    const patient = await ChainWriter.open({
      ...world.writing(),
      ...{ clock, seed: seedOf('laptop'), peers: () => [waits, signsOnly, quick] },
    })
    assert.equal(laptop.seq, 0)
    const appending = patient.append('snapshot', () => utf8('a snapshot'))
    // the config reaches all but the slow one, and the quick one does not answer the admin's second read
    let configs = 0
    const deaf = behaving(slow, {
      appendEntries: async (request) => {
        const isConfig = request.entries.some((e) => readHeader(e).fields.kind === 'config')
        if (isConfig && configs++ === 0) throw new Error('gone')
        return slow.appendEntries(request)
      },
    })
    const mute = behaving(quick, {
      readLog: async (request) => {
        if (configs > 0) throw new Error('gone')
        return quick.readLog(request)
      },
    })
    world.peers = [deaf, liar, mute, other, ...after]
    const moved = await (await world.admin()).moveTo(keys, after)
    assert.deepEqual([moved.outcome, held.length], ['committed', 1])
    held[0]()
    assert.equal((await appending).outcome, 'not-durable')
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
