import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { utf8 } from '../../src/base/bytes.ts'
import { GridError, isGridError } from '../../src/base/errors.ts'
import { escapedName } from '../../src/local/escaped-name.ts'
import { OwnerNames } from '../../src/local/owner-names.ts'
import { SparseWriter } from '../../src/local/sparse-writer.ts'
import { contentOf, fileFacts, folderFacts, linkFacts, Restoring } from './restoring.ts'
import { abilities, hashTree, openDescriptors, without } from './scratch.ts'

const later = { mtime: { seconds: 1_800_000_000, nanoseconds: 1 } }
const earlier = { mtime: { seconds: 1_600_000_000, nanoseconds: 1 } }
const whatever = contentOf('whatever')

describe('a target', () => {
  const restoring = new Restoring().hooks()
  const targetAt = (...names: string[]): string => restoring.at('target', ...names)

  it('makes a file whole, with mode and time to the nanosecond, and leaves nothing beside it', async () => {
    const root = restoring.open()
    assert.equal(await root.place(fileFacts('a', 'whatever', { mode: 0o640 }), whatever), 'made')
    root.finish(folderFacts('', { mode: 0o750 }))
    const { mode, mtimeNs } = fs.statSync(targetAt('a'), { bigint: true })
    assert.equal(Number(mode) & 0o7777, 0o640)
    assert.equal(mtimeNs, 1_700_000_000_123_456_789n)
    assert.equal(fs.statSync(targetAt()).mode & 0o7777, 0o750)
    assert.equal(fs.statSync(targetAt(), { bigint: true }).mtimeNs, 1_700_000_000_123_456_789n)
    assert.deepEqual(restoring.names(), ['a'])
  })

  it('is private where nothing is said of it, and its own where it was there', () => {
    restoring.open().finish()
    assert.equal(fs.statSync(targetAt()).mode & 0o7777, 0o700)
    fs.chmodSync(targetAt(), 0o755)
    restoring.open().finish()
    restoring.open().finish(folderFacts('', { mode: 0o777 }))
    assert.equal(fs.statSync(targetAt()).mode & 0o7777, 0o755)
    restoring.open({ overwrite: 'always' }).finish(folderFacts('', { mode: 0o711 }))
    assert.equal(fs.statSync(targetAt()).mode & 0o7777, 0o711)
  })

  it('finishes what it made in a directory that hands its group on, in this run or the next', () => {
    fs.mkdirSync(targetAt())
    fs.chmodSync(targetAt(), 0o2755)
    const first = restoring.open()
    first.directory(folderFacts('a'))!.finish(folderFacts('a', { mode: 0o711 }))
    first.directory(folderFacts('b'))!.abandon()
    first.abandon()
    assert.equal(fs.statSync(targetAt('a')).mode & 0o7777, 0o711)
    const second = restoring.open()
    second.directory(folderFacts('b'))!.finish(folderFacts('b', { mode: 0o722 }))
    second.finish()
    assert.equal(fs.statSync(targetAt('b')).mode & 0o7777, 0o722)
  })

  it('can be closed twice, and closes nothing else by that', () => {
    const root = restoring.open()
    root.finish()
    const fd = fs.openSync(restoring.at('canary', 'secret'), 'r')
    root.abandon()
    fs.fstatSync(fd)
    fs.closeSync(fd)
    assert.throws(() => root.directory(folderFacts('a')), RangeError)
  })

  it('overwrites with newer what is older, and keeps the rest', async () => {
    for (const name of ['a', 'b']) {
      fs.utimesSync(restoring.file(`target/${name}`, 'mine'), 1_700_000_000, 1_700_000_000)
    }
    const root = restoring.open({ overwrite: 'newer' })
    assert.equal(await root.place(fileFacts('a', 'whatever', later), whatever), 'replaced')
    assert.equal(await root.place(fileFacts('b', 'whatever', earlier), whatever), 'kept')
    root.finish()
    assert.deepEqual([restoring.read('a'), restoring.read('b')], ['whatever', 'mine'])
    assert.deepEqual(restoring.notices.lines, [])
  })

  it('asks for no content of a file that is finished', async () => {
    const facts = fileFacts('a', 'whatever')
    const first = restoring.open()
    await first.place(facts, whatever)
    first.finish()
    const second = restoring.open({ overwrite: 'always' })
    const never = (): never => assert.fail('content was asked for')
    assert.equal(await second.place({ ...facts, mode: 0o600 }, never), 'finished')
    second.finish()
    assert.equal(fs.statSync(targetAt('a')).mode & 0o7777, 0o600)
  })

  it('takes nothing as finished, nor parts for its own, where it is not to go on', async () => {
    restoring.file(`target/.grid-${'a'.repeat(13)}.part`)
    const facts = fileFacts('a', 'whatever')
    for (const outcome of ['made', 'replaced'] as const) {
      const root = restoring.open({ overwrite: 'always', resume: false })
      assert.equal(await root.place(facts, whatever), outcome)
      root.finish()
    }
    assert.equal(await restoring.open({ resume: false }).place(facts, whatever), 'kept')
    assert.deepEqual(restoring.notices.lines, ['exists a'])
    assert.equal(restoring.names().length, 2)
  })

  it('replaces by each kind what is of another, but no directory that is not empty', async () => {
    fs.mkdirSync(targetAt(), { recursive: true })
    fs.mkdirSync(targetAt('a'))
    restoring.file('target/b/mine')
    fs.symlinkSync('x', targetAt('c'))
    restoring.file('target/d', 'mine')
    const root = restoring.open({ overwrite: 'always' })
    assert.equal(await root.place(fileFacts('a', 'whatever'), whatever), 'replaced')
    assert.equal(await root.place(fileFacts('b', 'whatever'), whatever), 'refused')
    assert.equal(await root.place(linkFacts('c', 'y'), whatever), 'replaced')
    const below = root.directory(folderFacts('d'))!
    below.finish(folderFacts('d'))
    root.finish()
    assert.deepEqual(restoring.names(), ['a', 'b', 'b/mine', 'c', 'd'])
    assert.equal(fs.readlinkSync(targetAt('c')), 'y')
    assert.deepEqual(restoring.notices.lines, ['exists b'])
  })

  it('deletes what no entry names, through no link, and only when it is finished', async () => {
    for (const name of ['a', 'b', 'c/x', 'd/e/f', 'keep/me', 'z']) restoring.file(`target/${name}`)
    fs.symlinkSync(restoring.at('canary'), targetAt('d', 'link'))
    const deleted: string[] = []
    const onDelete = (path: Uint8Array): void => void deleted.push(escapedName(path))
    const fill = async (dryRun: boolean, finish: boolean): Promise<void> => {
      const root = restoring.open({ delete: true, overwrite: 'always', onDelete, dryRun })
      await root.place(fileFacts('b', 'whatever'), whatever)
      const below = root.directory(folderFacts('c'))!
      await below.place(fileFacts('w', 'whatever'), whatever)
      if (finish) below.finish(folderFacts('c'))
      else below.abandon()
      root.keep(utf8('keep'))
      if (finish) root.finish()
      else root.abandon()
    }
    await fill(false, false)
    assert.deepEqual(deleted, [])
    await fill(true, true)
    const expected = ['c/x', 'a', 'd/e/f', 'd/e', 'd/link', 'd', 'z']
    assert.deepEqual(deleted.splice(0), expected)
    assert.ok(restoring.names().includes('d/e/f'))
    await fill(false, true)
    assert.deepEqual(deleted, expected)
    assert.deepEqual(restoring.names(), ['b', 'c', 'c/w', 'keep', 'keep/me'])
  })

  it('deletes nothing that a refused entry has the name of', async () => {
    restoring.file('target/a', 'mine')
    restoring.file('target/b', 'mine')
    const root = restoring.open({ delete: true })
    await root.place(fileFacts('a', 'whatever'), whatever)
    await root.place({ ...fileFacts('b', ''), kind: 'fifo' }, whatever)
    root.finish()
    assert.deepEqual(restoring.names(), ['a', 'b'])
    assert.deepEqual(restoring.notices.lines, ['exists a', 'special b'])
  })

  const mounts = abilities.root && canMount()
  it(`deletes nothing of another file system${mounts ? '' : ' [NOT TESTED HERE: no mounts]'}`, () => {
    if (!mounts) return
    restoring.folder('target', 'a', 'mount')
    execFileSync('mount', ['-t', 'tmpfs', 'none', targetAt('a', 'mount')])
    try {
      restoring.file('target/a/mount/mine')
      restoring.open({ delete: true }).finish()
      assert.equal(restoring.read('a/mount/mine'), 'target/a/mount/mine')
      assert.deepEqual(restoring.notices.lines, ['failed a/mount'])
    } finally {
      execFileSync('umount', [targetAt('a', 'mount')])
    }
  })

  it('writes nothing in a dry run, and says what it would do', async () => {
    restoring.file('target/a', 'mine')
    restoring.file('target/c/x', 'mine')
    const before = hashTree(targetAt())
    const root = restoring.open({ dryRun: true, overwrite: 'always', delete: true })
    assert.equal(await root.place(fileFacts('a', 'whatever'), whatever), 'replaced')
    assert.equal(await root.place(fileFacts('b', 'whatever'), whatever), 'made')
    const there = root.directory(folderFacts('c'))!
    assert.equal(await there.place(fileFacts('y', 'whatever'), whatever), 'made')
    there.finish(folderFacts('c', { mode: 0o700 }))
    const absent = root.directory(folderFacts('d'))!
    assert.equal(await absent.place(linkFacts('y', 'x'), whatever), 'made')
    const deeper = absent.directory(folderFacts('z'))!
    for (const each of [deeper, absent]) each.finish(folderFacts('z'))
    root.finish(folderFacts(''))
    assert.equal(hashTree(targetAt()), before)
  })

  it('reports content that cannot be had, and goes on', async () => {
    const root = restoring.open()
    const broken = async function* (): AsyncGenerator<Uint8Array, void> {
      yield utf8('what')
      throw new GridError('E_NOT_ENOUGH_SHARES', 'too few')
    }
    assert.equal(await root.place(fileFacts('a', 'whatever'), broken), 'refused')
    assert.equal(await root.place(fileFacts('b', 'whatever'), whatever), 'made')
    root.finish()
    assert.deepEqual(restoring.names(), ['b'])
    assert.deepEqual(
      restoring.notices.all.map(({ code, detail }) => [code, detail]),
      [['content', 'E_NOT_ENOUGH_SHARES']],
    )
  })

  it('ends when it is interrupted, and leaves no part', async () => {
    const root = restoring.open()
    const interrupted = async function* (): AsyncGenerator<Uint8Array, void> {
      yield utf8('what')
      throw new GridError('E_INTERRUPTED', 'interrupted')
    }
    await assert.rejects(root.place(fileFacts('a', 'whatever'), interrupted), (error) =>
      isGridError(error, 'E_INTERRUPTED'),
    )
    root.abandon()
    assert.deepEqual(restoring.names(), [])
  })

  it(`ends when the disk is full${mounts ? '' : ' [NOT TESTED HERE: no mounts]'}`, async () => {
    if (!mounts) return
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', restoring.folder('target')])
    try {
      const root = restoring.open()
      const much = 'x'.repeat(2 ** 20)
      await assert.rejects(root.place(fileFacts('a', much), contentOf(much)), (error) =>
        isGridError(error, 'E_FILE'),
      )
      root.abandon()
      assert.deepEqual(restoring.names(), [])
    } finally {
      execFileSync('umount', [targetAt()])
    }
  })

  it(`gives owners by name before number, unless told otherwise${without('root')}`, async () => {
    if (!abilities.root) return
    const table = new OwnerNames('ann:x:4001:\n')
    const owners = { users: table, groups: table }
    const meta = { uid: 7, gid: 8, owner: 'ann', group: 'nobody here' }
    const root = restoring.open({ trusted: true, owners })
    await root.place(fileFacts('a', 'whatever', { meta }), whatever)
    root.finish()
    const numeric = restoring.open({ trusted: true, owners, numericIds: true })
    await numeric.place(fileFacts('b', 'whatever', { meta }), whatever)
    numeric.finish()
    const ownersOf = (name: string): number[] => {
      const { uid, gid } = fs.statSync(targetAt(name))
      return [uid, gid]
    }
    assert.deepEqual(
      [ownersOf('a'), ownersOf('b')],
      [
        [4001, 8],
        [7, 8],
      ],
    )
  })

  it('links names of one file while the first is still being written', async () => {
    const root = restoring.open()
    const meta = { hardLink: 5 }
    const facts = ['a', 'b', 'c'].map((name) => fileFacts(name, 'whatever', { meta }))
    const outcomes = await Promise.all(facts.map((each) => root.place(each, whatever)))
    root.finish()
    assert.deepEqual(outcomes, ['made', 'made', 'made'])
    assert.equal(fs.statSync(targetAt('a')).nlink, 3)
  })

  it('makes the next name the first where the first was refused', async () => {
    const root = restoring.open()
    const meta = { hardLink: 5 }
    await root.place(fileFacts('a', 'longer than this', { meta }), whatever)
    for (const name of ['b', 'c'])
      assert.equal(await root.place(fileFacts(name, 'whatever', { meta }), whatever), 'made')
    root.finish()
    assert.equal(fs.statSync(targetAt('b')).nlink, 2)
    assert.deepEqual(restoring.notices.lines, ['size a'])
  })

  it('refuses to be finished while something is on its way', async () => {
    const root = restoring.open()
    const placing = root.place(fileFacts('a', 'whatever'), whatever)
    assert.throws(() => root.finish(), RangeError)
    await placing
    root.finish()
  })

  it('closes all that it opened', async () => {
    const before = openDescriptors()
    const root = restoring.open({ sync: true })
    const below = root.directory(folderFacts('d'))!
    await below.place(fileFacts('a', 'x', { meta: { hardLink: 1 } }), whatever)
    await below.place(fileFacts('b', 'whatever', { meta: { hardLink: 1 } }), whatever)
    await below.place(fileFacts('c', 'whatever', { meta: { hardLink: 1 } }), whatever)
    below.finish(folderFacts('d'))
    root.finish()
    assert.equal(openDescriptors(), before)
  })

  it('says what is wrong with a target that is none', () => {
    restoring.file('target', 'a file')
    assert.throws(
      () => restoring.open(),
      (error) => isGridError(error, 'E_FILE'),
    )
  })

  it('writes any content as it comes, in whatever pieces, with holes for zeros', () => {
    restoring.folder('target')
    const run = fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 1, max: 9000 }))
    const cuts = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(run, { maxLength: 6 }), cuts, (runs, lengths) => {
        const content = Buffer.concat(runs.map(([byte, length]) => Buffer.alloc(length, byte)))
        const fd = fs.openSync(targetAt('f'), 'w')
        const writer = new SparseWriter(fd, content.length)
        for (let at = 0, i = 0; at < content.length; i++) {
          const end = at + lengths[i % lengths.length]
          writer.write(content.subarray(at, end))
          at = end
        }
        writer.end()
        fs.closeSync(fd)
        assert.ok(fs.readFileSync(targetAt('f')).equals(content))
      }),
    )
  })
})

function canMount(): boolean {
  const folder = fs.mkdtempSync('/tmp/grid-mount-')
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'none', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    fs.rmdirSync(folder)
  }
}
