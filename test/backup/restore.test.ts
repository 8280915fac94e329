import assert from 'node:assert/strict'
import fs from 'node:fs'
import { describe, it } from 'mocha'
import { type BatchCrew, InlineCrew } from '../../src/backup/restore/batch-crew.ts'
import { WorkerCrew } from '../../src/backup/restore/worker-crew.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import { parsePattern } from '../../src/local/pattern.ts'
import { excluding, including } from '../../src/local/selection.ts'
import type { TargetOptions } from '../../src/local/target-run.ts'
import type { Grid } from '../../src/node/grid.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { describeTree, makeAwkwardTree } from '../local/awkward.ts'
import { hashTree, native, openDescriptors, Scratch, without } from '../local/scratch.ts'
import { content, MemoryGrid } from '../node/memory-grid.ts'
import { checkIn, restoreTo } from './restoring.ts'
import { storeTree } from './stored-tree.ts'

const missing = without('root', 'devices', 'userXattrs', 'acls', 'capabilities')
const compress = { compress: true }

const crews: Readonly<Record<string, (options: TargetOptions) => BatchCrew>> = {
  'on the calling thread': (options) => new InlineCrew(options),
  'in two threads': (options) => new WorkerCrew(options, 2),
}

for (const [how, crewOf] of Object.entries(crews)) {
  describe(`a restore ${how}`, () => {
    const scratch = new Scratch().hooks()
    const target = (): string => scratch.at('target')
    const at = (...names: string[]): string => scratch.at('target', ...names)

    /** Files of all sizes around those at which something changes, in some directories. */
    function makeFiles(): string {
      const sizes = [0, 1, 64, 65, 4096, 5000, 2 ** 17, 2 ** 20, 2 ** 20 + 1, 5 * 2 ** 20]
      for (const [i, size] of sizes.entries()) {
        scratch.file(`world/source/f${size}`, content(size, i))
        scratch.file(`world/source/d${i}/g`, content(size, i + 100))
        scratch.file(`world/source/d${i}/sub/text`, 'a line of text\n'.repeat(size / 100))
      }
      return scratch.at('world')
    }

    /** Two files, one of which is in a directory, as a snapshot. */
    async function makeSmall(): Promise<{ grid: Grid; root: NodeName }> {
      scratch.file('world/a', 'the first')
      scratch.file(
        'world/d/b',
        'the second, which is longer than all that a row can hold in it'.repeat(2),
      )
      scratch.file('world/d/c', 'third')
      const { grid } = await MemoryGrid.of(1)
      return { grid, root: (await storeTree(grid, scratch.at('world'), compress)).ref }
    }

    it(`brings an awkward tree back, as other code sees it${missing}`, async () => {
      makeAwkwardTree(scratch, 'world/source')
      const { grid } = await MemoryGrid.of(1)
      const { ref } = await storeTree(grid, scratch.at('world'), compress)
      const before = openDescriptors()
      const call = { crewOf, grid, root: ref, path: 'source', target: target() }
      const { notices } = await restoreTo(call)
      assert.deepEqual(notices.lines, [])
      assert.deepEqual(describeTree(target()), describeTree(scratch.at('world/source')))
      const check = await checkIn(call)
      assert.deepEqual(check.notices.lines, [])
      assert.equal(check.count.wrong, 0)
      if (how === 'on the calling thread') assert.equal(openDescriptors(), before)
    })

    it('brings files of all sizes back, and says what it did', async () => {
      const world = makeFiles()
      const { grid } = await MemoryGrid.of(10)
      const { ref, totals } = await storeTree(grid, world, compress)
      const call = { crewOf, grid, root: ref, target: target() }
      const { count, notices } = await restoreTo(call)
      assert.deepEqual(notices.lines, [])
      assert.deepEqual(describeTree(at('source')), describeTree(`${world}/source`))
      assert.equal(count.files, totals.files)
      assert.equal(count.bytes, totals.bytes)
      assert.equal(count.directories, totals.directories - 1)
      const again = await restoreTo(call)
      assert.deepEqual(again.notices.lines, [])
      assert.equal(again.count.files, 0)
      assert.equal(again.count.finished, totals.files)
      assert.equal(again.count.finishedBytes, totals.bytes)
    })

    it('finds each byte, mode and name that is not as in the snapshot', async () => {
      const world = makeFiles()
      const { grid } = await MemoryGrid.of(1)
      const { ref, totals } = await storeTree(grid, world, compress)
      const call = { crewOf, grid, root: ref, target: target() }
      await restoreTo(call)
      const { count } = await checkIn(call)
      assert.deepEqual(count, { files: totals.files, bytes: totals.bytes, wrong: 0 })
      flip(at('source/f5000'), 4999)
      flip(at(`source/f${5 * 2 ** 20}`), 4 * 2 ** 20)
      fs.chmodSync(at('source/d1/g'), 0o640)
      fs.rmSync(at('source/d2/g'))
      fs.rmSync(at('source/d3'), { recursive: true })
      const check = await checkIn(call)
      const found = check.notices.all.map(({ code, path, detail }) =>
        [code, Buffer.from(path).toString(), detail ?? ''].join(' '),
      )
      const shown = found.filter((line) => !/ (source|source\/d2) time$/.test(line)).sort()
      assert.deepEqual(shown, [
        'differs source/d1/g mode 640',
        'differs source/f5000 content at byte 4999',
        `differs source/f${5 * 2 ** 20} content at byte ${4 * 2 ** 20}`,
        'missing source/d2/g ',
        'missing source/d3 ',
      ])
    })

    it('takes what is selected, and leaves alone what was left out', async () => {
      const { grid, root } = await makeSmall()
      const patterns = [parsePattern('b')]
      await restoreTo({ crewOf, grid, root, target: target(), selection: including(patterns) })
      assert.deepEqual(fs.readdirSync(target()), ['d'])
      assert.deepEqual(fs.readdirSync(at('d')), ['b'])
      fs.writeFileSync(at('d', 'c'), 'mine')
      fs.writeFileSync(at('d', 'z'), 'surplus')
      fs.mkdirSync(at('e'))
      const writing = { delete: true, overwrite: 'always' } as const
      const call = { crewOf, grid, root, target: target(), writing }
      await restoreTo({ ...call, selection: including(patterns) })
      assert.deepEqual(fs.readdirSync(target()), ['d'])
      assert.deepEqual(fs.readdirSync(at('d')), ['b', 'c'])
      assert.equal(fs.readFileSync(at('d', 'c'), 'utf8'), 'mine')
      await restoreTo({ ...call, selection: excluding([parsePattern('/d/c')]) })
      assert.deepEqual(fs.readdirSync(target()), ['a', 'd'])
      assert.equal(fs.readFileSync(at('d', 'c'), 'utf8'), 'mine')
    })

    it('makes no directory that was only passed, and selects below a part as in the whole', async () => {
      const { grid, root } = await makeSmall()
      const selection = including([parsePattern('/d/c')])
      await restoreTo({ crewOf, grid, root, target: target(), selection, path: 'd' })
      assert.deepEqual(fs.readdirSync(target()), ['c'])
      const nowhere = including([parsePattern('/d/x')])
      const { count } = await restoreTo({
        ...{ crewOf, grid, root, target: scratch.at('other'), selection: nowhere },
      })
      assert.deepEqual(fs.readdirSync(scratch.at('other')), [])
      assert.equal(count.directories, 0)
    })

    for (const overwrite of ['never', 'newer', 'always'] as const)
      it(`overwrites ${overwrite}`, async () => {
        const { grid, root } = await makeSmall()
        fs.mkdirSync(at('d'), { recursive: true })
        fs.writeFileSync(at('a'), 'newer than the snapshot')
        fs.utimesSync(at('a'), 4e9, 4e9)
        fs.writeFileSync(at('d', 'b'), 'older')
        fs.utimesSync(at('d', 'b'), 1, 1)
        const { count, notices } = await restoreTo({
          ...{ crewOf, grid, root, target: target(), writing: { overwrite } },
        })
        assert.equal(count.replaced, { never: 0, newer: 1, always: 2 }[overwrite])
        assert.equal(count.kept, { never: 2, newer: 1, always: 0 }[overwrite])
        const isFirst = fs.readFileSync(at('a'), 'utf8') === 'the first'
        assert.equal(isFirst, overwrite === 'always')
        const isOld = fs.readFileSync(at('d', 'b'), 'utf8') === 'older'
        assert.equal(isOld, overwrite === 'never')
        const reported = overwrite === 'never' ? ['exists a', 'exists d/b'] : []
        assert.deepEqual(notices.lines, reported)
      })

    it('says in a dry run what it would do, and does nothing', async () => {
      const { grid, root } = await makeSmall()
      fs.mkdirSync(at('d'), { recursive: true })
      fs.writeFileSync(at('d', 'b'), 'older')
      fs.writeFileSync(at('surplus'), 'x')
      const before = hashTree(target())
      const gone: string[] = []
      const onDelete = (path: Uint8Array): void => void gone.push(Buffer.from(path).toString())
      const writing = { dryRun: true, delete: true, overwrite: 'always', onDelete } as const
      const call = { crewOf, grid, root, target: target(), writing }
      const { count } = await restoreTo(call)
      assert.deepEqual([count.files, count.replaced, gone], [3, 1, ['surplus']])
      assert.equal(hashTree(target()), before)
      await restoreTo({ ...call, target: scratch.at('nowhere') })
      assert.ok(!fs.existsSync(scratch.at('nowhere')))
    })

    for (const stopAt of [1, 7, 15, 22])
      it(`goes on where it was interrupted: after ${stopAt} files`, async () => {
        const world = makeFiles()
        const { grid } = await MemoryGrid.of(1)
        const { ref, totals } = await storeTree(grid, world, compress)
        const stop = new AbortController()
        const call = { crewOf, grid, root: ref, target: target() }
        const before = openDescriptors()
        const interrupted = restoreTo({
          ...call,
          signal: stop.signal,
          onProgress: ({ files }) => {
            if (files >= stopAt) stop.abort(new GridError('E_INTERRUPTED', 'enough'))
          },
        })
        await assert.rejects(interrupted, (error) => isGridError(error, 'E_INTERRUPTED'))
        if (how === 'on the calling thread') assert.equal(openDescriptors(), before)
        const { count, notices } = await restoreTo(call)
        assert.deepEqual(notices.lines, [])
        assert.equal(count.files + count.finished, totals.files)
        assert.ok(count.finished >= stopAt)
        assert.deepEqual(describeTree(at('source')), describeTree(`${world}/source`))
        assert.doesNotMatch(describeTree(target()).join('\n'), /\.part/)
      })

    it('does the rest where an object is gone, and names each file that it held', async () => {
      const world = makeFiles()
      const memory = await MemoryGrid.of(1)
      const { ref, totals } = await storeTree(memory.grid, world, compress)
      let asked = 0
      memory.wrap(0, (peer) => ({
        getBlocks: (request, options) => {
          // large runs are contents; every third of them is lost
          if (request.segmentCount > 4 && asked++ % 3 === 0)
            return Promise.reject(new GridError('E_ABSENT', 'lost'))
          return peer.getBlocks(request, options)
        },
      }))
      const { count, notices } = await restoreTo({
        ...{ crewOf, grid: memory.grid, root: ref, target: target() },
      })
      assert.ok(count.refused > 0)
      assert.ok(count.files > 0)
      assert.equal(count.refused + count.files, totals.files)
      assert.equal(notices.all.length, count.refused)
      for (const { code, cause } of notices.all) {
        assert.equal(code, 'content')
        assert.ok(isGridError(cause, 'E_NOT_ENOUGH_SHARES'))
      }
    })

    it('removes nothing from a directory of which it cannot read all', async () => {
      const { grid, root } = await makeSmall()
      fs.mkdirSync(at('d'), { recursive: true })
      fs.writeFileSync(at('d', 'mine'), 'x')
      fs.writeFileSync(at('surplus'), 'x')
      const { trees } = grid
      const broken = {
        readSealed: trees.readSealed.bind(trees),
        readContent: trees.readContent.bind(trees),
        extents: trees.extents.bind(trees),
        readSlice: (...args: Parameters<typeof trees.readSlice>) =>
          args[1] === root.offset
            ? trees.readSlice(...args)
            : Promise.reject(new GridError('E_NODE', 'malformed')),
      }
      const { notices, count } = await restoreTo({
        ...{ crewOf, grid: { trees: broken }, root, target: target() },
        writing: { delete: true },
      })
      assert.deepEqual(notices.lines, ['content d'])
      assert.equal(count.refused, 1)
      assert.deepEqual(fs.readdirSync(target()), ['a', 'd'])
      assert.deepEqual(fs.readdirSync(at('d')), ['mine'])
    })

    it('writes through no link, and to no directory that was moved away', async () => {
      const { grid, root } = await makeSmall()
      scratch.file('canary/b', 'do not touch')
      const before = hashTree(scratch.at('canary'))
      fs.mkdirSync(target())
      fs.symlinkSync(scratch.at('canary'), at('d'))
      for (const overwrite of ['never', 'newer'] as const) {
        const { notices } = await restoreTo({
          ...{ crewOf, grid, root, target: target(), writing: { overwrite, delete: true } },
        })
        assert.deepEqual(notices.lines, ['link-in-the-way d'])
      }
      assert.equal(hashTree(scratch.at('canary')), before)
      const moving = (options: TargetOptions): BatchCrew => {
        const crew = crewOf(options)
        return {
          run: (job) => {
            if (fs.existsSync(at('d', 'sub')) || !fs.existsSync(scratch.at('moved')))
              fs.renameSync(at('d'), scratch.at('moved'))
            return crew.run(job)
          },
          handle: (job) => crew.handle(job),
          close: () => crew.close(),
        }
      }
      const { notices } = await restoreTo({
        ...{ crewOf: moving, grid, root, target: target(), writing: { overwrite: 'always' } },
      })
      assert.deepEqual(notices.lines.sort(), ['moved d', 'moved d/b', 'moved d/c'])
      assert.deepEqual(fs.readdirSync(scratch.at('moved')), [])
      assert.equal(hashTree(scratch.at('canary')), before)
    })

    it('restores without the adapter, and says what it could not keep', async () => {
      const { grid, root } = await makeSmall()
      const { notices } = await restoreTo({
        ...{ crewOf, grid, root, target: target(), writing: { native: undefined } },
      })
      assert.ok(notices.lines.every((line) => line.startsWith('time-not-kept ')))
      assert.equal(fs.readFileSync(at('d', 'c'), 'utf8'), 'third')
      assert.ok(native === undefined || notices.lines.length > 0)
    })

    it('ends where the disk takes no more', async () => {
      const { grid, root } = await makeSmall()
      const failing = (options: TargetOptions): BatchCrew => ({
        ...crewOf(options),
        run: () => Promise.reject(new GridError('E_FILE', 'no space left')),
        close: async () => {},
      })
      const call = { crewOf: failing, grid, root, target: target() }
      await assert.rejects(restoreTo(call), (error) => isGridError(error, 'E_FILE'))
    })
  })
}

function flip(path: string, at: number): void {
  const { mtime } = fs.statSync(path)
  const exact = fs.statSync(path, { bigint: true }).mtimeNs
  const fd = fs.openSync(path, 'r+')
  const byte = new Uint8Array(1)
  fs.readSync(fd, byte, 0, 1, at)
  fs.writeSync(fd, Uint8Array.of(byte[0] ^ 1), 0, 1, at)
  fs.closeSync(fd)
  if (native === undefined) fs.utimesSync(path, mtime, mtime)
  else
    native.setMtime(utf8(path), {
      seconds: Number(exact / 1_000_000_000n),
      nanoseconds: Number(exact % 1_000_000_000n),
    })
}
