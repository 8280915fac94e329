import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { toHex } from '../../src/base/bytes.ts'
import { type Channel, channelPair } from '../../src/base/channel.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { type ErrorCode, GridError, isGridError } from '../../src/base/errors.ts'
import type { KeptAt } from '../../src/base/kept-file.ts'
import { Budget } from '../../src/base/limit.ts'
import { peerIdOf } from '../../src/base/peer-id.ts'
import { InviteBook, type Joiner } from '../../src/members/invite-book.ts'
import { InviteDesk } from '../../src/members/invite-desk.ts'
import {
  formatJoin,
  type Grant,
  joinVerb,
  parseJoinReply,
} from '../../src/members/invite-protocol.ts'
import { ticketHashOf } from '../../src/members/invite-link.ts'
import { type Caller, openCaller } from '../../src/wire/caller.ts'
import { Machine } from '../storage/machine.ts'

const dayMs = 24 * 3600 * 1000
const [inviter, laptop, thief] = [1, 2, 3].map((i) =>
  peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(i))),
)
const terms = { kindBits: 3, quotaBytes: 0, memberMs: dayMs, approvesItself: false }
const grant: Grant = {
  gridName: 'family',
  introducers: [`/ip4/192.0.2.1/tcp/7780/p2p/${inviter}`],
  mode: 'open',
  gridKey: undefined,
  certificate: undefined,
  listed: [],
  psk: undefined,
  allowPrivate: false,
  kindBits: 3,
}

describe('invite desk', () => {
  let machine: Machine
  let keptAt: KeptAt
  let book: InviteBook
  let desk: InviteDesk
  let issued: Joiner[]
  let whileIssuing: Promise<void>
  let callers: Caller[]

  beforeEach(async () => {
    machine = await new Machine('invites').init()
    keptAt = { disk: machine.disk.mount(machine.clock), path: 'home/invites' }
    issued = []
    whileIssuing = Promise.resolve()
    callers = []
    await open()
  })
  afterEach(() => {
    for (const caller of callers) caller.close()
  })

  /** As after a start of the node. */
  async function open(): Promise<void> {
    const { clock } = machine
    book = await machine.run(InviteBook.open({ keptAt, clock }))
    desk = new InviteDesk({
      ...{ id: inviter, book, clock, budget: new Budget(2 ** 20) },
      issue: async (_invite, joiner) => {
        issued.push(joiner)
        await whileIssuing
        return new Uint8Array(0)
      },
      grantOf: () => grant,
    })
  }

  function create(name = 'attic', given = {}, lifetimeMs = dayMs): Promise<Uint8Array> {
    const options = { lifetimeMs, random: machine.random }
    return machine.run(book.create(name, { ...terms, ...given }, options))
  }

  async function caller(id: string, address = '/ip4/203.0.113.9/tcp/1'): Promise<Caller> {
    const [near, far] = channelPair({ ids: [id, inviter] })
    void desk.serve(from(far, address))
    const made = await machine.run(openCaller(near, { clock: machine.clock }))
    callers.push(made)
    return made
  }

  async function ask(made: Caller, ticket: Uint8Array, waitMs = 0): Promise<Grant | undefined> {
    const args = formatJoin({ ticket, nickname: 'laptop', waitMs })
    const { facts } = await made.call(joinVerb, args, { deadlineMs: 60_000 })
    return parseJoinReply(facts)
  }

  async function join(id: string, ticket: Uint8Array, waitMs = 0): Promise<Grant | undefined> {
    return machine.run(ask(await caller(id), ticket, waitMs))
  }

  function refused(promise: Promise<unknown>, code: ErrorCode, text: RegExp): Promise<void> {
    return assert.rejects(promise, (error) => {
      assert.ok(isGridError(error, code), String(error))
      assert.match(error.message, text)
      return true
    })
  }

  it('gives the grant once its owner has said yes, to the one who waits', async () => {
    const ticket = await create()
    const made = await caller(laptop)
    assert.equal(await machine.run(ask(made, ticket)), undefined)
    assert.deepEqual(issued, [])
    const waiting = ask(made, ticket, 20_000)
    await machine.run(desk.approve('attic'))
    assert.deepEqual(await machine.run(waiting), grant)
    assert.deepEqual(issued, [{ id: laptop, nickname: 'laptop', address: '203.0.113.9' }])
    assert.equal(book.get('attic')?.state, 'joined')
    // an answer that was lost on the way is given again, to the same node
    assert.deepEqual(await join(laptop, ticket), grant)
    assert.equal(issued.length, 1)
  })

  it('knows one answer where two owners decide at once', async () => {
    for (const no of ['refuse', 'revoke'] as const) {
      const ticket = await create(no)
      await join(laptop, ticket)
      let issue = (): void => {}
      whileIssuing = new Promise<void>((resolve) => (issue = resolve))
      const yes = desk.approve(no)
      const late = refused(desk[no](no), 'E_INVITE', /nobody waits|has joined already/)
      issue()
      await machine.run(Promise.all([yes, late]))
      assert.deepEqual(await join(laptop, ticket), grant)

      const other = await create(`${no} first`)
      await join(thief, other)
      const said = desk[no](`${no} first`)
      const tooLate = refused(desk.approve(`${no} first`), 'E_INVITE', /nobody waits/)
      await machine.run(Promise.all([said, tooLate]))
    }
    assert.deepEqual(
      issued.map(({ id }) => id),
      [laptop, laptop],
    )
  })

  it('lets in whoever comes where it was told to', async () => {
    const ticket = await create('attic', { approvesItself: true })
    assert.deepEqual(await join(laptop, ticket), grant)
  })

  it('tells a joiner nothing of what is wrong at this side', async () => {
    const ticket = await create('attic', { approvesItself: true })
    whileIssuing = Promise.reject(new GridError('E_CONFIG', 'cannot read /home/ann/config.toml'))
    await refused(join(laptop, ticket), 'E_INTERNAL', /^the inviter could not let it in$/)
    whileIssuing = Promise.resolve()
    assert.deepEqual(await join(laptop, ticket), grant)
  })

  it('keeps no ticket, and burns one on its first use, across a restart', async () => {
    const ticket = await create()
    const file = await machine.run(keptAt.disk.openRead(keptAt.path))
    const kept = toHex(await machine.run(file.read(0, 10_000)))
    assert.equal(kept.includes(toHex(ticket)), false)
    assert.equal(kept.includes(toHex(ticketHashOf(ticket))), true)
    await join(laptop, ticket)
    keptAt = { ...keptAt, disk: machine.disk.mount(machine.clock) }
    await open()
    await refused(join(thief, ticket), 'E_INVITE', /used already, by another node/)
    await machine.run(desk.approve('attic'))
    await refused(join(thief, ticket), 'E_INVITE', /used already/)
    assert.deepEqual(await join(laptop, ticket), grant)
  })

  it('has one winner where two come at once', async () => {
    const ticket = await create('attic', { approvesItself: true })
    const both = [await caller(laptop), await caller(thief)]
    const outcomes = await machine.run(Promise.allSettled(both.map((each) => ask(each, ticket))))
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    assert.equal(issued.length, 1)
  })

  it('refuses an invitation that is expired, revoked or refused, each by its name', async () => {
    const [late, back, no] = [await create('late'), await create('back'), await create('no')]
    await machine.run(desk.revoke('back'))
    await refused(join(laptop, back), 'E_INVITE', /taken back/)
    await join(laptop, no)
    await machine.run(desk.refuse('no'))
    await refused(join(laptop, no), 'E_INVITE', /said no/)
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + dayMs })
    await refused(join(laptop, late), 'E_INVITE', /expired/)
    await refused(desk.approve('late'), 'E_INVITE', /nobody waits/)
    await refused(desk.approve('none'), 'E_INVITE', /nobody waits/)
    await refused(desk.revoke('none'), 'E_INVITE', /there is no invitation/)
  })

  it('does not approve one that expired while somebody waited', async () => {
    const ticket = await create()
    await join(laptop, ticket)
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + dayMs })
    await refused(desk.approve('attic'), 'E_INVITE', /nobody waits/)
    await refused(join(laptop, ticket), 'E_INVITE', /expired/)
  })

  it('client 31: shuts an address out after three wrong tickets, for an hour', async () => {
    const ticket = await create()
    const wrong = new Uint8Array(16)
    for (let i = 0; i < 3; i++) await refused(join(thief, wrong), 'E_INVITE', /no such invitation/)
    await refused(join(thief, wrong), 'E_RATE', /too many attempts/)
    await refused(join(laptop, ticket), 'E_RATE', /too many attempts/)
    const elsewhere = await caller(laptop, '/ip4/203.0.113.10/tcp/1')
    assert.equal(await machine.run(ask(elsewhere, ticket)), undefined)
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + 3600_000 })
    assert.equal(await join(laptop, ticket), undefined)
  })

  it('client 31: of a thousand addresses that guess none joins, and who has a ticket waits a second', async () => {
    const ticket = await create()
    const codes = new Map<string, number>()
    for (let i = 0; i < 1000; i++) {
      const wrong = new Uint8Array(16).fill(i).fill(i >> 8, 8)
      const guessing = await caller(thief, `/ip4/198.51.${i >> 8}.${i & 255}/tcp/1`)
      const answer = await machine.run(ask(guessing, wrong).catch((error: unknown) => error))
      assert.ok(isGridError(answer, 'E_INVITE', 'E_BUSY'))
      codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1)
    }
    // of what is not even looked up there is the more, the faster they come
    assert.ok((codes.get('E_BUSY') ?? 0) > 800, [...codes].join())
    assert.deepEqual(issued, [])
    assert.deepEqual([book.get('attic')?.state, book.get('attic')?.joiner], ['open', undefined])
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + 1000 })
    assert.equal(await join(laptop, ticket), undefined)
    await machine.run(desk.approve('attic'))
    assert.deepEqual(await join(laptop, ticket), grant)
    assert.deepEqual(
      issued.map(({ id }) => id),
      [laptop],
    )
  })

  it('client 31: takes all of an IPv6 host for one, and a ticket of another for a wrong one', async () => {
    const ticket = await create()
    await join(laptop, ticket)
    const at = (last: string): Promise<Caller> => caller(thief, `/ip6/2001:db8:1:2::${last}/tcp/1`)
    for (let i = 1; i <= 3; i++) {
      const tried = machine.run(ask(await at(`${i}`), ticket))
      await refused(tried, 'E_INVITE', /used already/)
    }
    await refused(machine.run(ask(await at('4'), ticket)), 'E_RATE', /try again in an hour/)
    const elsewhere = await caller(thief, '/ip6/2001:db8:1:3::1/tcp/1')
    await refused(machine.run(ask(elsewhere, ticket)), 'E_INVITE', /used already/)
    // the one that is awaited is not shut out by others behind its address
    const awaited = await caller(laptop, '/ip6/2001:db8:1:2::9/tcp/1')
    assert.equal(await machine.run(ask(awaited, ticket)), undefined)
  })

  it('is busy for a moment where too many ask at once', async () => {
    const ticket = await create()
    const made = await caller(laptop)
    for (let i = 0; i < 50; i++) assert.equal(await machine.run(ask(made, ticket)), undefined)
    await refused(machine.run(ask(made, ticket)), 'E_BUSY', /try again in a minute/)
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + 1000 })
    assert.equal(await machine.run(ask(made, ticket)), undefined)
  })

  it('takes nothing of another form', async () => {
    const made = await caller(thief)
    const ticket = new Uint8Array(16)
    for (const args of [
      [],
      1,
      [ticket, 'a'],
      [ticket, 'a', -1],
      [ticket, 'a', 20_001],
      [ticket.subarray(1), 'a', 0],
      ['t', 'a', 0],
      [ticket, 'a\n', 0],
      [ticket, 'a'.repeat(65), 0],
      [ticket, 'a', 0, 0],
    ]) {
      const call = made.call(joinVerb, args, { deadlineMs: 1000 })
      await refused(machine.run(call), 'E_BAD_REQUEST', /./)
    }
  })

  it('has no two open invitations of one name', async () => {
    await create('attic')
    await refused(create('attic'), 'E_EXISTS', /called attic already/)
    await machine.run(desk.revoke('attic'))
    await create('attic')
  })

  it('keeps 256 of them, each until a week after its end', async () => {
    for (let i = 0; i < 256; i++) await create(`${i}`)
    await refused(create('one more'), 'E_FULL', /too many/)
    await machine.run(desk.revoke('7'))
    await create('7')
    await open()
    assert.equal(book.list().length, 256)
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + 8 * dayMs })
    await create('one more')
    assert.deepEqual(
      book.list().map(({ name }) => name),
      ['one more'],
    )
  })

  it('starts again with a name as long as one may be', async () => {
    const name = '\u{1f600}'.repeat(64)
    await create(name)
    await open()
    assert.equal(book.get(name)?.state, 'open')
  })

  it('lets whoever was let in fetch the grant until a day after the end, and no longer', async () => {
    for (const [name, hours] of [
      ['soon', 23],
      ['late', 25],
    ] as const) {
      const ticket = await create(name)
      await join(laptop, ticket)
      await machine.run(desk.approve(name))
      await machine.clock.run({ untilMs: machine.clock.monotonicMs() + dayMs + hours * 3600_000 })
      const fetched = join(laptop, ticket)
      if (name === 'soon') assert.deepEqual(await fetched, grant)
      else await refused(fetched, 'E_INVITE', /has expired/)
    }
  })

  it('does not start with a damaged book, since a ticket might be good again', async () => {
    await create()
    const { disk } = keptAt
    await machine.run(disk.unlink(keptAt.path))
    const file = await machine.run(disk.create(keptAt.path))
    await machine.run(file.write([Uint8Array.of(1, 2, 3)], 0))
    await refused(open(), 'E_CONFIG', /list of invitations/)
  })
})

/** A channel that comes from `remoteAddress`. */
function from(channel: Channel, remoteAddress: string): Channel {
  return {
    remoteId: channel.remoteId,
    remoteAddress,
    source: channel.source,
    send: (pieces) => channel.send(pieces),
    close: () => channel.close(),
    abort: (reason) => channel.abort(reason),
  }
}
