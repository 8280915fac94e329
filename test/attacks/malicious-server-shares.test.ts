/** Servers that give other bytes than they were given. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import { faults } from '../../src/storage/faults.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import type { BlocksReply } from '../../src/storage/peer.ts'
import { bodyOf } from '../suites/objects.ts'
import { AttackedGrid, content, indexOfCap, notEnoughShares, range } from './attacked-grid.ts'

const all = range(0, 10)
const bytes = content(1000)

/**
 * With seven liars of ten the bytes come from the honest three; with eight nothing comes, and liars
 * are named; with ten nothing comes.
 */
async function harmless(fault: (i: number) => Fault): Promise<void> {
  for (const first of range(0, 10)) {
    const attacked = AttackedGrid.of()
    attacked.corrupt(all, fault)
    const { cap } = await attacked.put(bytes)
    await attacked.put(content(1000, 1))
    const lying = attacked.servers.map((server) => server.fault)
    const rotated = all.map((i) => (first + i) % 10)
    attacked.corrupt(rotated.slice(0, 7), (i) => lying[i]!)
    assert.deepEqual(await attacked.get(cap), bytes)
    attacked.corrupt(rotated.slice(0, 8), (i) => lying[i]!)
    const liars = await notEnoughShares(attacked.get(cap))
    assert.ok(liars.length > 0 && liars.every(({ code }) => code === 'E_SHARE'))
    attacked.corrupt(all, (i) => lying[i]!)
    await notEnoughShares(attacked.get(cap))
  }
}

/** Spoils every answer with blocks. */
function spoiling(spoil: (reply: BlocksReply) => void): Fault {
  return {
    getBlocks: async ({ honest }) => {
      const reply = { ...(await honest()) }
      spoil(reply)
      return reply
    },
  }
}

describe('malicious server, shares', () => {
  it('server 1: random bytes for a share are refused by their hashes, and another share is used', () =>
    harmless(() => faults.sendsNoise()))

  it('server 2: one bit flipped in any byte of a share is found, and another share is used', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(bytes)
    const shareBytes = (await attacked.run(attacked.servers[0].status())).shareBytes
    for (let position = 0; position < shareBytes; position++) {
      attacked.grid = attacked.newClient()
      attacked.corrupt(all, () => faults.flipsBit(position))
      await notEnoughShares(attacked.get(cap))
      attacked.corrupt(range(position % 4, (position % 4) + 7), () => faults.flipsBit(position))
      assert.ok(equalBytes(await attacked.get(cap), bytes), `byte ${position}`)
    }
  })

  it('server 3: a share of another file is refused', () => harmless(() => faults.servesOther()))

  it('server 3: blocks of another file behind the header of this one are refused', () =>
    harmless(() => {
      const theft = faults.servesOther()
      return {
        ...theft,
        getBlocks: async (call) => {
          const { blocks } = await theft.getBlocks!(call)
          return { ...(await call.honest()), blocks }
        },
      }
    }))

  it('server 4: the right share under a wrong number is refused', () =>
    harmless(() => faults.misnumbers()))

  it('server 4: the header of one share before the blocks of another is refused', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(bytes)
    const storageIndex = indexOfCap(cap)
    const [donor] = attacked.servers
    const [[number]] = await attacked.run(donor.have([storageIndex]))
    const wanted = { storageIndex, header: true, firstSegment: 0, segmentCount: 1, maxBytes: 2e4 }
    const { blocks } = await attacked.run(donor.getBlocks({ ...wanted, shareNumber: number }))
    const swap = (): Fault => spoiling((reply) => (reply.blocks = blocks.slice()))
    attacked.corrupt(range(1, 8), swap)
    assert.deepEqual(await attacked.get(cap), bytes)
    attacked.corrupt(range(1, 10), swap)
    await notEnoughShares(attacked.get(cap))
  })

  it('server 5: the same share number from ten servers counts once when a file is read', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(bytes)
    const [first] = attacked.servers
    const [[only]] = await attacked.run(first.have([indexOfCap(cap)]))
    attacked.corrupt(range(1, 10), () => ({
      have: async ({ asked: [indexes] }) => indexes.map(() => [only]),
      getBlocks: ({ asked: [request] }) => first.getBlocks({ ...request, shareNumber: only }),
    }))
    await assert.rejects(attacked.get(cap), {
      code: 'E_NOT_ENOUGH_SHARES',
      message: '1 of the 3 shares needed were found on 10 servers',
    })
  })

  it('server 5: the same share number on ten servers counts once towards happy', async () => {
    const honest = AttackedGrid.of()
    const { cap } = await honest.put(bytes)
    const storageIndex = indexOfCap(cap)
    const [first] = honest.servers
    const [[only]] = await honest.run(first.have([storageIndex]))
    const wanted = { storageIndex, header: true, firstSegment: 0, segmentCount: 1, maxBytes: 2e4 }
    const { header, blocks } = await honest.run(first.getBlocks({ ...wanted, shareNumber: only }))
    const share = Uint8Array.of(...header, ...blocks)

    const attacked = AttackedGrid.of()
    for (const server of attacked.servers) {
      await attacked.run(server.putShare(storageIndex, only, bodyOf(share)))
    }
    attacked.corrupt(all, () => faults.refusesShares())
    await assert.rejects(attacked.put(bytes), { code: 'E_FULL', message: /: 0 of the 7 / })
    attacked.corrupt([], () => faults.refusesShares())
    const { servers, hadBytes, sentBytes } = await attacked.put(bytes)
    assert.deepEqual({ servers, hadBytes }, { servers: 10, hadBytes: share.length })
    assert.equal(sentBytes, 9 * share.length)
  })

  for (const field of ['k', 'n', 'size'] as const) {
    it(`server 6: a share whose header gives another ${field} is refused`, () =>
      harmless(() => faults.altersHeader(field)))
  }

  it('server 6: a share whose header gives another segment size is refused', () =>
    harmless(() =>
      spoiling(({ header }) => {
        header[8 + 7] ^= 1
      }),
    ))
})
