import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { noTrace } from '../../src/base/trace.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import type { World } from '../../src/cli/world.ts'
import type { Member } from '../../src/members/member-book.ts'
import { openGrid } from '../../src/node/open-grid.ts'
import { openMembership } from '../../src/node/home/grid-membership.ts'
import { parseConfig } from '../../src/node/home/config.ts'
import { homeAt, openHome, readConfig } from '../../src/node/home/home.ts'
import { LeaseRecord } from '../../src/node/home/lease-record.ts'
import { openFounding } from '../../src/node/running/founding.ts'
import { MemoryGrid } from '../node/memory-grid.ts'
import { fakeWorld } from './fake-world.ts'

const dayMs = 86_400_000
const introducer =
  '/ip4/192.0.2.1/tcp/7781/p2p/12D3KooWA1b2qXQ3G3mqnuQLJhPnQvxkVJ4nkzKTn4nB1sZxvhmS'

interface End {
  what: string
  state: string
  days: number | null
  endsAtMs: number | null
  next: string
}

describe('what status says of what ends', () => {
  let directory: string
  let memory: MemoryGrid
  let clock: LaterClock
  const home = () => homeAt(path.join(directory, 'home'))

  /** The machine's, some days on. */
  class LaterClock extends SystemClock {
    days = 0

    override nowMs(): number {
      return super.nowMs() + this.days * dayMs
    }
  }

  beforeEach(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'grid-ends-'))
    clock = new LaterClock()
    memory = await MemoryGrid.of(10)
    for (let i = 0; i < 10; i++) memory.wrap(i, () => ({ renew: async (all) => all.map(held) }))
  })
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))
  const held = () => 'held' as const

  const leases = (): LeaseRecord =>
    new LeaseRecord({
      ...{ disk: new SystemDisk(), random: new SystemRandom(), clock },
      path: home().leases,
    })

  async function run(...words: string[]) {
    const memoryGrid: World['openGrid'] = async () => memory.another({ leases: leases() })
    const world = { ...fakeWorld({ openGrid: memoryGrid }), clock }
    const exit = await dispatch([...words, '--home', home().path], world)
    return { exit, stdout: world.stdout.text, stderr: world.stderr.text }
  }

  async function ok(...words: string[]): Promise<string> {
    const { exit, stdout, stderr } = await run(...words)
    assert.equal(exit, 0, stderr)
    return stdout
  }

  async function status() {
    const text = await run('status')
    const { exit, stdout } = await run('status', '--json')
    assert.equal(text.exit, exit)
    const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>
    return { ...text, summary, ends: summary.ends as End[] }
  }

  describe('of leases', () => {
    let cap: string
    beforeEach(async () => {
      await ok('init', '--introducer', introducer)
      const file = path.join(directory, 'file')
      fs.writeFileSync(file, 'x'.repeat(10_000))
      cap = (await ok('put', file)).trim()
    })

    it('is well as long as the first end is far away', async () => {
      const { exit, stdout, ends } = await status()
      assert.equal(exit, 0)
      assert.match(
        stdout,
        /^leases: of 1 objects put without an account the first ends in 364 days$/m,
      )
      const [{ what, state, days, endsAtMs }] = ends
      assert.deepEqual({ what, state, days }, { what: 'leases', state: 'ok', days: 364 })
      assert.ok(Math.abs(endsAtMs! - clock.nowMs() - 365 * dayMs) < 60_000)
    })

    it('is degraded from thirty days before on, says what to do, and is well once that is done', async () => {
      clock.days = 365 - 45
      const early = await status()
      assert.equal(early.exit, 0)
      assert.match(early.stdout, /^leases: .* ends in 44 days, 1 within 60 days$/m)
      clock.days = 365 - 29
      const late = await status()
      assert.equal(late.exit, 3)
      assert.match(late.stdout, /^leases: .* ends in 28 days, .*; try: grid keeper add CAP/m)
      assert.match(late.stderr, /degraded: leases: /)
      assert.deepEqual([late.summary.state, late.ends[0].days], ['degraded', 28])

      await ok('keeper', 'add', cap)
      const kept = await status()
      assert.equal(kept.ends[0].next, 'grid keeper run', 'the keeper knows it by now')
      await ok('keeper', 'run', '--once')
      const renewed = await status()
      assert.equal(renewed.exit, 0, renewed.stdout)
      assert.equal(renewed.ends[0].days, 364)
    })

    it('believes no renewal that a server has not made', async () => {
      clock.days = 340
      await ok('keeper', 'add', cap)
      memory.wrap(3, () => ({ renew: () => Promise.reject(new Error('no')) }))
      await run('keeper', 'run', '--once')
      assert.equal((await status()).exit, 3)
    })

    it('tells of one that has ended while it can be taken back, and then no more', async () => {
      clock.days = 370
      const { exit, stdout } = await status()
      assert.equal(exit, 3)
      assert.match(stdout, /^leases: .* the first ended 5 days ago/m)
      clock.days = 400
      assert.deepEqual((await status()).ends, [])
    })

    it('says so where it does not know, and does not call it well', async () => {
      fs.rmSync(home().leases, { recursive: true })
      const { exit, stdout, ends } = await status()
      assert.equal(exit, 0)
      assert.match(stdout, /^leases: this home has no record of what it put, so it is not known/m)
      const [{ state, days, endsAtMs }] = ends
      assert.deepEqual({ state, days, endsAtMs }, { state: 'unknown', days: null, endsAtMs: null })
      await ok('put', path.join(directory, 'file'))
      const begun = await status()
      assert.deepEqual(
        begun.ends.map(({ state }) => state),
        ['ok', 'unknown'],
      )
      assert.match(begun.stdout, /^leases: what was put before 20.*Z is not known to end/m)
    })

    it('does not take a damaged record for an empty one', async () => {
      for (const name of fs.readdirSync(home().leases))
        fs.writeFileSync(path.join(home().leases, name), 'x')
      const { exit, stdout, ends } = await status()
      assert.deepEqual([exit, ends[0].state], [3, 'unknown'])
      assert.match(stdout, /^leases: not known what ends: .* is damaged/m)
    })
  })

  it('says nothing of leases where shares lie in folders of this machine, which end nothing', async () => {
    await ok('init')
    fs.rmSync(home().leases, { recursive: true })
    assert.deepEqual((await status()).ends, [])
  })

  it('gives the age of the last test of a restore, and what to run', async () => {
    await ok('init')
    fs.writeFileSync(path.join(directory, 'data'), 'x')
    await ok('backup', path.join(directory, 'data'))
    const never = await status()
    assert.equal(never.exit, 0)
    const next = 'grid restore-test --log backup'
    const test = { what: 'restore test', log: 'backup', endsAtMs: null, days: null, next }
    assert.deepEqual(never.ends, [
      { ...test, state: 'never worked', restoreTest: null, ageDays: null },
    ])
    await ok('restore-test')
    clock.days = 3
    const [tested] = (await status()).ends as (End & { ageDays: number })[]
    assert.deepEqual([tested.state, tested.ageDays], ['ok', 3])
  })

  it('says that the secret is being changed, which ends nothing', async () => {
    await ok('init', '--introducer', introducer)
    const { config } = home()
    const text = fs.readFileSync(config, 'utf8')
    const files = 'psk_files = ["private/psk-2", "private/psk"]'
    const changed = text.replace(/^(# ?)?psk_files = .*$/m, files)
    assert.notEqual(changed, text)
    fs.writeFileSync(config, changed)
    const { exit, stdout, ends } = await status()
    assert.equal(exit, 0)
    assert.match(stdout, /^psk: psk-2 is dialled with, and psk still let in; try: once every/m)
    assert.deepEqual([ends[0].what, ends[0].state], ['psk', 'under way'])
  })

  describe('of memberships, in the home of the founder', () => {
    beforeEach(() => ok('introducer', 'init', '--membership', 'signed'))

    /** What the running node of the home has open. */
    async function founding() {
      const secrets = await openHome(home())
      const config = parseConfig(await readConfig(home()), [], home().path)
      const parts = { home: home(), config, clock, disk: new SystemDisk(), trace: noTrace, secrets }
      const member = await openMembership(parts)
      return { member, book: (await openFounding(parts, member))! }
    }

    const memberOf = (name: string, days: number): Omit<Member, 'serial' | 'isRevoked'> => ({
      ...{ name, kindBits: 3, quotaBytes: 0, notAfterMs: clock.nowMs() + days * dayMs },
      publicKey: new Uint8Array(32).fill(name.charCodeAt(0)),
    })

    it('tells of the first that ends, and is degraded thirty days before', async () => {
      const { book } = await founding()
      await book.issue(memberOf('attic', 500))
      const far = await status()
      assert.equal(far.exit, 0, far.stderr)
      assert.match(far.stdout, /^member: the certificate of this home ends in 36\d\d days$/m)
      assert.match(far.stdout, /^members: of 1 certificates .* the first ends in (499|500) days$/m)
      await book.issue(memberOf('barn', 10.5))
      const near = await status()
      assert.equal(near.exit, 3)
      assert.match(near.stdout, /ends in 10 days; within 60 days: barn; try: grid invite --name/)
      const [{ what, days, members }] = near.ends as (End & { members: { name: string }[] })[]
      assert.deepEqual([what, days, members[0].name], ['members', 10, 'barn'])
      await book.issue(memberOf('barn', 300))
      assert.equal((await status()).exit, 0, 'the newest of a member counts')
      await book.issue(memberOf('cellar', 5))
      await book.revoke('cellar')
      assert.equal((await status()).exit, 0, 'who was put out has nothing to lose')
    })

    it('tells of a revocation that was cut short, which the next start brings to its end', async () => {
      const { book, member } = await founding()
      await book.issue(memberOf('attic', 500))
      const { serial } = await book.revoke('attic')
      assert.ok(member.revocations?.isRevoked(serial))
      fs.rmSync(path.join(home().cache, 'revoked'))
      const half = await status()
      assert.equal(half.exit, 3)
      assert.match(
        half.stdout,
        /^revocation: 1 certificates were revoked here, and no list says so/m,
      )
      assert.equal(half.ends[0].what, 'revocation')
      const again = await founding()
      assert.ok(again.member.revocations?.isRevoked(serial))
      assert.equal((await status()).exit, 0)
    })
  })

  it('remembers what the library puts, and not what lies in folders of this machine', async () => {
    await ok('init')
    const grid = await openGrid({ home: home() })
    try {
      await grid.put({ stream: [new Uint8Array(1000).fill(1)], sizeBytes: 1000 })
    } finally {
      await grid.close()
    }
    assert.deepEqual(fs.readdirSync(home().leases), [])
  })
})
