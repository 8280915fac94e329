import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'mocha'
import { equalBytes } from '../../../src/base/bytes.ts'
import { GridError } from '../../../src/base/errors.ts'
import { attenuate } from '../../../src/caps/attenuate.ts'
import type { Cap, ChkVerifierCap } from '../../../src/caps/cap.ts'
import { parseCap } from '../../../src/caps/parse.ts'
import type { CheckDepth, FoundObject } from '../../../src/node/check/check-run.ts'
import { CheckTally } from '../../../src/node/check/check-tally.ts'
import { answersOf } from '../../../src/node/check/object-check.ts'
import type { Hidden } from '../../../src/node/check/objects-of-cap.ts'
import { verifierOf } from '../../../src/node/check/objects-of-cap.ts'
import { Presence } from '../../../src/node/check/presence.ts'
import { PeerHealth } from '../../../src/node/peers/peer-health.ts'
import { storageIndexOf } from '../../../src/encoding/descriptor.ts'
import { plainStream } from '../../../src/tree/stream-row.ts'
import { capOfDirectory } from '../../../src/tree/directory-cap.ts'
import { writeDirectory } from '../../../src/tree/directory-writer.ts'
import type { DirectoryEntry } from '../../../src/tree/entry.ts'
import { ManualClock } from '../../cli/fake-world.ts'
import { lit, nameOf } from '../../tree/entries.ts'
import { content, makeNewer, MemoryGrid } from '../memory-grid.ts'

const redundancy = { k: 3, happy: 7, n: 10 }
const claims: CheckDepth = { sample: 0, whole: false }
const blocks: CheckDepth = { sample: 1, whole: false }
const whole: CheckDepth = { sample: 0, whole: true }

let memory: MemoryGrid

async function check(
  caps: readonly Cap[],
  depth?: CheckDepth,
): Promise<{ found: FoundObject[]; tally: CheckTally }> {
  const found: FoundObject[] = []
  const tally = new CheckTally()
  const onHidden = (hidden: Hidden): void => tally.hide(hidden)
  for await (const batch of memory.grid.upkeep.check(caps, { depth, onHidden })) {
    for (const each of batch) tally.add(each)
    found.push(...batch)
  }
  return { found, tally }
}

async function verifier(bytes: Uint8Array): Promise<Cap> {
  const { cap } = await memory.put(bytes, { redundancy })
  return attenuate(parseCap(cap), 'CHK-Verifier')
}

/** A directory of files, some of them in bundles and one a tree of extents. */
async function directory(files: number): Promise<Cap> {
  const inputs = Array.from({ length: files }, (_, i) => {
    return { item: nameOf(i), input: { stream: [content(i === 0 ? 3_000_000 : 2000, i)] } }
  })
  const ref = await memory.grid.trees.write(
    async (writer) => {
      const entries: DirectoryEntry[] = []
      for await (const { item, ...file } of writer.putMany(inputs))
        entries.push({ ...lit(item), ...file })
      return writeDirectory(writer, entries)
    },
    { redundancy },
  )
  return attenuate(capOfDirectory(ref), 'DIR-CHK-Verifier')
}

describe('check', () => {
  beforeEach(async () => {
    memory = await MemoryGrid.of(10)
  })

  it('calls healthy what is on n servers, at every depth and without a read key', async () => {
    const cap = await verifier(content(400_000))
    for (const depth of [claims, blocks, whole, undefined]) {
      const { found, tally } = await check([cap], depth)
      const [{ state, claimed, verified }] = found
      const looked = depth === claims ? 0 : 10
      assert.deepEqual([found.length, state, claimed, verified], [1, 'healthy', 10, looked])
      assert.ok(tally.isHealthy)
    }
  })

  it('tells how much is left by the servers that are', async () => {
    const cap = await verifier(content(5000))
    const states: string[] = []
    for (let i = 0; i < 10; i++) {
      await memory.lose(i)
      states.push((await check([cap])).found[0].state)
    }
    const few = Array.from({ length: 5 }, () => 'repairable')
    assert.deepEqual(states, ['degraded', 'degraded', ...few, 'lost', 'lost', 'lost'])
  })

  it('never takes silence for a loss, nor for a share', async () => {
    const cap = await verifier(content(5000))
    for (let i = 0; i < 8; i++) {
      const code = i % 2 === 0 ? 'E_UNREACHABLE' : 'E_FORBIDDEN'
      memory.wrap(i, () => ({ have: () => Promise.reject(new GridError(code, 'no')) }))
    }
    const { found, tally } = await check([cap])
    assert.equal(found[0].state, 'unknown')
    assert.ok(!tally.isHealthy)
    const said = answersOf(found[0], memory.candidates).map(({ answer }) => answer)
    assert.deepEqual(said.sort(), [
      ...['has', 'has', 'refuses', 'refuses', 'refuses', 'refuses'],
      ...['silent', 'silent', 'silent', 'silent'],
    ])
  })

  it('asks a server that fell silent again after a minute, and not before', async () => {
    const cap = (await verifier(content(5000))) as ChkVerifierCap
    let isDown = true
    memory.wrap(0, (peer) => ({
      have: (...args) =>
        isDown ? Promise.reject(new GridError('E_CLOSED', 'gone')) : peer.have(...args),
    }))
    const clock = new ManualClock()
    const presence = new Presence({ clock, health: new PeerHealth(clock) }, memory.candidates)
    const heard = async (): Promise<number> => (await presence.ask([cap])).answered.length
    assert.equal(await heard(), 9)
    isDown = false
    assert.equal(await heard(), 9)
    clock.advance(60_000)
    assert.equal(await heard(), 10)
  })

  it('counts one share on ten servers once', async () => {
    const cap = await verifier(content(5000))
    for (let i = 0; i < 10; i++)
      memory.wrap(i, () => ({ have: async (indexes) => indexes.map(() => [4]) }))
    const [{ state, claimed }] = (await check([cap], claims)).found
    assert.deepEqual([state, claimed], ['lost', 1])
  })

  it('counts no share that its server cannot show, and then believes that server nothing', async () => {
    const caps = await Promise.all([1, 2, 3, 4].map((i) => verifier(content(5000, i))))
    memory.wrap(0, () => ({ getBlocks: () => Promise.reject(new GridError('E_ABSENT', 'no')) }))
    const { found, tally } = await check(caps)
    assert.deepEqual(
      found.map(({ state, claimed }) => [state, claimed]),
      caps.map(() => ['degraded', 9]),
    )
    assert.equal(tally.damaged, 4)
    assert.equal(tally.servers.get(memory.candidates[0].id)?.missing, 4)
  })

  it('finds one wrong byte anywhere when it checks the whole, and says which server has it', async () => {
    const cap = await verifier(content(400_000))
    await memory.spoil(3, (share) => (share[share.length - 1] ^= 1))
    await memory.spoil(6, (share) => (share[9] ^= 1))
    const { found, tally } = await check([cap], whole)
    const answers = answersOf(found[0], memory.candidates).map(({ answer }) => answer)
    assert.deepEqual(
      answers.flatMap((answer, i) => (answer === 'damaged' ? [i] : [])),
      [3, 6],
    )
    assert.deepEqual([found[0].state, found[0].verified, tally.damaged], ['degraded', 8, 2])
  })

  it('reads from a server that gives no proofs', async () => {
    const cap = await verifier(content(400_000))
    for (let i = 0; i < 10; i++)
      memory.wrap(i, () => ({ prove: () => Promise.reject(new GridError('E_FORBIDDEN', 'no')) }))
    await memory.spoil(5, (share) => (share[share.length - 1] ^= 1))
    const [{ state, verified }] = (await check([cap], whole)).found
    assert.deepEqual([state, verified], ['degraded', 9])
  })

  it('does not call a share of a newer format damaged', async () => {
    const cap = await verifier(content(5000))
    await memory.spoil(2, makeNewer)
    for (const depth of [blocks, whole]) {
      const { found, tally } = await check([cap], depth)
      const { answer, code } = answersOf(found[0], memory.candidates)[2]
      assert.deepEqual([answer, code, tally.damaged], ['refuses', 'E_VERSION', 0])
      assert.equal(found[0].state, 'degraded')
    }
  })

  it('does not know what to say of an object of which only shares of a newer format are left', async () => {
    const cap = await verifier(content(5000))
    for (let i = 0; i < 8; i++) await memory.spoil(i, makeNewer)
    const { found, tally } = await check([cap], whole)
    assert.deepEqual([found[0].state, found[0].claimed, tally.damaged], ['unknown', 2, 0])
  })

  it('comes to every object of a tree with a verify cap alone, and to each once', async () => {
    const cap = await directory(60)
    const { found, tally } = await check([cap, cap])
    assert.ok(tally.isHealthy)
    assert.ok(found.length >= 3, `${found.length} objects`)
    const roots = new Set(found.map(({ object }) => Buffer.from(object.root).toString('hex')))
    assert.equal(roots.size, found.length)
    for (let i = 0; i < 3; i++) await memory.lose(i)
    const later = await check([cap])
    assert.equal(later.tally.states.repairable, found.length)
    assert.equal(later.tally.leastServers, 7)
  })

  it('calls nothing healthy for what a snapshot says of it that is not so', async () => {
    const { admin, append } = await memory.grid.logs.create({ device: 'one' })
    const totals = { bytes: 0, files: 0, directories: 1, objects: 1 }
    const facts = { host: 'h', label: '', paths: [], tool: 't', totals, partial: false }
    const { root } = (await verifier(content(5000))) as ChkVerifierCap
    const snapshot = async (k: number, n: number): Promise<void> => {
      const stream = plainStream({ root, k, n, ciphertextBytes: 8192 }, 5000, root)
      const entry = { ...lit('f'), kind: 'file', content: stream } as const
      const ref = await memory.grid.trees.write((writer) => writeDirectory(writer, [entry]), {
        redundancy,
      })
      await memory.grid.logs.append(append, { cap: capOfDirectory(ref), ...facts })
    }
    // whoever has the device's cap names the object first, and as one that a single share makes
    await snapshot(1, 1)
    await snapshot(3, 10)
    const index = storageIndexOf(root)
    for (const store of memory.stores)
      for (const number of await store.list(index))
        if (number > 0) await store.remove(index, number)
    const { found, tally } = await check([attenuate(admin, 'LOG-Verify')], claims)
    const states = found.flatMap(({ object, state }) =>
      equalBytes(object.root, root) && object.n === 10 ? state : [],
    )
    assert.deepEqual(states, ['lost'])
    assert.ok(!tally.isHealthy)
  })

  it('says that it does not know what is below a node that it cannot read', async () => {
    const cap = await directory(5)
    for (let i = 0; i < 8; i++) await memory.lose(i)
    const hidden: Hidden[] = []
    const found: FoundObject[] = []
    const other = await MemoryGrid.of(0)
    other.candidates.push(...memory.candidates)
    const run = other.grid.upkeep.check([cap], { onHidden: (each) => hidden.push(each) })
    for await (const batch of run) found.push(...batch)
    assert.deepEqual(
      hidden.map(({ error }) => error.code),
      ['E_NOT_ENOUGH_SHARES'],
    )
    assert.deepEqual(
      found.map(({ state }) => state),
      ['lost'],
    )
  })

  it('weakens caps, has nothing to look at for a literal, and takes no LOG-Append cap', async () => {
    const literal = parseCap((await memory.put(content(10))).cap)
    assert.equal(verifierOf(literal), undefined)
    assert.deepEqual((await check([literal])).found, [])
    const { cap } = await memory.put(content(2000), { redundancy })
    assert.equal(verifierOf(parseCap(cap))?.type, 'CHK-Verifier')
    const { append } = await memory.grid.logs.create({ device: 'one' })
    assert.throws(() => verifierOf(append), { code: 'E_CAP_WEAK' })
  })

  it('checks every snapshot of a log, and each object once', async () => {
    const { admin, append } = await memory.grid.logs.create({ device: 'one' })
    const totals = { bytes: 0, files: 0, directories: 1, objects: 1 }
    const facts = { host: 'h', label: '', paths: [], tool: 't', totals, partial: false }
    for (const files of [3, 4]) {
      const inputs = Array.from({ length: files }, (_, i) => lit(nameOf(i)))
      const ref = await memory.grid.trees.write((writer) => writeDirectory(writer, inputs), {
        redundancy,
      })
      const cap = capOfDirectory(ref)
      await memory.grid.logs.append(append, { cap, ...facts })
      await memory.grid.logs.append(append, { cap, ...facts })
    }
    const { found, tally } = await check([attenuate(admin, 'LOG-Verify')])
    assert.equal(found.length, 2)
    assert.ok(tally.isHealthy)
    for (let i = 0; i < 4; i++)
      memory.wrap(i, () => ({ readLog: () => Promise.reject(new GridError('E_TIMEOUT', 'late')) }))
    const stale = await check([admin])
    assert.equal(stale.tally.hiddenCount, 1)
    assert.ok(!stale.tally.isHealthy)
  })
})
