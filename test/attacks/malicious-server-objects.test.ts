/** Forged objects and headers. Numbers are those of docs/attacks.md. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { concat, equalBytes } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import type { ChkCap } from '../../src/caps/cap.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { formatCap } from '../../src/caps/text.ts'
import { storageIndexBytes } from '../../src/encoding/descriptor.ts'
import { faults } from '../../src/storage/faults.ts'
import type { Fault } from '../../src/storage/faulty-peer.ts'
import type { BlocksReply } from '../../src/storage/peer.ts'
import { bodyOf } from '../suites/objects.ts'
import { AttackedGrid, content, indexOfCap, notEnoughShares, range } from './attacked-grid.ts'
import { blocksOf, capOf, forge, type ForgedObject, sealed, story } from './forged-object.ts'

const all = range(0, 10)
/** Where the header of a share of 3-of-10 has the length of the ciphertext, and its lists of leaves. */
const sizeAt = 8 + 8
const leavesAt = 8 + 48 + 32 * 10

function spoiling(spoil: (reply: BlocksReply) => void): () => Fault {
  return () => ({
    getBlocks: async ({ honest }) => {
      const reply = { ...(await honest()) }
      spoil(reply)
      return reply
    },
  })
}

/** Seven such liars of ten cost nothing, and ten give nothing. */
async function harmless(fault: () => Fault, bytes: Uint8Array = content(1000)): Promise<void> {
  const attacked = AttackedGrid.of()
  const { cap } = await attacked.put(bytes)
  for (const first of [0, 1, 2, 3]) {
    attacked.grid = attacked.newClient()
    attacked.corrupt(range(first, first + 7), fault)
    assert.deepEqual(await attacked.get(cap), bytes)
  }
  attacked.corrupt(all, fault)
  await notEnoughShares(attacked.get(cap))
}

/** Puts each share on the server of its number, which checks it and takes it. */
async function place(attacked: AttackedGrid, object: ForgedObject): Promise<void> {
  for (const [i, share] of object.shares.entries()) {
    const put = attacked.servers[i].putShare(object.storageIndex, i, bodyOf(share))
    assert.equal(await attacked.run(put), 'stored')
  }
}

/** Reads `cap` from each of the 120 sets of three servers; counts texts and codes of errors. */
async function readBySubsets(attacked: AttackedGrid, cap: string): Promise<Record<string, number>> {
  const everyone = attacked.candidates
  const counts: Record<string, number> = {}
  for (let a = 0; a < 10; a++) {
    for (let b = a + 1; b < 10; b++) {
      for (let c = b + 1; c < 10; c++) {
        attacked.candidates = [a, b, c].map((i) => everyone[i])
        const outcome = await attacked.get(cap).then(
          (bytes) => new TextDecoder().decode(bytes).split(' ')[0],
          (error: unknown) => (isGridError(error) ? error.code : String(error)),
        )
        counts[outcome] = (counts[outcome] ?? 0) + 1
      }
    }
  }
  attacked.candidates = everyone
  return counts
}

describe('malicious server, objects', () => {
  const sizes = {
    '2^53': 2n ** 53n,
    '2^64-1': 2n ** 64n - 1n,
    '-2^63': -(2n ** 63n),
    '16 MiB + 1': 2n ** 24n + 1n,
  }
  for (const [name, size] of Object.entries(sizes)) {
    it(`server 7: a header with a size of ${name} is refused before anything is allocated`, async () => {
      const before = process.memoryUsage().arrayBuffers
      await harmless(
        spoiling(({ header }) => {
          new DataView(header.buffer, header.byteOffset).setBigUint64(
            sizeAt,
            BigInt.asUintN(64, size),
          )
        }),
      )
      assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 26)
    })
  }

  const threeSegments = content(300_000)
  const lists: Record<string, (header: Uint8Array) => Uint8Array> = {
    'two leaves swapped': (header) =>
      concat(
        header.subarray(0, leavesAt),
        header.subarray(leavesAt + 32, leavesAt + 64),
        header.subarray(leavesAt, leavesAt + 32),
        header.subarray(leavesAt + 64),
      ),
    'a leaf too few': (header) => header.subarray(0, -32),
    'a leaf too many': (header) => concat(header, header.subarray(-32)),
    'a leaf in the place of a share root': (header) => {
      const forged = header.slice()
      forged.set(header.subarray(leavesAt, leavesAt + 32), 8 + 48)
      return forged
    },
    'the two lists exchanged': (header) => {
      const half = (header.length - leavesAt) / 2
      const lists = [header.subarray(leavesAt + half), header.subarray(leavesAt, leavesAt + half)]
      return concat(header.subarray(0, leavesAt), ...lists)
    },
  }
  for (const [name, forgery] of Object.entries(lists)) {
    it(`server 11: a header with ${name} is refused`, () =>
      harmless(
        spoiling((reply) => (reply.header = forgery(reply.header))),
        threeSegments,
      ))
  }

  it('server 11: leaves that fit a forged file, under the descriptor of the true one, are refused', async () => {
    const file = sealed(story('true'))
    const forged = sealed(story('forged'), file.readKey)
    const honest = forge(file.ciphertext, blocksOf(file.ciphertext))
    const other = forge(forged.ciphertext, blocksOf(forged.ciphertext))
    const attacked = AttackedGrid.of()
    await place(attacked, honest)
    const cap = capOf(honest, file)
    const parts: Record<string, [from: number, to: number][]> = {
      'blocks and their leaves': [
        [leavesAt, leavesAt + 32],
        [leavesAt + 64, 2 ** 16],
      ],
      'leaves of the ciphertext': [[leavesAt + 32, leavesAt + 64]],
      'everything but the descriptor': [[leavesAt, 2 ** 16]],
    }
    for (const [name, ranges] of Object.entries(parts)) {
      const lie = (): Fault => ({
        getBlocks: async ({ honest }) => {
          const { shareNumber, header, blocks } = await honest()
          const share = concat(header, blocks)
          for (const [from, to] of ranges)
            share.set(other.shares[shareNumber].subarray(from, to), from)
          const cut = header.length
          return { shareNumber, header: share.subarray(0, cut), blocks: share.subarray(cut) }
        },
      })
      for (const first of [0, 1, 2, 3]) {
        attacked.grid = attacked.newClient()
        attacked.corrupt(range(first, first + 7), lie)
        assert.deepEqual(await attacked.get(cap), story('true'), name)
      }
      attacked.corrupt(all, lie)
      await notEnoughShares(attacked.get(cap))
    }
  })

  it('server 12: lists of leaves of megabytes are refused by their length', async () => {
    const leaves = new Uint8Array(4 * 2 ** 20)
    const startMs = performance.now()
    await harmless(spoiling((reply) => (reply.header = concat(reply.header, leaves))))
    const header = new Uint8Array(8 + 48)
    await harmless(spoiling((reply) => (reply.header = concat(header, leaves))))
    const elapsedMs = performance.now() - startMs
    assert.ok(elapsedMs < 5000, `${elapsedMs} ms`)
  })

  it('server 36: servers that agree on a forged file are not believed', async () => {
    const attacked = AttackedGrid.of()
    const bytes = content(1000)
    const { cap } = await attacked.put(bytes)
    const { cap: forged } = await attacked.put(content(1000, 1))
    for (const first of [0, 1, 2, 3]) {
      attacked.grid = attacked.newClient()
      const colluding = range(first, first + 7)
      attacked.corrupt(colluding, () => faults.servesOther(indexOfCap(forged)))
      assert.deepEqual(await attacked.get(cap), bytes)
    }
    attacked.corrupt(all, () => faults.servesOther(indexOfCap(forged)))
    await notEnoughShares(attacked.get(cap))
  })

  it('server 36: a file that only agrees in its storage index is not believed', async () => {
    const attacked = AttackedGrid.of()
    const { cap } = await attacked.put(content(1000))
    // as if someone had found a second object for these 20 bytes: the cap commits to 12 more
    const wanted = parseCap(cap) as ChkCap
    const root = wanted.root.slice()
    root[storageIndexBytes] ^= 1
    const liars = await notEnoughShares(attacked.get(formatCap({ ...wanted, root })))
    assert.ok(liars.every(({ message }) => message === 'sent a share that does not match the cap'))
    assert.deepEqual(await attacked.get(cap), content(1000))
  })

  it('server 37, T4: of a file whose shares mix two contents, all 120 subsets give the first or fail', async () => {
    const first = sealed(story('first'))
    const second = sealed(story('second'), first.readKey)
    const [one, two] = [blocksOf(first.ciphertext), blocksOf(second.ciphertext)]
    const mixed = forge(first.ciphertext, [...one.slice(0, 5), ...two.slice(5)])
    const attacked = AttackedGrid.of()
    await place(attacked, mixed)
    const cap = capOf(mixed, first)
    assert.deepEqual(await readBySubsets(attacked, cap), { first: 10, E_ENCODING: 110 })
    for (let round = 0; round < 10; round++) {
      attacked.candidates.push(attacked.candidates.shift()!)
      attacked.grid = attacked.newClient()
      await attacked.get(cap).then(
        (bytes) => assert.deepEqual(bytes, story('first')),
        (error: unknown) => assert.ok(isGridError(error, 'E_ENCODING')),
      )
    }
  })

  it('server 37, T4: of a file whose every subset decodes differently, one gives what the cap commits to', async () => {
    const wanted = sealed(story('wanted'))
    const blocks = blocksOf(wanted.ciphertext).map((block, i) =>
      i < 3 ? block : block.map((byte, at) => byte ^ ((at * (i + 1)) & 0xff)),
    )
    const object = forge(wanted.ciphertext, blocks)
    const attacked = AttackedGrid.of()
    await place(attacked, object)
    const counts = await readBySubsets(attacked, capOf(object, wanted))
    assert.deepEqual(counts, { wanted: 1, E_ENCODING: 119 })
  })

  it('server 37, T4: of an honest file all 120 subsets give the same bytes', async () => {
    const file = sealed(story('honest'))
    const object = forge(file.ciphertext, blocksOf(file.ciphertext))
    const attacked = AttackedGrid.of()
    await place(attacked, object)
    assert.deepEqual(await readBySubsets(attacked, capOf(object, file)), { honest: 120 })
    const { cap } = await attacked.put(story('honest'))
    assert.ok(equalBytes(await attacked.get(cap), story('honest')))
    assert.equal(cap, capOf(object, file))
  })
})
