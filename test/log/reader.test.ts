/** Malicious servers against an honest reader: the four words, and what is shown with each. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import { witnessOfReceipt } from '../../src/log/conclusion.ts'
import {
  bodyHashOf,
  formatHeader,
  type ReadHeader,
  readHeader,
  signHeader,
  type SignedHeader,
  skipOf,
} from '../../src/log/entry.ts'
import { MemoryHeadPins } from '../../src/log/head-pins.ts'
import type { LogPeer, ReadLogReply } from '../../src/log/log-peer.ts'
import { maxLiars, quorumOf } from '../../src/log/log-config.ts'
import { behaving, keyOf, seedOf, silent, snapshotOf, World } from './world.ts'

type Reply = (reply: ReadLogReply) => ReadLogReply

/** Answers reads by `change` of the true answer. */
function lying(peer: LogPeer, change: Reply): LogPeer {
  return behaving(peer, { readLog: async (...args) => change(await peer.readLog(...args)) })
}

/** Answers as the log was when this was made. */
function frozen(peer: LogPeer, world: World): LogPeer {
  const clone: LogPeer = world.server('frozen')
  const made = copyOf(peer, clone, world)
  return behaving(peer, {
    readLog: async (...args) => {
      await made
      return clone.readLog(...args)
    },
  })
}

async function copyOf(from: LogPeer, to: LogPeer, { logId, log }: World): Promise<void> {
  const request = { logId, genesis: false, ranges: [], others: true } as const
  const read = { ...request, bodies: 'all', receipts: false, maxBytes: 2 ** 22 } as const
  const { entries } = await from.readLog(read)
  const handed = entries.map((entry) => ({ ...entry, receipts: [] }))
  await to.appendEntries({ logId, genesis: log.genesis, entries: handed })
}

const garbage = (peer: LogPeer): LogPeer =>
  lying(peer, ({ heads, forks }) => ({
    genesis: new Uint8Array(50).fill(7),
    heads: heads.map((head) => ({ ...head, seq: head.seq + 3, id: seedOf('garbage') })),
    entries: [{ header: seedOf('g'), signature: seedOf('g'), body: undefined, receipt: undefined }],
    forks,
    complete: true,
  }))

/** Ten servers, a device that has written three entries; two more once liars have been set up. */
async function staged(set: (peers: LogPeer[], world: World) => LogPeer[], n = 10): Promise<World> {
  const world = new World(n)
  await world.found('laptop')
  const laptop = await world.device('laptop')
  for (let i = 0; i < 3; i++) await (await laptop.append(...snapshotOf('early'))).settled
  const liars = set([...world.peers], world)
  await new Promise((resolve) => setTimeout(resolve, 5))
  for (let i = 0; i < 2; i++) await (await laptop.append(...snapshotOf('late'))).settled
  world.peers = liars
  return world
}

const some =
  (count: number, lie: (peer: LogPeer, world: World) => LogPeer) =>
  (peers: LogPeer[], world: World): LogPeer[] =>
    peers.map((peer, i) => (i < count ? lie(peer, world) : peer))

async function seen(world: World, pins = new MemoryHeadPins()) {
  const view = await world.reader(pins).read()
  return { view, ...view.conclusion, seq: view.chainOf(keyOf('laptop'))?.chain.seq }
}

/** A chain of the laptop that goes on with entries made here, as its server shows it. */
function longer(
  peer: LogPeer,
  make: (head: ReadHeader) => { header: Uint8Array; signature: Uint8Array }[],
): LogPeer {
  const author = keyOf('laptop')
  const isLaptop = (key: Uint8Array): boolean => Buffer.from(author).equals(key)
  return behaving(peer, {
    readLog: async (request) => {
      const reply = await peer.readLog(request)
      const { seq } = reply.heads.find((head) => isLaptop(head.author))!
      const ranges = [{ author, firstSeq: seq, lastSeq: seq }]
      const ends = await peer.readLog({ ...request, ranges, others: false })
      const made = make(readHeader(ends.entries[0]))
      const last = readHeader(made[made.length - 1])
      const wanted = request.ranges.find((range) => isLaptop(range.author))
      const added = made.filter((entry) => {
        const at = readHeader(entry).fields.seq
        return wanted !== undefined && wanted.firstSeq <= at && at <= wanted.lastSeq
      })
      const heads = reply.heads.map((head) =>
        isLaptop(head.author) ? { author, seq: last.fields.seq, id: last.id } : head,
      )
      const bare = added.map((entry) => ({ ...entry, body: undefined, receipt: undefined }))
      return { ...reply, heads, entries: [...reply.entries, ...bare] }
    },
  })
}

function after(head: ReadHeader, prev: Uint8Array, seed: Uint8Array, skip?: Uint8Array) {
  const { fields } = head
  const seq = fields.seq + 1
  const link = skip ?? (skipOf(seq) === fields.seq ? head.id : fields.skip)
  const header = formatHeader({ ...fields, seq, prev, skip: link, acks: [] })
  return { header, signature: signHeader(header, seed) }
}

describe('reading among liars', () => {
  for (const [name, lie] of Object.entries({ silent, garbage, frozen })) {
    it(`is FRESH with the right head while three of ten are ${name}`, async () => {
      const { state, seq } = await seen(await staged(some(3, lie)))
      assert.equal(state, 'FRESH')
      assert.equal(seq, 5)
    })
  }

  for (const [name, lie] of Object.entries({ silent, garbage })) {
    it(`is STALE-POSSIBLE with what six show while four of ten are ${name}`, async () => {
      const { state, seq, answered, quorum, view } = await seen(await staged(some(4, lie)))
      assert.equal(state, 'STALE-POSSIBLE')
      assert.deepEqual([answered, quorum, seq], [6, 7, 5])
      const bad = view.servers.filter(({ verdict }) => verdict !== 'current')
      assert.deepEqual(
        new Set(bad.map(({ verdict }) => verdict)),
        new Set([name === 'silent' ? 'silent' : 'wrong']),
      )
    })
  }

  it('uses the newest head that verifies, though nine of ten serve an old one', async () => {
    for (const count of [4, 9]) {
      const { seq, view } = await seen(await staged(some(count, frozen)))
      assert.equal(seq, 5)
      assert.equal(view.servers.filter(({ verdict }) => verdict === 'lagging').length, count)
    }
  })

  it('believes no head that its server cannot show, nor one that is not signed', async () => {
    const promise = (peer: LogPeer): LogPeer =>
      lying(peer, (reply) => ({
        ...reply,
        heads: reply.heads.map((head) => ({ ...head, seq: 100_000, id: seedOf('x') })),
      }))
    const unsigned = (peer: LogPeer): LogPeer =>
      lying(peer, (reply) => ({
        ...reply,
        entries: reply.entries.map((entry) => ({ ...entry, signature: new Uint8Array(64) })),
      }))
    for (const lie of [promise, unsigned]) {
      const { seq, state, answered } = await seen(await staged(some(3, lie)))
      assert.deepEqual([seq, state], [5, 'FRESH'])
      assert.ok(answered >= 7)
    }
  })

  it('waits no longer for one that has stopped, or that hangs once it is asked to show its claim', async () => {
    const hanging = (peer: LogPeer): LogPeer =>
      behaving(peer, {
        readLog: async (request) => {
          if (request.ranges.length > 0) return new Promise(() => {})
          const reply = await peer.readLog(request)
          return { ...reply, heads: reply.heads.map((head) => ({ ...head, seq: 99 })) }
        },
      })
    for (const lie of [silent, hanging]) {
      const world = await staged(some(3, lie))
      const { clock } = world
      const delays: number[] = []
      const after = clock.after.bind(clock)
      clock.after = (delayMs, action) =>
        after(delayMs, () => {
          delays.push(delayMs)
          action()
        })
      assert.equal((await seen(world)).state, 'FRESH')
      const waitedMs = Math.max(...delays)
      assert.equal(waitedMs, lie === silent ? 1000 : 10_000)
      assert.ok(new Set(delays).size === 1)
    }
  })

  it('waits for those that are slow where most others fail at once', async () => {
    const dead = (peer: LogPeer): LogPeer =>
      behaving(peer, { readLog: () => Promise.reject(new Error('connection lost')) })
    const slow = (peer: LogPeer, { clock }: World): LogPeer =>
      behaving(peer, {
        readLog: async (request) => {
          await new Promise<void>((resolve) => clock.after(3000, resolve))
          return peer.readLog(request)
        },
      })
    const world = await staged((peers, staging) =>
      peers.map((peer, i) => (i < 7 ? dead(peer) : slow(peer, staging))),
    )
    const { seq, answered, state } = await seen(world)
    assert.deepEqual([seq, answered, state], [5, 3, 'STALE-POSSIBLE'])
  })

  it('does not follow a chain without end, though its head is signed', async () => {
    const world = await staged(some(0, silent), 4)
    let asked = 0
    const endless = longer(world.servers[0], (head) => {
      const { fields } = head
      const header = formatHeader({ ...fields, seq: 2 ** 30, prev: seedOf('far'), acks: [] })
      return [{ header, signature: signHeader(header, seedOf('laptop')) }]
    })
    const counting = behaving(endless, {
      readLog: (request) => {
        asked += request.ranges.some(({ lastSeq }) => lastSeq === 2 ** 30) ? 1 : 0
        return endless.readLog(request)
      },
    })
    world.peers = [counting, ...world.servers.slice(1)]
    const { state, view } = await seen(world)
    assert.deepEqual([state, asked], ['FRESH', 0])
    assert.equal(view.servers[0].verdict, 'wrong')
  })

  it('counts a server that leaves a middle entry out as wrong', async () => {
    const omitting = (peer: LogPeer): LogPeer =>
      lying(peer, (reply) => ({ ...reply, entries: reply.entries.filter((_, i) => i !== 1) }))
    const world = await staged(some(10, omitting))
    const { state, seq, view } = await seen(world)
    assert.equal(state, 'STALE-POSSIBLE')
    assert.equal(seq, undefined)
    assert.ok(view.servers.some(({ verdict }) => verdict === 'wrong'))
  })

  it('believes no entry behind the head that is linked but not signed by the author', async () => {
    const forging = (peer: LogPeer): LogPeer =>
      longer(peer, (head) => [after(head, head.id, seedOf('forger'))])
    const { seq, state, view } = await seen(await staged(some(3, forging)))
    assert.deepEqual([seq, state], [5, 'FRESH'])
    assert.equal(view.servers.filter(({ verdict }) => verdict === 'wrong').length, 3)
  })

  it('believes no signed head above a link that leads elsewhere', async () => {
    const breaking = (peer: LogPeer): LogPeer =>
      longer(peer, (head) => {
        const astray = after(head, seedOf('elsewhere'), seedOf('laptop'))
        const read = readHeader(astray)
        return [astray, after(read, read.id, seedOf('laptop'), read.id)]
      })
    const { seq, view } = await seen(await staged(some(3, breaking)))
    assert.equal(seq, 5)
    assert.equal(view.servers.filter(({ verdict }) => verdict === 'wrong').length, 3)
  })

  it('takes no entry that is replayed from elsewhere in the chain or from another log', async () => {
    const other = new World(1)
    const replaying = (peer: LogPeer): LogPeer =>
      lying(peer, (reply) => ({ ...reply, entries: reply.entries.map(() => reply.entries[0]) }))
    const swapped = (peer: LogPeer): LogPeer =>
      other.servers[0] &&
      behaving(peer, {
        readLog: (request) => peer.readLog({ ...request, ranges: [], others: true }),
      })
    for (const lie of [replaying, swapped]) {
      const { state, seq } = await seen(await staged(some(3, lie)))
      assert.deepEqual([state, seq], ['FRESH', 5])
    }
  })

  it('does not count servers without the genesis, and says when none has it', async () => {
    const empty: LogPeer = new World(1).server('empty')
    const absent = (peer: LogPeer): LogPeer =>
      behaving(peer, { readLog: (...args) => empty.readLog(...args) })
    const world = await staged(some(4, absent))
    const { state, answered, view } = await seen(world)
    assert.deepEqual([state, answered], ['STALE-POSSIBLE', 6])
    assert.equal(view.servers.filter(({ verdict }) => verdict === 'absent').length, 4)
    world.peers = world.servers.map((peer) => silent(peer))
    await assert.rejects(world.reader().read(), (error) => isGridError(error, 'E_UNREACHABLE'))
  })
})

describe('TRUNCATED', () => {
  it('is said where all servers roll back below what this reader saw', async () => {
    const world = await staged((peers) => peers)
    const pins = new MemoryHeadPins()
    assert.equal((await seen(world, pins)).state, 'FRESH')
    const early = await staged((peers, each) => peers.map((peer) => frozen(peer, each)))
    const { state, evidence, seq } = await seen(early, pins)
    assert.equal(state, 'TRUNCATED')
    assert.equal(seq, 3)
    assert.deepEqual(
      evidence.map(({ kind, seq: at }) => [kind, at]),
      [['pin', 5]],
    )
    const pinned = await pins.load(world.logId)
    assert.ok(
      pinned.some((pin) => readHeader(pin).fields.seq === 5),
      'the pin stays',
    )
  })

  it('is said by a reader that stays, too', async () => {
    const world = await staged(some(4, frozen), 4)
    const { peers } = world
    const pins = new MemoryHeadPins()
    const reader = world.reader(pins)
    world.peers = [...world.servers]
    assert.equal((await reader.read()).conclusion.state, 'FRESH')
    world.peers = peers
    for (const again of [world.reader(pins), reader]) {
      assert.equal((await again.read()).conclusion.state, 'TRUNCATED')
    }
    world.peers = peers.slice(0, 1)
    assert.equal((await reader.read()).conclusion.state, 'STALE-POSSIBLE')
  })

  it('is not said of what a revocation took away', async () => {
    const world = new World(8, { of: 4 })
    const later = world.servers.slice(4)
    world.peers = world.servers.slice(0, 4)
    const admin = await world.found('thief', 'laptop')
    const thief = await world.device('thief')
    for (let i = 0; i < 3; i++) await (await thief.append(...snapshotOf('bad'))).settled
    const pins = new MemoryHeadPins()
    await world.reader(pins).read()
    // seen by another device and by the admin, too
    await (
      await (await world.device('laptop')).append(...snapshotOf('a'))
    ).settled
    await admin.writer.refresh()
    await (
      await admin.checkpoint()
    ).settled
    await (
      await admin.revoke(keyOf('thief'), 1)
    ).settled
    world.peers = [...world.servers]
    const keys = later.map(({ publicKey }) => publicKey)
    await (
      await (await world.admin()).moveTo(keys, later)
    ).settled
    world.peers = [...later]
    const { state, view } = await seen(world, pins)
    assert.equal(view.chainOf(keyOf('thief'))?.chain.seq, 1)
    assert.equal(state, 'FRESH')
  })

  it('is not said for what one liar shows with a key that was revoked', async () => {
    const world = await staged(some(0, silent), 4)
    const admin = await world.admin()
    await (
      await admin.revoke(keyOf('laptop'), 5)
    ).settled
    const pins = new MemoryHeadPins()
    const goingOn = longer(world.servers[0], (head) => [after(head, head.id, seedOf('laptop'))])
    world.peers = [goingOn, ...world.servers.slice(1)]
    assert.equal((await seen(world, pins)).seq, 6)
    world.peers = [...world.servers]
    assert.equal((await seen(world, pins)).state, 'FRESH')
  })

  it('is said where another device acknowledges what servers hide', async () => {
    const world = await staged((peers) => peers)
    await world.grant(await world.admin(), 'desk')
    await (
      await (await world.device('desk')).append(...snapshotOf('d'))
    ).settled
    world.peers = world.peers.map((peer) => hiding(peer, 3))
    const { state, evidence, seq } = await seen(world)
    assert.deepEqual([state, seq], ['TRUNCATED', 3])
    assert.ok(evidence.every(({ kind, seq: at }) => kind === 'ack' && at === 5))
    const desk = Buffer.from(keyOf('desk'))
    assert.ok(evidence.some((piece) => 'by' in piece && desk.equals(piece.by!)))
  })

  it('is said where a checkpoint of the admin pins more', async () => {
    const world = await staged((peers) => peers)
    await (
      await (await world.admin()).checkpoint()
    ).settled
    world.peers = world.peers.map((peer) => hiding(peer, 3))
    const { state, evidence } = await seen(world)
    assert.equal(state, 'TRUNCATED')
    assert.deepEqual([evidence[0].kind, evidence[0].seq], ['checkpoint', 5])
  })

  it('is said where a receipt proves that a server had more', async () => {
    const world = new World(4)
    await world.found('laptop')
    const laptop = await world.device('laptop')
    const report = await laptop.append(...snapshotOf('a'))
    const entry = (await world.reader().read()).chainOf(keyOf('laptop'))!.chain.entries[0]
    const witnesses = report.receipts.flatMap(
      (receipt) => witnessOfReceipt(world.logId, entry, receipt) ?? [],
    )
    assert.equal(witnesses.length, report.receipts.length)
    const forged = { ...report.receipts[0], receivedMs: 1 }
    assert.equal(witnessOfReceipt(world.logId, entry, forged), undefined)
    world.peers = world.peers.map((peer) => hiding(peer, 0))
    const { conclusion } = await world.reader().read({ witnesses })
    assert.equal(conclusion.state, 'TRUNCATED')
    assert.ok(conclusion.evidence.every(({ kind }) => kind === 'receipt'))
  })

  it('is said where the user was told of more, by a few letters of an id', async () => {
    const world = await staged((peers) => peers)
    const { view } = await seen(world)
    const head = view.chainOf(keyOf('laptop'))!.chain.head!
    const told = { kind: 'told', author: keyOf('laptop'), seq: 5, id: head.id.slice(0, 6) } as const
    assert.equal((await world.reader().read({ witnesses: [told] })).conclusion.state, 'FRESH')
    world.peers = world.peers.map((peer) => hiding(peer, 3))
    const { conclusion } = await world.reader().read({ witnesses: [told] })
    assert.equal(conclusion.state, 'TRUNCATED')
  })

  /** Shows the laptop's chain up to `seq`, all else as it is. */
  function hiding(peer: LogPeer, seq: number): LogPeer {
    const laptop = Buffer.from(keyOf('laptop'))
    return behaving(peer, {
      readLog: async (request) => {
        const reply = await peer.readLog({ ...request, ranges: request.ranges })
        const kept = reply.entries.filter((entry) => {
          const { fields } = readHeader(entry)
          return !laptop.equals(fields.author) || fields.seq <= seq
        })
        const ends = await peer.readLog({
          ...request,
          ranges: [{ author: keyOf('laptop'), firstSeq: Math.max(1, seq), lastSeq: seq }],
          others: false,
          bodies: 'none',
        })
        const heads = reply.heads.flatMap((head) => {
          if (!laptop.equals(head.author)) return head
          if (ends.entries.length === 0) return []
          const { id } = readHeader(ends.entries[0])
          return { author: head.author, seq, id }
        })
        return { ...reply, heads, entries: kept }
      },
    })
  }
})

describe('FORKED', () => {
  /** The laptop's key writes on two sets of servers, as a thief and colluding servers would. */
  async function forked(): Promise<World> {
    const world = new World(10)
    await world.found('laptop')
    const [left, right] = [world.peers.slice(0, 5), world.peers.slice(5)]
    const both = [await world.device('laptop'), await world.device('laptop')]
    world.peers = left
    await (
      await both[0].append(...snapshotOf('left'))
    ).settled
    world.peers = right
    await (
      await both[1].append(...snapshotOf('right'))
    ).settled
    world.peers = [...left, ...right]
    return world
  }

  it('is said with both entries, each signed', async () => {
    const { state, evidence, view } = await seen(await forked())
    assert.equal(state, 'FORKED')
    const [proof] = evidence
    assert.ok(proof.kind === 'fork')
    assert.deepEqual(
      proof.entries.map((entry) => readHeader(entry).fields.seq),
      [1, 1],
    )
    assert.equal(new Set(proof.entries.map((entry) => readHeader(entry).id.join())).size, 2)
    assert.equal(view.servers.filter(({ verdict }) => verdict === 'forked').length, 5)
  })

  it('is said of evidence that one honest server kept', async () => {
    const world = new World(4)
    await world.found('laptop')
    const thief = await world.writer('laptop')
    await (
      await (await world.device('laptop')).append(...snapshotOf('mine'))
    ).settled
    await assert.rejects(
      thief.append('snapshot', () => new Uint8Array(3)),
      (error) => isGridError(error, 'E_FORKED'),
    )
    const { state, seq } = await seen(world)
    assert.deepEqual([state, seq], ['FORKED', 1])
  })

  it('is not said of evidence that somebody else made up', async () => {
    const world = await staged((peers) => peers)
    world.peers = world.peers.map((peer) =>
      behaving(peer, {
        readLog: async (request) => {
          const reply = await peer.readLog(request)
          const whole = { ...request, ranges: [], others: true, bodies: 'none' } as const
          const { entries } = await peer.readLog(whole)
          const forks = entries.flatMap((held) => [
            { held, other: forgedTwin(held) },
            { held, other: held },
            { held: forgedTwin(held), other: held },
            { held, other: entries[0] },
          ])
          return { ...reply, forks }
        },
      }),
    )
    assert.equal((await seen(world)).state, 'FRESH')
  })

  it('is not said of a fork in another log', async () => {
    const world = new World(4)
    await world.found('laptop')
    const other = seedOf('another log')
    const made = (clientMs: number): SignedHeader => {
      const body = { bodyHash: seedOf('body'), bodyBytes: 9 }
      const place = { logId: other, author: keyOf('laptop'), seq: 1, prev: other, skip: other }
      const header = formatHeader({ ...place, acks: [], clientMs, kind: 'snapshot', ...body })
      return { header, signature: signHeader(header, seedOf('laptop')) }
    }
    const forks = [{ held: made(1), other: made(2) }]
    world.peers = world.servers.map((peer, i) =>
      i === 0 ? lying(peer, (reply) => ({ ...reply, forks })) : peer,
    )
    assert.equal((await seen(world)).state, 'FRESH')
  })

  it('lets a revocation say which version is meant', async () => {
    const world = await forked()
    const admin = await world.admin()
    const shown = admin.writer.view.chainOf(keyOf('laptop'))!.chain.chain.idAt(1).slice()
    await (
      await admin.revoke(keyOf('laptop'))
    ).settled
    const { view, state } = await seen(world)
    assert.equal(state, 'FRESH')
    assert.deepEqual(view.chainOf(keyOf('laptop'))!.chain.chain.idAt(1), shown)
    assert.equal([...view.entries('snapshot')].length, 1)
    const again = world.device('laptop')
    await assert.rejects(again, (error) => isGridError(error, 'E_REVOKED'))
  })
})

/** Another entry of the same author and seq, which its author has not signed. */
function forgedTwin({ header, signature }: SignedHeader): SignedHeader {
  const { fields } = readHeader({ header, signature })
  const other = formatHeader({ ...fields, clientMs: fields.clientMs + 1 })
  return { header: other, signature: signHeader(other, seedOf('forger')) }
}

describe('a device that lies', () => {
  it('raises an alarm that names it, and none once it is revoked', async () => {
    const world = new World(4)
    await world.found('laptop', 'thief')
    await (
      await (await world.device('laptop')).append(...snapshotOf('a'))
    ).settled
    const body = new Uint8Array(3)
    const header = formatHeader({
      logId: world.logId,
      author: keyOf('thief'),
      seq: 1,
      prev: world.logId,
      skip: world.logId,
      acks: [{ authorPrefix: keyOf('laptop').slice(0, 8), seq: 99, id: seedOf('x') }],
      clientMs: 1,
      kind: 'snapshot',
      bodyHash: bodyHashOf(body),
      bodyBytes: body.length,
    })
    const entry = { header, signature: signHeader(header, seedOf('thief')), body, receipts: [] }
    for (const server of world.servers) {
      await server.appendEntries({ logId: world.logId, genesis: undefined, entries: [entry] })
    }
    const { state, evidence } = await seen(world)
    assert.equal(state, 'TRUNCATED')
    const [alarm] = evidence
    assert.ok(alarm.kind === 'ack' && Buffer.from(keyOf('thief')).equals(alarm.by!))
    await (
      await (await world.admin()).revoke(keyOf('thief'), 0)
    ).settled
    assert.equal((await seen(world)).state, 'FRESH')
  })
})

describe('quorums', () => {
  it('have the sizes of the table', () => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => [maxLiars(n), quorumOf(n)])
    assert.deepEqual(sizes, [
      [0, 1],
      [0, 2],
      [0, 2],
      [1, 3],
      [1, 4],
      [1, 4],
      [2, 5],
      [2, 6],
      [2, 6],
      [3, 7],
    ])
  })

  it('meet in f + 1 servers, and are there with f of them gone', () => {
    for (let n = 1; n <= 100; n++) {
      const [f, q] = [maxLiars(n), quorumOf(n)]
      assert.ok(2 * q - n >= f + 1 && (q <= n - f || n === 2))
    }
  })

  it('lose no acknowledged entry to f liars, and roll no reader back', async function () {
    this.timeout(60_000)
    const lies = { silent, garbage, frozen } as const
    const plan = fc.record({
      n: fc.integer({ min: 1, max: 10 }),
      order: fc.infiniteStream(fc.nat()),
      lie: fc.constantFrom(...(Object.keys(lies) as (keyof typeof lies)[])),
      down: fc.nat(3),
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ n, order, lie, down }) => {
        const world = new World(n)
        await world.found('laptop')
        const f = maxLiars(n)
        const honest = [...world.peers]
        const pick = (count: number): Set<number> => {
          const left = honest.map((_, i) => i)
          const picked = Array.from({ length: count }, () =>
            left.splice(order.next().value % left.length, 1),
          )
          return new Set(picked.flat())
        }
        const laptop = await world.device('laptop')
        await laptop.append(...snapshotOf('first'))
        const liars = pick(f)
        const read = honest.map((peer, i) => (liars.has(i) ? lies[lie](peer, world) : peer))
        await new Promise((resolve) => setTimeout(resolve, 2))
        const stopped = pick(Math.min(down, n - quorumOf(n)))
        world.peers = honest.map((peer, i) => (stopped.has(i) ? silent(peer) : peer))
        const report = await laptop.append(...snapshotOf('second'))
        assert.equal(report.outcome, 'committed')

        world.peers = read
        const pins = new MemoryHeadPins()
        const first = await seen(world, pins)
        assert.equal(first.seq, 2, 'the acknowledged entry is there')
        assert.ok(['FRESH', 'STALE-POSSIBLE'].includes(first.state))
        world.peers = honest.map((peer) => frozen(peer, world))
        const second = await seen(world, pins)
        assert.ok(second.seq === 2 || second.state === 'TRUNCATED')
      }),
      { numRuns: process.env.SLOW === undefined ? 12 : 200 },
    )
  })
})
