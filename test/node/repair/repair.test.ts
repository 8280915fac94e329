import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { toHex } from '../../../src/base/bytes.ts'
import { sleep } from '../../../src/base/clock.ts'
import { GridError } from '../../../src/base/errors.ts'
import { attenuate } from '../../../src/caps/attenuate.ts'
import type { Cap, ChkVerifierCap } from '../../../src/caps/cap.ts'
import { parseCap } from '../../../src/caps/parse.ts'
import { storageIndexOf } from '../../../src/encoding/descriptor.ts'
import { repairThreshold } from '../../../src/node/check/object-check.ts'
import { permuted } from '../../../src/node/placement/placement.ts'
import type { RepairedObject } from '../../../src/node/repair/repair-run.ts'
import type { MendOptions } from '../../../src/node/upkeep.ts'
import { clock, content, makeNewer, MemoryGrid } from '../memory-grid.ts'

const redundancy = { k: 3, happy: 7, n: 10 }

let memory: MemoryGrid
let cap: string
let verify: ChkVerifierCap
const bytes = content(400_000)

async function repair(
  options: MendOptions = {},
  caps: readonly Cap[] = [verify],
): Promise<RepairedObject[]> {
  const repaired: RepairedObject[] = []
  for await (const batch of memory.grid.upkeep.repair(caps, options)) repaired.push(...batch)
  return repaired
}

/** Share numbers that each server has, as its store has them. */
function held(): Promise<number[][]> {
  const index = storageIndexOf(verify.root)
  return Promise.all(memory.stores.map((store) => store.list(index)))
}

/** Counts the shares that servers take from now on. */
function countPuts(): { stored: number } {
  const count = { stored: 0 }
  for (let i = 0; i < memory.candidates.length; i++) {
    memory.wrap(i, (peer) => ({
      putShare: async (...args) => {
        const outcome = await peer.putShare(...args)
        if (outcome === 'stored') count.stored++
        return outcome
      },
    }))
  }
  return count
}

/** The servers that have a share. */
async function holders(): Promise<number[]> {
  const numbers = await held()
  return numbers.flatMap((own, i) => (own.length > 0 ? [i] : []))
}

describe('repair', () => {
  beforeEach(async () => {
    memory = await MemoryGrid.of(12)
    cap = (await memory.put(bytes, { redundancy })).cap
    verify = attenuate(parseCap(cap), 'CHK-Verifier')
  })

  it('writes exactly what is missing, each once, to servers that have none', async () => {
    const before = await holders()
    for (const i of before.slice(0, 4)) await memory.lose(i)
    const count = countPuts()
    const [{ outcome, servers, report }] = await repair()
    assert.deepEqual([outcome, servers, report?.written, count.stored], ['mended', 10, 4, 4])
    const numbers = await held()
    assert.deepEqual(numbers.filter((own) => own.length > 0).length, 10)
    assert.deepEqual(
      numbers.flat().sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    )
    const again = await repair({ depth: { sample: 0, whole: true } })
    assert.deepEqual([again[0].outcome, count.stored], ['sound', 4])
    assert.deepEqual(await memory.get(cap), bytes)
  })

  it('repairs from any three shares that are left, and not from two', async () => {
    const before = await holders()
    for (const i of before.slice(0, 7)) await memory.lose(i)
    assert.equal((await repair())[0].report?.written, 7)
    const now = await holders()
    for (const i of now.slice(0, 8)) await memory.lose(i)
    const [{ outcome, servers }] = await repair()
    assert.deepEqual([outcome, servers], ['hopeless', 2])
  })

  it('puts a sound share in the place of a damaged one, and spreads no damage', async () => {
    const before = await holders()
    await memory.spoil(before[0], (share) => (share[share.length - 1] ^= 1))
    await memory.spoil(before[5], (share) => (share[100] ^= 1))
    const count = countPuts()
    const [{ outcome, report }] = await repair({ depth: { sample: 0, whole: true } })
    assert.deepEqual([outcome, report?.written, count.stored], ['mended', 2, 2])
    assert.deepEqual(await holders(), before)
    const [again] = await repair({ depth: { sample: 0, whole: true } })
    assert.deepEqual([again.outcome, again.found.verified], ['sound', 10])
  })

  it('is not misled by a server that spoils shares only while they are read for a repair', async () => {
    const before = await holders()
    for (const i of before.slice(0, 2)) await memory.lose(i)
    for (const i of before.slice(2, 6)) {
      memory.wrap(i, (peer) => ({
        getBlocks: async (request) => {
          const reply = await peer.getBlocks(request)
          const blocks = reply.blocks.slice()
          if (request.segmentCount > 1) blocks[blocks.length - 1] ^= 1
          return { ...reply, blocks }
        },
      }))
    }
    const [{ outcome, report }] = await repair()
    assert.deepEqual([outcome, report?.written], ['mended', 2])
    const checked = await repair({ depth: { sample: 0, whole: true } })
    assert.deepEqual([checked[0].outcome, checked[0].found.verified], ['sound', 10])
  })

  it('leaves a share of a newer format where it is', async () => {
    const [first] = await holders()
    await memory.spoil(first, makeNewer)
    const [{ outcome, servers, report }] = await repair({ depth: { sample: 0, whole: true } })
    assert.deepEqual([outcome, servers, report?.written], ['mended', 10, 1])
    const store = memory.stores[first]
    const [number] = await store.list(storageIndexOf(verify.root))
    const start = await (await store.read(storageIndexOf(verify.root), number))!.read(0, 4)
    assert.deepEqual(start, new TextEncoder().encode('GRS2'))
  })

  it('counts servers that do not answer for nothing, and says when no other is left', async () => {
    const before = await holders()
    const silent = before.slice(0, 4)
    for (const i of silent)
      memory.wrap(i, () => ({ have: () => Promise.reject(new GridError('E_CLOSED', 'gone')) }))
    const [first] = await repair()
    assert.deepEqual([first.outcome, first.servers, first.report?.written], ['mended', 8, 2])
    const [second] = await repair()
    assert.deepEqual([second.outcome, second.servers], ['stuck', 8])
  })

  it('puts no second share onto a server that is only slow to show its own', async () => {
    const before = await holders()
    const late = (): Promise<never> => Promise.reject(new GridError('E_TIMEOUT', 'late'))
    for (const i of before.slice(0, 4)) memory.wrap(i, () => ({ getBlocks: late, prove: late }))
    await repair({ depth: { sample: 1, whole: false } })
    for (const own of await held()) assert.ok(own.length <= 1)
    const [{ outcome }] = await repair({ depth: { sample: 1, whole: false } })
    assert.equal(outcome, 'stuck')
    assert.equal((await held()).flat().length, 12)
  })

  it('writes nothing where servers only take a second to say what they have', async () => {
    for (const i of (await holders()).slice(0, 4)) {
      memory.wrap(i, (peer) => ({
        have: async (...args) => {
          await sleep(clock, 1000)
          return peer.have(...args)
        },
      }))
    }
    const count = countPuts()
    assert.deepEqual([(await repair())[0].outcome, count.stored], ['sound', 0])
  })

  it('waits a second at most for a server that is gone, and puts its share elsewhere', async () => {
    const [gone] = await holders()
    const never = (): Promise<never> => new Promise(() => {})
    memory.wrap(gone, () => ({ have: never, challenge: never, putShare: never }))
    const startMs = clock.monotonicMs()
    const count = countPuts()
    assert.deepEqual([(await repair())[0].outcome, count.stored], ['mended', 1])
    assert.ok(clock.monotonicMs() - startMs < 1500, `${clock.monotonicMs() - startMs} ms`)
  })

  it('leaves alone what has more shares than it is told to repair at', async () => {
    const before = await holders()
    for (const i of before.slice(0, 2)) await memory.lose(i)
    const atMost = repairThreshold
    assert.equal((await repair({ atMost }))[0].outcome, 'sound')
    await memory.lose(before[2])
    const [{ outcome, report }] = await repair({ atMost })
    assert.deepEqual([outcome, report?.written], ['mended', 3])
  })

  it('says which object could not be repaired, and goes on with the others', async () => {
    const other = await memory.put(content(5000, 7), { redundancy })
    const caps = [verify, attenuate(parseCap(other.cap), 'CHK-Verifier')]
    for (let i = 0; i < 3; i++) await memory.lose(i)
    for (let i = 0; i < 12; i++) {
      memory.wrap(i, (peer) => ({
        putShare: (index, ...rest) =>
          toHex(index) === toHex(storageIndexOf(verify.root))
            ? Promise.reject(new GridError('E_FULL', 'no room'))
            : peer.putShare(index, ...rest),
      }))
    }
    const outcomes = (await repair({}, caps)).map(({ outcome }) => outcome)
    assert.deepEqual(outcomes, ['stuck', 'mended'])
  })

  it('has nothing to do where one share more than there need be is damaged', async () => {
    const before = await holders()
    const spare = memory.candidates.map((_, i) => i).find((i) => !before.includes(i))!
    const index = storageIndexOf(verify.root)
    const [number] = await memory.stores[before[0]].list(index)
    const share = (await memory.stores[before[0]].read(index, number))!
    const writer = await memory.stores[spare].create(index, number, share.shareBytes)
    const bytes = await share.read(0, share.shareBytes)
    bytes[bytes.length - 1] ^= 1
    await writer.write([bytes])
    await writer.commit()
    const [{ outcome, found }] = await repair({ depth: { sample: 0, whole: true } })
    assert.deepEqual([outcome, found.state, found.claimed], ['sound', 'healthy', 10])
  })

  it('respects failure domains', async () => {
    for (const [i, candidate] of memory.candidates.entries())
      memory.candidates[i] = { ...candidate, domain: `d${i % 4}` }
    const before = await holders()
    for (const i of before.slice(0, 4)) await memory.lose(i)
    for (const [i, candidate] of memory.candidates.entries())
      memory.candidates[i] = { ...candidate, domain: `d${i % 4}` }
    const held = new Map<number, number>()
    for (const i of before.slice(4)) held.set(i % 4, (held.get(i % 4) ?? 0) + 1)
    await repair()
    for (const i of (await holders()).filter((i) => !before.slice(4).includes(i)))
      held.set(i % 4, (held.get(i % 4) ?? 0) + 1)
    for (const [domain, count] of held) {
      const old = before.slice(4).filter((i) => i % 4 === domain).length
      assert.ok(count <= Math.max(3, old), `d${domain} has ${count}`)
    }
  })
})

describe('rebalance', () => {
  beforeEach(async () => {
    memory = await MemoryGrid.of(10)
    cap = (await memory.put(bytes, { redundancy })).cap
    verify = attenuate(parseCap(cap), 'CHK-Verifier')
  })

  it('copies to each of the first n servers a share that it lacks, and takes none away', async () => {
    for (let i = 0; i < 10; i++) await memory.add()
    const index = storageIndexOf(verify.root)
    const first = permuted(index, memory.candidates).slice(0, 10)
    const lacking = first.filter(({ id }) => memory.candidates.findIndex((c) => c.id === id) >= 10)
    assert.ok(lacking.length > 0)
    const [{ outcome, report }] = await repair({ goal: 'preferred' })
    assert.deepEqual([outcome, report?.written], ['mended', lacking.length])
    const numbers: number[] = []
    for (const { id } of first) {
      const i = memory.candidates.findIndex((candidate) => candidate.id === id)
      const own = await memory.stores[i].list(index)
      assert.equal(own.length, 1)
      numbers.push(...own)
    }
    assert.equal(new Set(numbers).size, 10)
    assert.equal((await holders()).length, 10 + lacking.length)
    assert.equal((await repair({ goal: 'preferred' }))[0].outcome, 'sound')
  })
})
