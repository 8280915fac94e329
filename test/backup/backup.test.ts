import assert from 'node:assert/strict'
import fc from 'fast-check'
import { beforeEach, describe, it } from 'mocha'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { BackupWorld } from './backup-world.ts'

/** Bytes that do not compress. */
function large(seed: number, bytes: number): Uint8Array {
  let state = seed + 1
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

describe('backup', () => {
  let world: BackupWorld

  beforeEach(async () => {
    world = await BackupWorld.open()
    world.tree.write('docs/a.txt', 'a small one')
    world.tree.write('docs/b.txt', `a longer one ${'b'.repeat(500)}`)
    world.tree.write('docs/deep/er/c', large(3, 5000))
    world.tree.write('big', large(5, 3 * 2 ** 20))
    world.tree.link('link', 'docs/a.txt')
    world.tree.makeDirectory('empty')
  })

  const same = async (): Promise<void> => assert.deepEqual(await world.stored(), world.tree.files())

  it('stores a tree as it is, and says what it did', async () => {
    const { count, totals, partial, seq } = await world.run()
    await same()
    assert.deepEqual(count.files, { new: 4, changed: 0, unchanged: 0 })
    assert.deepEqual(count.others, { new: 1, changed: 0, unchanged: 0 })
    assert.equal(count.directories.new, 4)
    assert.equal(totals.files, 4)
    assert.equal(totals.directories, 4)
    assert.equal(totals.bytes, 11 + 513 + 5000 + 3 * 2 ** 20)
    assert.ok(totals.objects > 2)
    assert.equal(partial, false)
    assert.equal(seq, 1)
    const [{ snapshot }] = await world.snapshots()
    assert.deepEqual(snapshot?.totals, totals)
    assert.ok(snapshot?.run !== undefined && snapshot.run.addedBytes > 3 * 2 ** 20)
  })

  it('sends nothing and reads nothing where nothing changed', async () => {
    await world.run()
    const { count, sentBytes, totals } = await world.run()
    assert.deepEqual(count.files, { new: 0, changed: 0, unchanged: 4 })
    assert.equal(count.readBytes, 0)
    assert.equal(sentBytes, 0)
    const [first, second] = await world.snapshots()
    assert.deepEqual(second.snapshot?.cap, first.snapshot?.cap)
    assert.deepEqual(second.snapshot?.totals, totals)
    assert.deepEqual(first.snapshot?.totals, totals)
  })

  it('stores what changed, and nothing else', async () => {
    await world.run()
    world.tree.write('docs/deep/er/c', 'changed'.repeat(99))
    world.tree.write('new', 'new'.repeat(50))
    world.tree.remove('docs/b.txt')
    const { count, totals } = await world.run()
    await same()
    assert.deepEqual(count.files, { new: 1, changed: 1, unchanged: 2 })
    assert.equal(count.gone, 1)
    assert.equal(count.readBytes, 7 * 99 + 150)
    assert.equal(totals.files, 4)
  })

  it('takes a file for a directory and a directory for a file', async () => {
    await world.run()
    world.tree.remove('docs')
    world.tree.write('docs', 'a file now')
    world.tree.remove('big')
    world.tree.write('big/ger', 'in a directory now')
    await world.run()
    await same()
  })

  it('keeps nothing in the place of a file that it cannot read', async () => {
    await world.run()
    world.tree.remove('docs')
    world.tree.write('docs', 'nobody reads this')
    const source = world.tree.source()
    world.tree.source = () => ({
      ...source,
      open: () => {
        throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
      },
    })
    const { partial } = await world.run()
    assert.equal(partial, true)
    const paths = (await world.stored()).map(([path]) => path)
    assert.deepEqual(paths, ['big', 'link'])
  })

  it('does not store what it has under another name', async () => {
    await world.run()
    world.tree.write('copy', large(5, 3 * 2 ** 20))
    world.tree.write('another', large(3, 5000))
    const { sentBytes } = await world.run()
    await same()
    assert.ok(sentBytes < 100_000, `${sentBytes} bytes sent`)
  })

  it('reads all again where nothing is remembered, and sends none of it', async () => {
    const first = await world.run()
    world.folder = new MemoryCacheFolder()
    const { count, sentBytes } = await world.run()
    await same()
    assert.equal(count.files.new, 4)
    assert.ok(first.sentBytes > 3 * 2 ** 20)
    assert.equal(sentBytes, 0)
  })

  it('describes everything anew where that would come out otherwise, and reads nothing', async () => {
    await world.run()
    world.described = new Uint8Array(32).fill(8)
    const { count, totals } = await world.run()
    await same()
    assert.equal(count.readBytes, 0)
    assert.equal(count.files.unchanged, 4)
    assert.equal(totals.files, 4)
  })

  it('keeps no key where none is to be kept, and reads everything each time', async () => {
    world.keys = 'none'
    await world.run()
    world.tree.write('new', 'new'.repeat(50))
    const { count, sentBytes } = await world.run()
    await same()
    assert.equal(count.readBytes, 11 + 513 + 5000 + 3 * 2 ** 20 + 150)
    assert.ok(sentBytes < 100_000, `${sentBytes} bytes sent`)
  })

  it('appends partial snapshots on its way, and a whole one in the end', async () => {
    const checkpoints: string[] = []
    for (let i = 0; i < 300; i++) world.tree.write(`many/${i}`, large(i, 30_000))
    await world.run({
      checkpointMs: 20,
      onCheckpoint: ({ outcome }) => checkpoints.push(outcome),
    })
    await same()
    assert.deepEqual(
      checkpoints,
      checkpoints.map(() => 'committed'),
    )
    const snapshots = await world.snapshots()
    assert.equal(snapshots.length, checkpoints.length + 1)
    assert.equal(snapshots.at(-1)?.snapshot?.partial, false)
    for (const { snapshot } of snapshots.slice(0, -1)) assert.equal(snapshot?.partial, true)
  })

  it('leaves nothing out where all is described anew and little time is given', async () => {
    for (let i = 0; i < 300; i++) world.tree.write(`many/${i}`, large(i, 30_000))
    await world.run()
    world.described = new Uint8Array(32).fill(8)
    for (let i = 0; i < 300; i += 2) world.tree.write(`many/${i}`, large(i + 1, 30_000))
    await world.run({ checkpointMs: 20 })
    await same()
    await world.run()
    await same()
  })

  it('goes on where a run was cut short', async () => {
    const stop = new AbortController()
    const { tree } = world
    for (let i = 0; i < 500; i++) tree.write(`many/${i}`, large(i, 40_000))
    await assert.rejects(
      world.run({
        signal: stop.signal,
        onProgress: ({ doneBytes }) => {
          if (doneBytes > 5 * 2 ** 20) stop.abort(new Error('cut short'))
        },
      }),
    )
    const { count } = await world.run()
    await same()
    assert.ok(count.resumedBytes > 0)
    assert.ok(count.readBytes < world.tree.sizeBytes - 2 ** 20, `${count.readBytes} read`)
  })

  it('writes directories anew that no server gives back', async () => {
    await world.run()
    world.tree.write('docs/new', 'x'.repeat(100))
    // all that is left is what is written from now on
    world.grid.wrap(0, (peer) => ({
      getBlocks: async (...request) => {
        const { clearOnce } = world as { clearOnce?: boolean }
        if (clearOnce === true) return peer.getBlocks(...request)
        throw Object.assign(new Error('gone'), { code: 'E_ABSENT' })
      },
    }))
    await world.run()
    ;(world as { clearOnce?: boolean }).clearOnce = true
    await same()
  })

  it('never stores anything but the tree, whatever changes from run to run', async () => {
    const path = fc.stringMatching(/^[abc](\/[abc]){0,2}$/)
    const change = fc.record({ path, remove: fc.boolean(), seed: fc.nat(5) })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change), { maxLength: 4 }), async (runs) => {
        world = await BackupWorld.open()
        for (const changes of runs) {
          for (const { path, remove, seed } of changes) {
            if (remove) world.tree.remove(path)
            else world.tree.write(path, utf8(`content ${seed} `.repeat(20 * seed)))
          }
          await world.run()
          await same()
        }
      }),
      { numRuns: 40 },
    )
  })
})
