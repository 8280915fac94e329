/** File systems on servers that fail, and devices that may not write. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { GridError, isGridError, type ErrorCode } from '../../src/base/errors.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { CreatedLog } from '../../src/node/logs/logs.ts'
import type { FileTree } from '../../src/files/file-tree.ts'
import { openFiles } from '../../src/files/open-files.ts'
import { publicKeyOfSeed } from '../../src/base/ed25519.ts'
import { MemoryGrid } from '../node/memory-grid.ts'
import { contentsOf, editOf } from './memory-trees.ts'

interface Stand {
  memory: MemoryGrid
  caps: CreatedLog
  files: FileTree
  broken: { reads: Set<number>; appends: Set<number> }
}

/** A tree whose log is on four servers, which are told to fail by their numbers. */
async function stand(): Promise<Stand> {
  const memory = await MemoryGrid.of(4)
  const broken = { reads: new Set<number>(), appends: new Set<number>() }
  const fail = (): never => {
    throw new GridError('E_UNREACHABLE', 'switched off')
  }
  for (let i = 0; i < 4; i++)
    memory.wrap(i, (peer) => ({
      readLog: async (...args) => (broken.reads.has(i) ? fail() : peer.readLog(...args)),
      appendEntries: async (...args) =>
        broken.appends.has(i) ? fail() : peer.appendEntries(...args),
    }))
  const caps = await memory.grid.logs.create({ device: 'laptop' })
  const read = attenuate(caps.admin, 'LOG-Read')
  return { memory, caps, files: openFiles(memory.grid, { read, append: caps.append }), broken }
}

const put = (files: FileTree, path: string, text: string) =>
  files.change(async () => [editOf(path, text)])

async function seen({ memory, caps }: Stand): Promise<Record<string, string>> {
  const reader = openFiles(memory.another(), { read: attenuate(caps.admin, 'LOG-Read') })
  const { view } = await reader.read()
  return Object.fromEntries(await contentsOf(view.reader, view.root))
}

const hasCode =
  (...codes: ErrorCode[]) =>
  (error: unknown): boolean =>
    isGridError(error, ...codes)

describe('file systems on a grid', () => {
  it('change nothing where too few log servers answer, and say that they may be stale', async () => {
    const world = await stand()
    const { files, broken } = world
    await put(files, 'a', '1')
    broken.reads = new Set([0, 1])
    await assert.rejects(put(files, 'a', '2'), hasCode('E_NOT_ENOUGH_SERVERS'))
    const { view, conclusion } = await files.read()
    assert.equal(conclusion.state, 'STALE-POSSIBLE')
    assert.deepEqual(Object.fromEntries(await contentsOf(view.reader, view.root)), { a: '1' })
    broken.reads.clear()
    assert.deepEqual(await seen(world), { a: '1' })
    assert.equal((await files.versions()).length, 1)
  })

  it('lose no change that was written on too few servers: the next one comes behind it', async () => {
    for (const away of [
      [1, 2, 3],
      [0, 1, 2, 3],
    ]) {
      const world = await stand()
      const { files, broken } = world
      await put(files, 'a', '1')
      broken.appends = new Set(away)
      await assert.rejects(put(files, 'b', '1'), hasCode('E_NOT_DURABLE'))
      await assert.rejects(put(files, 'c', '1'), hasCode('E_NOT_DURABLE'))
      broken.appends.clear()
      await put(files, 'd', '1')
      assert.deepEqual(await seen(world), { a: '1', b: '1', d: '1' })
      assert.equal((await files.versions()).length, 3)
    }
  })

  it('tell which cap is needed', async () => {
    const { memory, caps, files } = await stand()
    await put(files, 'a', '1')
    const reader = openFiles(memory.grid, { read: attenuate(caps.admin, 'LOG-Read') })
    await assert.rejects(put(reader, 'a', '2'), (error: unknown) => {
      assert.ok(isGridError(error, 'E_CAP_WEAK'))
      assert.equal(error.facts.needed, 'LOG-Append')
      return true
    })
  })

  it('take nothing from a device that was revoked, and keep what it wrote before', async () => {
    const world = await stand()
    const { memory, caps, files } = world
    const append = await memory.grid.logs.grant(caps.admin, { label: 'lost' })
    const lost = openFiles(memory.another(), { read: attenuate(caps.admin, 'LOG-Read'), append })
    await put(lost, 'a', 'from the lost one')
    await memory.grid.logs.revoke(caps.admin, publicKeyOfSeed(append.deviceSeed))
    await assert.rejects(put(lost, 'a', 'later'), hasCode('E_REVOKED', 'E_CERTIFICATE'))
    await put(files, 'b', '1')
    assert.deepEqual(await seen(world), { a: 'from the lost one', b: '1' })
  })
})
