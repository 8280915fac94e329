/** Bringing servers up to date, among some that lie about what they lack or hold. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { readHeader } from '../../src/log/entry.ts'
import { heal } from '../../src/log/heal.ts'
import type { LogPeer } from '../../src/log/log-peer.ts'
import { type Receipt, signReceipt } from '../../src/log/receipt.ts'
import { behaving, keyOf, plenty, seedOf, snapshotOf, World } from './world.ts'

/** Four servers of which the last was away while the laptop wrote. */
async function lagging(entryCount: number): Promise<World> {
  const world = new World(4)
  await world.found('laptop')
  world.peers = world.servers.slice(0, 3)
  const laptop = await world.device('laptop')
  for (let i = 0; i < entryCount; i++) await (await laptop.append(...snapshotOf('a'))).settled
  return world
}

describe('handing over', () => {
  it('ends at a server that wants the admin chain again and again', async () => {
    const world = await lagging(1)
    const honest = world.servers[3]
    let asked = 0
    const liar = behaving(honest, {
      appendEntries: async (request) => {
        if (++asked > 500) throw new Error('enough')
        const { kind, seq } = readHeader(request.entries[0]).fields
        if (kind !== 'snapshot') return honest.appendEntries(request)
        if (seq === 2) return { adminSeq: 0, verdicts: [{ outcome: 'gap', headSeq: 0 }] }
        return {
          adminSeq: 0,
          verdicts: [{ outcome: 'refused', code: 'E_CERTIFICATE', reason: 'no' }],
        }
      },
    })
    world.peers = [...world.servers.slice(0, 3), liar]
    const laptop = await world.device('laptop')
    await (
      await laptop.append(...snapshotOf('b'))
    ).settled
    assert.ok(asked < 20, `${asked} requests`)
  })

  it('goes on where a server stopped early', async () => {
    const world = await lagging(5)
    const { clock, servers } = world
    const hasty = behaving(servers[3], {
      appendEntries: (request) =>
        servers[3].appendEntries({ ...request, entries: request.entries.slice(0, 2) }),
    })
    world.peers = [...servers]
    const view = await world.reader().read()
    const [healed] = await heal(view, { targets: [hasty], peers: world.peers, clock })
    assert.equal(healed.error, undefined)
    const after = await world.reader().read()
    assert.ok(after.servers.every(({ verdict }) => verdict === 'current'))
  })

  it('takes from each what it has, though nobody has all', async () => {
    const world = await lagging(1)
    const { clock, servers } = world
    await (await world.admin()).checkpoint()
    world.peers = [...servers]
    const without = (peer: LogPeer, author: Uint8Array): LogPeer =>
      behaving(peer, {
        readLog: async (request) => {
          const reply = await peer.readLog(request)
          const isShown = (key: Uint8Array): boolean => key.join() !== author.join()
          const entries = reply.entries.filter((e) => isShown(readHeader(e).fields.author))
          return { ...reply, entries, heads: reply.heads.filter((head) => isShown(head.author)) }
        },
      })
    const { adminKey } = world.log.keys
    world.peers = [
      without(servers[0], keyOf('laptop')),
      ...servers.slice(1, 3).map((peer) => without(peer, adminKey)),
      servers[3],
    ]
    const view = await world.reader().read()
    const [healed] = await heal(view, { targets: [servers[3]], peers: world.peers, clock })
    assert.equal(healed.error, undefined)
  })

  for (const of of ['a stranger', 'another server'] as const) {
    it(`counts no receipt of ${of} twice`, async () => {
      const world = new World(4)
      const admin = await world.found()
      await world.grant(admin, 'laptop', { ...plenty, entriesPerDay: 2 })
      world.peers = world.servers.slice(0, 3)
      const laptop = await world.device('laptop')
      for (let i = 0; i < 4; i++) {
        await (
          await laptop.append(...snapshotOf('a'))
        ).settled
        if (i % 2 === 1) world.clock.wallMs += 24 * 3600 * 1000
      }
      const stranger = { seed: seedOf('stranger'), publicKey: keyOf('stranger') }
      const others = world.servers[1]
      const liar = behaving(world.servers[0], {
        readLog: async (request) => {
          const reply = await others.readLog(request)
          const made = (id: Uint8Array): Receipt =>
            signReceipt({ logId: world.logId, id }, { receivedMs: 5, late: false }, stranger)
          return {
            ...reply,
            entries: reply.entries.map((entry) =>
              of === 'a stranger' ? { ...entry, receipt: made(readHeader(entry).id) } : entry,
            ),
          }
        },
      })
      world.peers = [liar, ...world.servers.slice(1)]
      const settled = await (await laptop.append(...snapshotOf('b'))).settled
      assert.ok(
        settled.every(({ outcome }) => outcome === 'stored'),
        JSON.stringify(settled),
      )
    })
  }
})
