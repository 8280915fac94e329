/** Servers that lie to a check or a repair. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { attenuate } from '../../src/caps/attenuate.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { ShareVerifier } from '../../src/encoding/share-verifier.ts'
import type { CheckDepth, FoundObject } from '../../src/node/check/check-run.ts'
import type { RepairedObject } from '../../src/node/repair/repair-run.ts'
import { faults } from '../../src/storage/faults.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import { AttackedGrid, content, indexOfCap, range } from './attacked-grid.ts'

const bytes = content(300_000)
const whole: CheckDepth = { sample: 0, whole: true }

/** Spoils shares while they are read as a whole, and only then. */
function spoilsRepairs(): Fault {
  return {
    getBlocks: async ({ asked: [request], honest }) => {
      const reply = await honest()
      if (request.segmentCount <= 1) return reply
      const blocks = reply.blocks.slice()
      blocks[blocks.length >> 1] ^= 1
      return { ...reply, blocks }
    },
  }
}

/** A grid with `spare` servers more than there are shares, a file in it, and who has a share of it. */
async function stored(spare: number) {
  const attacked = AttackedGrid.of({ servers: 10 + spare })
  const { cap } = await attacked.put(bytes)
  const holders: number[] = []
  for (const [i, server] of attacked.servers.entries()) {
    const [held] = await attacked.run(server.have([indexOfCap(cap)]))
    if (held.length > 0) holders.push(i)
  }
  return { attacked, cap, holders }
}

/** Takes servers away for good. */
function lose(attacked: AttackedGrid, numbers: readonly number[]): void {
  const gone = new Set(numbers.map((i) => attacked.servers[i].id))
  attacked.candidates = attacked.candidates.filter(({ id }) => !gone.has(id))
}

function verifierOf(cap: string) {
  return attenuate(parseCap(cap), 'CHK-Verifier')
}

function repair(attacked: AttackedGrid, cap: string, depth?: CheckDepth): Promise<RepairedObject> {
  const work = async (): Promise<RepairedObject> => {
    for await (const [repaired] of attacked.grid.upkeep.repair([verifierOf(cap)], { depth }))
      return repaired
    throw new Error('nothing was repaired')
  }
  return attacked.run(work())
}

function check(attacked: AttackedGrid, cap: string, depth: CheckDepth): Promise<FoundObject> {
  const work = async (): Promise<FoundObject> => {
    for await (const [found] of attacked.grid.upkeep.check([verifierOf(cap)], { depth }))
      return found
    throw new Error('nothing was checked')
  }
  return attacked.run(work())
}

describe('malicious server, check and repair', () => {
  it('server 38: a share that is spoilt only while it is read for a repair spoils no other', async () => {
    const { attacked, cap, holders } = await stored(3)
    lose(attacked, holders.slice(0, 3))
    const liars = holders.slice(3, 7)
    const sent: boolean[] = []
    attacked.corrupt(range(0, 13), (i) => ({
      ...(liars.includes(i) ? spoilsRepairs() : {}),
      putShare: async ({ asked: [storageIndex, shareNumber, share], honest }) => {
        const verifier = new ShareVerifier(storageIndex, shareNumber, share.shareBytes)
        for await (const piece of share.pieces) verifier.push(piece)
        verifier.finish()
        sent.push(true)
        return honest()
      },
    }))
    const { outcome, servers, report } = await repair(attacked, cap)
    assert.deepEqual([outcome, servers, report?.written, sent.length], ['mended', 10, 3, 3])
    attacked.corrupt([], () => ({}))
    const { state, verified } = await check(attacked, cap, whole)
    assert.deepEqual([state, verified], ['healthy', 10])
    lose(attacked, holders.slice(3))
    assert.deepEqual(await attacked.get(cap), bytes)
  })

  it('server 38: with fewer than k that read true nothing is made up', async () => {
    const { attacked, cap, holders } = await stored(2)
    attacked.corrupt(holders.slice(0, 8), spoilsRepairs)
    const { state, claimed } = await check(attacked, cap, whole)
    assert.deepEqual([state, claimed], ['lost', 2])
    const { outcome, report } = await repair(attacked, cap, whole)
    assert.deepEqual([outcome, report], ['hopeless', undefined])
  })

  it('server 38: servers that hang or drip hold a check up by seconds, and are never called healthy', async () => {
    for (const fault of [faults.hangs, () => faults.isLate(), () => faults.fails('E_BUSY')]) {
      const { attacked, cap, holders } = await stored(0)
      attacked.corrupt(holders.slice(0, 4), fault)
      const startMs = attacked.clock.monotonicMs()
      const { state, claimed } = await check(attacked, cap, { sample: 0.01, whole: false })
      assert.deepEqual([state, claimed], ['repairable', 6])
      assert.ok(attacked.clock.monotonicMs() - startMs < 10_000)
    }
  })
})
