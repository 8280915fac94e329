import assert from 'node:assert/strict'
import fs from 'node:fs'
import { describe, it } from 'mocha'
import { describeTree, makeAwkwardTree } from './awkward.ts'
import { copyTree } from './copy-tree.ts'
import { abilities, native, openDescriptors, Scratch, without } from './scratch.ts'

const missing = without('root', 'devices', 'userXattrs', 'acls', 'capabilities')

/** As far as Node's own calls go: to the microsecond; before 1970, to the millisecond. */
function roughly(time: string): bigint {
  const nanoseconds = BigInt(time)
  return nanoseconds < 0n ? (nanoseconds - 500_000n) / 1_000_000n : nanoseconds / 1000n
}

describe('a tree and its copy', () => {
  const scratch = new Scratch().hooks()

  it(`agree in everything, as other code sees it${missing}`, async () => {
    const source = makeAwkwardTree(scratch, 'source')
    const before = openDescriptors()
    const notices = await copyTree({ source, target: scratch.at('target') })
    assert.deepEqual(notices.lines, native === undefined ? ['xattrs-unseen '] : [])
    assert.deepEqual(describeTree(scratch.at('target')), describeTree(source))
    assert.equal(openDescriptors(), before)
  })

  it('have the same holes', async () => {
    const source = makeAwkwardTree(scratch, 'source')
    await copyTree({ source, target: scratch.at('target') })
    const blocks = (folder: string): number => fs.statSync(`${folder}/sparse`).blocks
    assert.ok(blocks(source) < 64, 'this file system has no holes')
    assert.ok(blocks(scratch.at('target')) <= blocks(source))
  })

  it('agree after a second run, which writes nothing', async () => {
    const source = makeAwkwardTree(scratch, 'source')
    await copyTree({ source, target: scratch.at('target') })
    const inode = (): bigint => fs.statSync(scratch.at('target', 'plain'), { bigint: true }).ino
    const first = inode()
    const notices = await copyTree({ source, target: scratch.at('target') })
    assert.deepEqual(notices.lines, native === undefined ? ['xattrs-unseen '] : [])
    assert.equal(inode(), first)
    assert.deepEqual(describeTree(scratch.at('target')), describeTree(source))
  })

  it('without the adapter, differ only in what the notices say', async () => {
    const source = makeAwkwardTree(scratch, 'source')
    const none = { native: undefined }
    const { all, lines } = await copyTree({
      ...{ source, target: scratch.at('target') },
      ...{ reading: none, writing: none },
    })
    assert.equal(all[0].code, 'xattrs-unseen')
    const specials =
      native === undefined ? [] : ['fifo', ...(abilities.devices ? ['disk', 'null'] : [])]
    assert.deepEqual(
      lines.filter((line) => line.startsWith('special')).sort(),
      specials.map((name) => `special ${name}`).sort(),
    )
    const timeless = (folder: string): string[] =>
      describeTree(folder)
        .filter((line) => !/'\/?(fifo|disk|null)'/.test(line))
        .map((line) =>
          line.replace(/, (-?\d{11,}), \[.*?\]/, (_, time: string) => `, ${roughly(time)},`),
        )
    assert.deepEqual(timeless(scratch.at('target')), timeless(source))
    const rest = all.filter(({ code }) => !['xattrs-unseen', 'special'].includes(code))
    assert.ok(rest.length > 0 || native === undefined)
    assert.ok(rest.every(({ code }) => code === 'time-not-kept'))
  })

  it('goes on where a run was interrupted', async () => {
    const source = makeAwkwardTree(scratch, 'source')
    const target = scratch.folder('target')
    fs.chmodSync(target, 0o1700)
    fs.mkdirSync(`${target}/deep`, { mode: 0o1700 })
    fs.writeFileSync(`${target}/.grid-aaaaaaaaaaaaa.part`, 'half a file')
    fs.writeFileSync(`${target}/deep/.grid-bbbbbbbbbbbbb.part`, 'another')
    await copyTree({ source, target })
    assert.deepEqual(describeTree(target), describeTree(source))
  })
})
