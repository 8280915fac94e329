/** An author among servers that stop, lag, lie and forget, and among his own clones. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { compareBytes } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { bodyHashOf, formatHeader, readHeader, signHeader } from '../../src/log/entry.ts'
import { formatConfigBody } from '../../src/log/log-config.ts'
import { MemoryEntryJournal } from '../../src/log/entry-journal.ts'
import { Pruner } from '../../src/log/pruner.ts'
import { readRelease } from '../../src/log/release.ts'
import { fetchBody } from '../../src/log/bodies.ts'
import { heal } from '../../src/log/heal.ts'
import { founded, LogAdmin } from '../../src/log/log-admin.ts'
import type { AppendReply, LogPeer } from '../../src/log/log-peer.ts'
import { behaving, keyOf, plenty, seedOf, silent, snapshotOf, World } from './world.ts'

const codeIs = (code: Parameters<typeof isGridError>[1]) => (error: unknown) =>
  isGridError(error, code)

function dead(peer: LogPeer): LogPeer {
  const refuse = (): Promise<never> => Promise.reject(new Error('connection lost'))
  return behaving(peer, { appendEntries: refuse, readLog: refuse })
}

/** How many of all servers hold the laptop's entry `seq`. */
async function holders({ servers, logId }: World, seq: number): Promise<number> {
  const author = keyOf('laptop')
  const range = { ranges: [{ author, firstSeq: seq, lastSeq: seq }], others: false } as const
  const rest = { genesis: false, bodies: 'none', receipts: false, maxBytes: 2 ** 21 } as const
  const replies = await Promise.all(
    servers.map((server) => server.readLog({ logId, ...range, ...rest }).catch(() => undefined)),
  )
  return replies.filter((reply) => reply?.entries.length === 1).length
}

describe('appending', () => {
  it('is done as soon as a quorum holds the entry, whatever the rest do', async () => {
    const world = new World(10)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    world.peers = world.peers.map((peer, i) => (i < 3 ? silent(peer) : peer))
    const startedMs = performance.now()
    const report = await laptop.append(...snapshotOf('a'))
    assert.equal(report.outcome, 'committed')
    assert.ok(performance.now() - startedMs < 1000)
    assert.equal(report.receipts.length, 7)
    assert.equal(report.servers.filter(({ outcome }) => outcome === 'pending').length, 3)
    const settled = await report.settled
    const failed = settled.filter(({ outcome }) => outcome === 'failed')
    assert.deepEqual(
      failed.map((each) => 'code' in each && each.code),
      ['E_TIMEOUT', 'E_TIMEOUT', 'E_TIMEOUT'],
    )
  })

  it('tells what is written but not durable, and offers the same bytes again', async () => {
    const world = new World(4)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    world.peers = world.servers.map((peer, i) => (i < 2 ? dead(peer) : peer))
    const first = await laptop.append(...snapshotOf('a'))
    assert.equal(first.outcome, 'not-durable')
    assert.equal(await holders(world, 1), 2)
    await assert.rejects(laptop.append(...snapshotOf('b')), codeIs('E_NOT_DURABLE'))
    world.peers = [...world.servers]
    const again = await laptop.writer.retry()
    assert.equal(again?.outcome, 'committed')
    assert.deepEqual(again.id, first.id)
    assert.equal(await laptop.writer.retry(), undefined)
    await (
      await laptop.append(...snapshotOf('b'))
    ).settled
    const { conclusion } = await world.reader().read()
    assert.equal(conclusion.state, 'FRESH')
  })

  it('offers the journaled entry again after a crash, so that it never forks itself', async () => {
    const world = new World(4)
    await world.found('laptop')
    const journal = new MemoryEntryJournal()
    const crashing = await world.device('laptop', journal)
    world.peers = world.servers.map((peer, i) => (i === 0 ? peer : dead(peer)))
    const lost = await crashing.append(...snapshotOf('a'))
    assert.equal(lost.outcome, 'not-durable')
    // the one server that has it is away when the device starts again
    world.peers = world.servers.map((peer, i) => (i === 0 ? silent(peer) : peer))
    const again = await world.device('laptop', journal)
    assert.equal(again.writer.seq, 1)
    assert.equal((await again.append(...snapshotOf('b'))).seq, 2)
    world.peers = [...world.servers]
    const { conclusion, servers } = await world.reader().read()
    assert.equal(conclusion.state, 'FRESH', JSON.stringify(servers))
  })

  it('offers the journaled entry again though others have seen it and the servers have not', async () => {
    const world = new World(4)
    await world.found('laptop')
    const journal = new MemoryEntryJournal()
    const laptop = await world.device('laptop', journal)
    world.peers = world.servers.map((peer, i) => (i === 0 ? peer : dead(peer)))
    assert.equal((await laptop.append(...snapshotOf('a'))).outcome, 'not-durable')
    // an admin pins what he sees of it, and the one server that has it is gone for good
    world.peers = [...world.servers]
    await (
      await (await world.admin()).checkpoint()
    ).settled
    world.peers = world.servers.map((peer, i) => (i === 0 ? dead(peer) : peer))
    assert.equal((await world.reader().read()).conclusion.state, 'TRUNCATED')
    const again = await world.device('laptop', journal)
    assert.equal((await again.append(...snapshotOf('b'))).seq, 2)
    assert.equal((await world.reader().read()).conclusion.state, 'FRESH')
  })

  it('hands a server that lags all it lacks, in order, marked late', async () => {
    const world = new World(4)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    world.peers = world.servers.map((peer, i) => (i === 3 ? dead(peer) : peer))
    const body = new Uint8Array(9)
    for (let i = 0; i < 40; i++) await laptop.writer.append('snapshot', () => body)
    assert.equal(await holders(world, 1), 3)
    world.peers = [...world.servers]
    const report = await laptop.append(...snapshotOf('last'))
    const settled = await report.settled
    assert.ok(settled.every(({ outcome }) => outcome === 'stored'))
    const { logId } = world
    const { entries } = await world.servers[3].readLog({
      logId,
      genesis: false,
      ranges: [{ author: keyOf('laptop'), firstSeq: 1, lastSeq: 100 }],
      others: false,
      bodies: 'all',
      receipts: true,
      maxBytes: 2 ** 21,
    })
    assert.equal(entries.length, 41)
    assert.deepEqual(
      entries.map(({ receipt }) => receipt?.late),
      [...new Array<boolean>(40).fill(true), false],
    )
    assert.ok(entries.every(({ body }) => body !== undefined))
  })

  it('hands on nothing that a lying source has put in the place of an entry', async () => {
    const world = new World(4)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    world.peers = world.servers.slice(0, 3)
    for (let i = 0; i < 3; i++) await (await laptop.append(...snapshotOf('a'))).settled
    const swapping = (peer: LogPeer): LogPeer =>
      behaving(peer, {
        readLog: async (...args) => {
          const reply = await peer.readLog(...args)
          const entries = reply.entries.map((entry) => {
            const { fields } = readHeader(entry)
            const header = formatHeader({ ...fields, clientMs: 5 })
            return { ...entry, header, signature: signHeader(header, seedOf('forger')) }
          })
          return { ...reply, entries }
        },
      })
    for (const liar of [0, 1, 2]) {
      const fresh = world.servers.map((peer, i) => (i === liar ? swapping(peer) : peer))
      world.peers = fresh
      const report = await laptop.append(...snapshotOf('b'))
      assert.ok((await report.settled).every(({ outcome }) => outcome === 'stored'))
    }
    assert.equal(await holders(world, 1), 4)
  })

  it('gives a server without the log its genesis and the admin chain first', async () => {
    const world = new World(4)
    world.peers = world.servers.slice(0, 3)
    await world.found('laptop')
    world.peers = [...world.servers]
    const report = await (await world.device('laptop')).append(...snapshotOf('a'))
    assert.ok((await report.settled).every(({ outcome }) => outcome === 'stored'))
    assert.equal(await holders(world, 1), 4)
  })

  it('counts no receipt but the server’s own for this entry', async () => {
    const world = new World(4)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    const forging = (change: (reply: AppendReply) => AppendReply) => (peer: LogPeer) =>
      behaving(peer, {
        appendEntries: async (...args) => change(await peer.appendEntries(...args)),
      })
    const stranger = world.server('stranger').publicKey
    const wrong = forging(({ adminSeq, verdicts }) => ({
      adminSeq,
      verdicts: verdicts.map((verdict) =>
        'receipt' in verdict
          ? { ...verdict, receipt: { ...verdict.receipt, receivedMs: 5 } }
          : verdict,
      ),
    }))
    const others = forging(({ adminSeq, verdicts }) => ({
      adminSeq,
      verdicts: verdicts.map((verdict) =>
        'receipt' in verdict
          ? { ...verdict, receipt: { ...verdict.receipt, node: stranger } }
          : verdict,
      ),
    }))
    const empty = forging(() => ({ adminSeq: 0, verdicts: [] }))
    for (const lie of [wrong, others, empty]) {
      world.peers = world.servers.map((peer, i) => (i < 2 ? lie(peer) : peer))
      const report = (await laptop.writer.retry()) ?? (await laptop.append(...snapshotOf('a')))
      assert.equal(report.outcome, 'not-durable')
      assert.equal(report.servers.filter(({ outcome }) => outcome === 'failed').length, 2)
    }
  })

  it('believes no conflict that its own signature does not prove', async () => {
    const world = new World(4)
    await world.found('laptop')
    const feigning = (peer: LogPeer): LogPeer =>
      behaving(peer, {
        appendEntries: async ({ entries }) => ({
          adminSeq: 0,
          verdicts: [
            { outcome: 'conflict', held: { header: entries[0].header, signature: seedOf('x') } },
          ],
        }),
      })
    world.peers = world.servers.map((peer, i) => (i < 1 ? feigning(peer) : peer))
    const report = await (await world.device('laptop')).append(...snapshotOf('a'))
    assert.equal(report.outcome, 'committed')
    const settled = await report.settled
    const failed = settled.filter(({ outcome }) => outcome === 'failed')
    assert.deepEqual(
      failed.map(({ server }) => server),
      [world.servers[0].id],
    )
  })

  it('ends at a server whose answers lead nowhere', async () => {
    const world = new World(4)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    const gaping = (peer: LogPeer): LogPeer =>
      behaving(peer, {
        appendEntries: async () => ({ adminSeq: 0, verdicts: [{ outcome: 'gap', headSeq: 0 }] }),
      })
    world.peers = world.servers.map((peer, i) => (i === 0 ? gaping(peer) : peer))
    const ofLiar = async () => {
      const settled = await (await laptop.append(...snapshotOf('a'))).settled
      return settled.find(({ server }) => server === world.servers[0].id)!
    }
    const first = await ofLiar()
    assert.ok(first.outcome === 'failed' && first.code === 'E_PROTOCOL')
    assert.equal((await ofLiar()).outcome, 'failed')
  })

  it('is refused as a whole once most servers refuse for good', async () => {
    const world = new World(4)
    const admin = await world.found()
    await world.grant(admin, 'laptop', { ...plenty, entriesPerDay: 1 })
    const laptop = await world.device('laptop')
    assert.equal((await laptop.append(...snapshotOf('a'))).outcome, 'committed')
    await assert.rejects(laptop.append(...snapshotOf('b')), codeIs('E_RATE'))
    world.clock.wallMs += 24 * 3600 * 1000
    assert.equal((await laptop.writer.retry())?.outcome, 'committed')
    const stranger = await world.device('stranger')
    await assert.rejects(stranger.append(...snapshotOf('a')), codeIs('E_CERTIFICATE'))
  })
})

describe('a device', () => {
  it('that lost its state goes on from the head that servers show', async () => {
    const world = new World(4)
    await world.found('laptop')
    const before = await world.device('laptop')
    for (let i = 0; i < 3; i++) await before.append(...snapshotOf('a'))
    const after = await world.device('laptop')
    assert.equal(after.writer.seq, 3)
    assert.equal((await after.append(...snapshotOf('b'))).seq, 4)
  })

  it('that was cloned learns of the fork', async () => {
    const world = new World(4)
    await world.found('laptop')
    const [one, two] = [await world.device('laptop'), await world.device('laptop')]
    await (
      await one.append(...snapshotOf('one'))
    ).settled
    await assert.rejects(two.append(...snapshotOf('two')), codeIs('E_FORKED'))
    await assert.rejects(world.device('laptop'), codeIs('E_FORKED'))
    assert.equal((await world.reader().read()).conclusion.state, 'FORKED')
  })

  it('that was cloned learns of it from the entry in its journal', async () => {
    const world = new World(4)
    await world.found('laptop')
    const journal = new MemoryEntryJournal()
    const one = await world.device('laptop', journal)
    world.peers = world.servers.map(dead)
    assert.equal((await one.append(...snapshotOf('one'))).outcome, 'not-durable')
    world.peers = [...world.servers]
    const two = await world.device('laptop')
    for (let i = 0; i < 2; i++) await (await two.append(...snapshotOf('two'))).settled
    await assert.rejects(world.device('laptop', journal), codeIs('E_FORKED'))
  })

  it('whose journal goes on behind the end that servers show does not fork itself', async () => {
    const world = new World(4)
    await world.found('laptop')
    const old = new World(4)
    await old.found('laptop')
    const journal = new MemoryEntryJournal()
    const laptop = await world.device('laptop', journal)
    await laptop.append(...snapshotOf('a'))
    world.peers = world.servers.map(dead)
    assert.equal((await laptop.append(...snapshotOf('b'))).outcome, 'not-durable')
    world.peers = [...old.servers]
    await assert.rejects(world.device('laptop', journal), codeIs('E_TRUNCATED'))
  })

  it('and the admin write on, whatever another device claims to have seen of them', async () => {
    const world = new World(4)
    await world.found('laptop', 'thief')
    const prefixes = [keyOf('laptop'), world.log.keys.adminKey].map((key) => key.slice(0, 8))
    const acks = prefixes
      .sort(compareBytes)
      .map((authorPrefix) => ({ authorPrefix, seq: 99, id: seedOf('nothing') }))
    const { logId } = world
    const body = new Uint8Array(3)
    const header = formatHeader({
      ...{ logId, author: keyOf('thief'), seq: 1, prev: logId, skip: logId, acks, clientMs: 1 },
      ...{ kind: 'snapshot', bodyHash: bodyHashOf(body), bodyBytes: body.length },
    })
    const entry = { header, signature: signHeader(header, seedOf('thief')), body, receipts: [] }
    for (const server of world.servers) {
      await server.appendEntries({ logId, genesis: undefined, entries: [entry] })
    }
    assert.equal((await world.reader().read()).conclusion.state, 'TRUNCATED')
    const report = await (await world.device('laptop')).append(...snapshotOf('a'))
    assert.equal(report.outcome, 'committed')
    await (
      await (await world.admin()).revoke(keyOf('thief'), 0)
    ).settled
    assert.equal((await world.reader().read()).conclusion.state, 'FRESH')
  })

  it('does not start below the quorum, or where its chain is hidden from it', async () => {
    const world = new World(4)
    await world.found('laptop')
    await (
      await (await world.device('laptop')).append(...snapshotOf('a'))
    ).settled
    await (
      await (await world.admin()).checkpoint()
    ).settled
    world.peers = world.servers.map((peer, i) => (i < 2 ? dead(peer) : peer))
    await assert.rejects(world.device('laptop'), codeIs('E_NOT_ENOUGH_SERVERS'))
    const laptop = keyOf('laptop').join()
    world.peers = world.servers.map((peer) =>
      behaving(peer, {
        readLog: async (...args) => {
          const reply = await (peer as LogPeer).readLog(...args)
          return { ...reply, heads: reply.heads.filter(({ author }) => author.join() !== laptop) }
        },
      }),
    )
    await assert.rejects(world.device('laptop'), codeIs('E_TRUNCATED'))
  })

  it('tells a merge from a conflict by the parents it names', async () => {
    const world = new World(3)
    await world.found('laptop', 'desk')
    const one = await (await world.device('laptop')).append(...snapshotOf('one'))
    const two = await (await world.device('desk')).append(...snapshotOf('two'))
    const [merged] = snapshotOf('both', [one.id, two.id])
    assert.deepEqual(merged.parents, [one.id, two.id])
  })
})

describe('an admin', () => {
  it('learns by reading again what it wrote since it read', async () => {
    const world = new World(4)
    await world.found('laptop')
    const admin = await world.admin()
    await world.grant(admin, 'phone')
    await (await world.device('phone')).append(...snapshotOf('a'))
    await admin.writer.refresh()
    const { view } = admin.writer
    assert.equal(view.conclusion.state, 'FRESH')
    assert.equal(view.chainOf(keyOf('phone'))?.chain.seq, 1)
  })

  it('revokes a key, whose later entries servers refuse and readers do not trust', async () => {
    const world = new World(4)
    const admin = await world.found('thief')
    const thief = await world.device('thief')
    await (
      await thief.append(...snapshotOf('good'))
    ).settled
    await (
      await thief.append(...snapshotOf('bad'))
    ).settled
    await admin.writer.refresh()
    await (
      await admin.revoke(keyOf('thief'), 1)
    ).settled
    await assert.rejects(thief.append(...snapshotOf('worse')), codeIs('E_REVOKED'))
    const view = await world.reader().read()
    assert.equal(view.chainOf(keyOf('thief'))?.chain.seq, 2)
    assert.equal([...view.entries('snapshot')].length, 1)
  })

  it('leaves its reader to learn from servers what it has written itself', async () => {
    const world = new World(4)
    await founded(world.log, world.peers)
    const writing = world.writing()
    const admin = await LogAdmin.open(world.log.keys, writing)
    await (
      await world.grant(admin, 'laptop')
    ).settled
    await admin.writer.refresh()
    await (
      await world.grant(admin, 'desk')
    ).settled
    const { rules } = await writing.reader.read()
    assert.deepEqual(
      rules.certificates.map(({ label }) => label),
      ['laptop', 'desk'],
    )
  })

  it('moves the log to other servers without losing an entry', async () => {
    const world = new World(8, { of: 4 })
    const [before, after] = [world.servers.slice(0, 4), world.servers.slice(4)]
    world.peers = [...before]
    await world.found('laptop')
    const laptop = await world.device('laptop')
    for (let i = 0; i < 3; i++) await (await laptop.append(...snapshotOf('a'))).settled
    world.peers = [...world.servers]
    const admin = await world.admin()
    const report = await admin.moveTo(
      after.map(({ publicKey }) => publicKey),
      after,
    )
    assert.equal(report.outcome, 'committed')
    await report.settled
    await assert.rejects(
      laptop
        .append(...snapshotOf('too late'))
        .then(({ outcome }) => assert.equal(outcome, 'committed')),
    )
    const moved = await world.device('laptop')
    assert.equal((await moved.append(...snapshotOf('b'))).outcome, 'committed')
    // a reader who knows the old servers finds the new ones; one whom only they answer is content
    const view = await world.reader().read()
    assert.deepEqual([view.conclusion.state, view.conclusion.quorum], ['FRESH', 3])
    assert.equal(view.chainOf(keyOf('laptop'))?.chain.seq, 4)
    world.peers = [...after]
    assert.equal((await world.reader().read()).conclusion.state, 'FRESH')
    world.peers = [...before]
    assert.equal((await world.reader().read()).conclusion.state, 'STALE-POSSIBLE')
  })

  it('needs both quorums of a config that is not settled', async () => {
    const world = new World(8, { of: 4 })
    world.peers = world.servers.slice(0, 4)
    await world.found('laptop')
    world.peers = [...world.servers.slice(0, 4), ...world.servers.slice(4).map(dead)]
    const { writer } = await world.admin()
    const { config } = writer.view.rules
    const keys = world.servers.slice(4).map(({ publicKey }) => publicKey)
    const next = { epoch: 1, servers: keys.sort(compareBytes) }
    writer.require([config, next])
    const report = await writer.append('config', () => formatConfigBody(next))
    assert.equal(report.outcome, 'not-durable')
    const { conclusion } = await world.reader().read()
    assert.deepEqual([conclusion.state, conclusion.answered], ['STALE-POSSIBLE', 0])
  })

  it('is believed in a config that the new servers alone show, once it is settled', async () => {
    const world = new World(8, { of: 4 })
    world.peers = world.servers.slice(0, 4)
    await world.found('laptop')
    world.peers = [...world.servers]
    const { writer } = await world.admin()
    const { config } = writer.view.rules
    const servers = world.servers
      .slice(4)
      .map(({ publicKey }) => publicKey)
      .sort(compareBytes)
    const next = { epoch: 1, servers }
    writer.require([config, next])
    const report = await writer.append('config', () => formatConfigBody(next))
    assert.equal(report.outcome, 'committed')
    await report.settled
    world.peers = world.servers.slice(4)
    assert.equal((await world.reader().read()).conclusion.state, 'STALE-POSSIBLE')
    world.peers = [...world.servers]
    await (
      await (await world.admin()).checkpoint()
    ).settled
    world.peers = world.servers.slice(4)
    assert.equal((await world.reader().read()).conclusion.state, 'FRESH')
  })

  it('hands over what was committed while it moved the log', async () => {
    const world = new World(8, { of: 4 })
    const after = world.servers.slice(4)
    world.peers = world.servers.slice(0, 4)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    let raced: Promise<unknown> | undefined
    const racing = (peer: LogPeer): LogPeer =>
      behaving(peer, {
        appendEntries: async (...args) => {
          const [request] = args
          const isConfig = request.entries.some((e) => readHeader(e).fields.kind === 'config')
          // the laptop commits at the old servers before any of them knows of the move
          if (isConfig) await (raced ??= laptop.append(...snapshotOf('in between')))
          return peer.appendEntries(...args)
        },
      })
    world.peers = [...world.servers.slice(0, 4).map(racing), ...after]
    const admin = await world.admin()
    const report = await admin.moveTo(
      after.map(({ publicKey }) => publicKey),
      after,
    )
    assert.equal(report.outcome, 'committed')
    world.peers = [...after]
    const view = await world.reader().read()
    assert.equal(view.chainOf(keyOf('laptop'))?.chain.seq, 1)
    assert.equal(view.conclusion.state, 'FRESH')
  })

  it('is nobody else', async () => {
    const world = new World(1)
    await world.found()
    const { LogAdmin } = await import('../../src/log/log-admin.ts')
    const other = LogAdmin.open({ signSeed: seedOf('x') }, world.writing())
    await assert.rejects(other, codeIs('E_CAP_WEAK'))
  })
})

describe('a pruner', () => {
  const release = {
    server: undefined,
    cutoffMs: 5,
    storageIndexes: [new Uint8Array(20)],
  }

  it('signs releases, and adds no snapshot', async () => {
    const world = new World(4)
    const admin = await world.found('laptop')
    await (
      await world.grant(admin, 'pruner', plenty, ['release'])
    ).settled
    const pruner = await Pruner.open({ ...world.writing(), seed: seedOf('pruner') })
    assert.equal((await pruner.release(release)).outcome, 'committed')
    const [entry] = (await world.reader().read()).entries('release')
    const body = await fetchBody(entry, world.peers, { clock: world.clock })
    assert.deepEqual(readRelease(body), { ...release, releaseSeq: 1, account: world.logId })
    const asDevice = await world.device('pruner')
    await assert.rejects(asDevice.append(...snapshotOf('a')), codeIs('E_CERTIFICATE'))
    const asPruner = await Pruner.open({ ...world.writing(), seed: seedOf('laptop') })
    await assert.rejects(asPruner.release(release), codeIs('E_CERTIFICATE'))
  })
})

describe('healing', () => {
  it('gives the genesis of a log without an entry', async () => {
    const world = new World(4)
    world.peers = world.servers.slice(0, 3)
    await founded(world.log, world.peers)
    const { clock, servers } = world
    world.peers = [...servers]
    const view = await world.reader().read()
    assert.deepEqual(
      new Set(view.servers.map(({ verdict }) => verdict)),
      new Set(['current', 'absent']),
    )
    await heal(view, { targets: servers.slice(3), peers: servers, clock })
    assert.equal((await world.reader().read()).conclusion.answered, 4)
  })

  it('brings those that lag or forgot up to what was read', async () => {
    const world = new World(4)
    world.peers = world.servers.slice(0, 3)
    await world.found('laptop', 'desk')
    for (const name of ['laptop', 'desk']) {
      const device = await world.device(name)
      for (let i = 0; i < 2; i++) await (await device.append(...snapshotOf('a'))).settled
    }
    world.peers = [...world.servers]
    const { clock, peers } = world
    const view = await world.reader().read()
    const healed = await heal(view, { targets: peers, peers, clock })
    assert.ok(healed.every(({ error }) => error === undefined))
    const after = await world.reader().read()
    assert.ok(after.servers.every(({ verdict }) => verdict === 'current'))
  })
})
