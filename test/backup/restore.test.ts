import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { describeTree, makeAwkwardTree } from '../local/awkward.ts'
import { openDescriptors, Scratch, without } from '../local/scratch.ts'
import { content, MemoryGrid } from '../node/memory-grid.ts'
import { restoreTo } from './restoring.ts'
import { storeTree } from './stored-tree.ts'

const missing = without('root', 'devices', 'userXattrs', 'acls', 'capabilities')
const compress = { compress: true }

describe('a restore', () => {
  const scratch = new Scratch().hooks()

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

  it(`brings an awkward tree back, as other code sees it${missing}`, async () => {
    makeAwkwardTree(scratch, 'world/source')
    const { grid } = await MemoryGrid.of(1)
    const { ref } = await storeTree(grid, scratch.at('world'), compress)
    const before = openDescriptors()
    const target = scratch.at('target')
    const { notices } = await restoreTo({ grid, root: ref, path: 'source', target })
    assert.deepEqual(notices.lines, [])
    assert.deepEqual(describeTree(target), describeTree(scratch.at('world/source')))
    assert.equal(openDescriptors(), before)
  })

  it('brings files of all sizes back, and says what it did', async () => {
    const world = makeFiles()
    const { grid } = await MemoryGrid.of(10)
    const { ref, totals } = await storeTree(grid, world, compress)
    const target = scratch.at('target')
    const { count, notices } = await restoreTo({ grid, root: ref, target })
    assert.deepEqual(notices.lines, [])
    assert.deepEqual(describeTree(`${target}/source`), describeTree(`${world}/source`))
    assert.equal(count.files, totals.files)
    assert.equal(count.bytes, totals.bytes)
    assert.equal(count.directories, totals.directories - 1)
    const again = await restoreTo({ grid, root: ref, target })
    assert.deepEqual(again.notices.lines, [])
    assert.equal(again.count.files, 0)
    assert.equal(again.count.finished, totals.files)
    assert.equal(again.count.finishedBytes, totals.bytes)
  })
})
