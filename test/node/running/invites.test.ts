import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, describe, it } from 'mocha'
import { channelPair } from '../../../src/base/channel.ts'
import { SystemClock } from '../../../src/base/clock.ts'
import { SystemDisk } from '../../../src/base/disk.ts'
import { Budget } from '../../../src/base/limit.ts'
import type { Net } from '../../../src/base/net.ts'
import { noTrace } from '../../../src/base/trace.ts'
import { publicKeyOfSeed } from '../../../src/base/ed25519.ts'
import { isGridError } from '../../../src/base/errors.ts'
import { peerIdOf } from '../../../src/base/peer-id.ts'
import { parseInviteLink } from '../../../src/members/invite-link.ts'
import { formatJoin, joinVerb } from '../../../src/members/invite-protocol.ts'
import { Membership } from '../../../src/members/membership.ts'
import { parseConfig } from '../../../src/node/home/config.ts'
import { homeAt, initHome } from '../../../src/node/home/home.ts'
import { type InviteRequest, Invites } from '../../../src/node/running/invites.ts'
import { openCaller } from '../../../src/wire/caller.ts'
import { Machine } from '../../storage/machine.ts'

const id = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(1)))
const other = peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(2)))
const dayMs = 24 * 3600 * 1000
const request: InviteRequest = {
  ...{ name: 'attic', kindBits: 3, quotaBytes: 0, memberMs: dayMs, lifetimeMs: dayMs },
  ...{ approvesItself: false, addresses: [] },
}

class FakeNet implements Pick<Net, 'id' | 'addresses' | 'handle' | 'close'> {
  readonly id = id
  readonly handled: string[] = []
  isOpen = true
  readonly #addresses: string[]

  constructor(...addresses: string[]) {
    this.#addresses = addresses
  }

  addresses(): string[] {
    return this.#addresses
  }

  handle(protocol: string): void {
    this.handled.push(protocol)
  }

  async close(): Promise<void> {
    this.isOpen = false
  }
}

describe('invites of a node', () => {
  let machine: Machine
  let doors: FakeNet[]

  beforeEach(async () => {
    machine = await new Machine('node invites').init()
    doors = []
  })

  /** Lets time pass until `work` is done, and no longer: a door is looked at for ever. */
  async function run<T>(work: Promise<T>): Promise<T> {
    let over = false
    const end = (): void => void (over = true)
    work.then(end, end)
    await machine.clock.run({ done: () => over })
    return work
  }

  async function open(net: FakeNet, config = '', withDoor = false): Promise<Invites> {
    const { clock, random } = machine
    const disk = machine.disk.mount(clock)
    // its book lies at the disk's root
    const home = { ...homeAt('home'), private: 'home' }
    return run(
      Invites.open({
        ...{ home, clock, random, disk, trace: noTrace, budget: new Budget(2 ** 20) },
        net: net as unknown as Net,
        config: parseConfig(config, [], '/home'),
        introduces: true,
        membership: new Membership({ mode: 'open', clock }),
        members: undefined,
        ...(withDoor && {
          openDoor: async () => {
            const door = new FakeNet('/ip4/0.0.0.0/tcp/7782')
            doors.push(door)
            return door as unknown as Net
          },
        }),
      }),
    )
  }

  async function placesOf(
    net: FakeNet,
    config = '',
    given: string[] = [],
  ): Promise<readonly string[]> {
    const invites = await open(net, config)
    const link = await run(invites.create({ ...request, addresses: given }))
    return parseInviteLink(link).inviter.addresses
  }

  it('name where the node is reached: public first, loopback only where there is nothing else', async () => {
    const [loopback, home, far] = ['127.0.0.1', '192.168.1.5', '203.0.113.7'].map(
      (host) => `/ip4/${host}/tcp/7780`,
    )
    assert.deepEqual(await placesOf(new FakeNet(loopback, home, far)), [far, home])
  })

  it('name loopback where there is nothing else, and what is announced or given before all', async () => {
    const net = new FakeNet('/ip4/127.0.0.1/tcp/7780')
    assert.deepEqual(await placesOf(net), ['/ip4/127.0.0.1/tcp/7780'])
    const named = '/dns4/grid.example/tcp/1'
    machine = await new Machine('announced').init()
    assert.deepEqual(await placesOf(net, `[node]\nannounce = ["${named}"]`), [named])
    machine = await new Machine('given').init()
    assert.deepEqual(await placesOf(net, '', [named]), [named])
  })

  it('open a door to strangers while somebody is awaited, and close it afterwards', async () => {
    const net = new FakeNet('/ip4/203.0.113.7/tcp/7780')
    const invites = await open(net, '', true)
    assert.equal(doors.length, 0)
    const link = await run(invites.create(request))
    assert.deepEqual(parseInviteLink(link).inviter.addresses, ['/ip4/203.0.113.7/tcp/7782'])
    assert.deepEqual(doors[0].handled, ['/grid/invite/1'])
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + 10 * 60_000 })
    assert.equal(doors[0].isOpen, true)
    // a node that starts again in the meantime opens it again
    await invites.close()
    await open(net, '', true)
    assert.deepEqual(
      doors.map(({ isOpen }) => isOpen),
      [false, true],
    )
    await machine.clock.run({ untilMs: machine.clock.monotonicMs() + dayMs })
    assert.deepEqual(
      doors.map(({ isOpen }) => isOpen),
      [false, false],
    )
  })

  it('enlist two who are let in at once, beside those whom the owner wrote in meanwhile', async () => {
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-invites-'))
    try {
      const home = homeAt(directory)
      const [clock, random] = [new SystemClock(), machine.random]
      const ids = [3, 4, 5].map((i) => peerIdOf(publicKeyOfSeed(new Uint8Array(32).fill(i))))
      const ofList = (members: string[]): string =>
        `[grid]\nmembership = "list"\nmembers = [${members.map((each) => `"${each}"`).join()}]\n`
      await initHome(home, { config: ofList([id]), random })
      const membership = new Membership({ mode: 'list', clock, listed: new Set([id]) })
      const invites = await Invites.open({
        ...{ home, clock, random, disk: new SystemDisk(), trace: noTrace, membership },
        ...{ budget: new Budget(2 ** 20), introduces: true, members: undefined },
        net: new FakeNet('/ip4/203.0.113.7/tcp/7780') as unknown as Net,
        config: parseConfig(ofList([id]), [], directory),
      })
      await fs.writeFile(home.config, ofList([id, ids[2]]))
      const joins = ids.slice(0, 2).map(async (joiner, i) => {
        const link = await invites.create({ ...request, name: `${i}`, approvesItself: true })
        const [near, far] = channelPair({ ids: [joiner, id] })
        void invites.desk.serve(far)
        const caller = await openCaller(near, { clock })
        const { ticket } = parseInviteLink(link)
        const args = formatJoin({ ticket, nickname: '', waitMs: 0 })
        await caller.call(joinVerb, args, { deadlineMs: 10_000 })
        caller.close()
      })
      await Promise.all(joins)
      const { members } = parseConfig(await fs.readFile(home.config, 'utf8'), [], directory).grid
      assert.deepEqual(new Set(members), new Set([id, ...ids]))
    } finally {
      await fs.rm(directory, { recursive: true })
    }
  })

  it('are not made by a home that could not keep its word', async () => {
    const net = new FakeNet('/ip4/203.0.113.7/tcp/7780')
    const key = 'a'.repeat(52)
    const invites = await open(net, `[grid]\nmembership = "signed"\nkey = "${key}"`)
    await assert.rejects(run(invites.create(request)), (error) => isGridError(error, 'E_CONFIG'))
    const wrong = { ...request, addresses: [`/ip4/1.2.3.4/tcp/1/p2p/${other}`] }
    await assert.rejects(run((await open(net)).create(wrong)), (error) =>
      isGridError(error, 'E_USAGE'),
    )
  })
})
