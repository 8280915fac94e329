import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import { describe, it } from 'mocha'
import { compareBytes, utf8 } from '../../src/base/bytes.ts'
import { isGridError } from '../../src/base/errors.ts'
import { cacheMark, parseMark } from '../../src/local/directory-mark.ts'
import { escapedName } from '../../src/local/escaped-name.ts'
import { formatFingerprint, sameFingerprint } from '../../src/local/fingerprint.ts'
import { dataRuns } from '../../src/local/local-file.ts'
import { type LocalEntry, maxXattrsBytes } from '../../src/local/local-entry.ts'
import { LocalTree, type LocalTreeOptions } from '../../src/local/local-tree.ts'
import type { NativeCalls } from '../../src/local/native.ts'
import { OpenDirectory } from '../../src/local/open-directory.ts'
import { listing } from '../../src/local/path-list.ts'
import { parsePattern } from '../../src/local/pattern.ts'
import { excluding, including } from '../../src/local/selection.ts'
import { awkwardNames, inside } from './awkward.ts'
import { abilities, native, Notices, openDescriptors, Scratch } from './scratch.ts'

describe('LocalTree', () => {
  const scratch = new Scratch().hooks()
  let notices: Notices

  beforeEach(() => {
    notices = new Notices()
  })

  function treeOf(options: Partial<LocalTreeOptions> = {}): LocalTree {
    return new LocalTree(scratch.path, { report: notices.report, native, ...options })
  }

  /** `path` of an entry, `path/` where a directory begins, `-path` where it ends. */
  function walk(options: Partial<LocalTreeOptions> = {}): string[] {
    return Array.from(treeOf(options).walk(), ({ step, entry }) => {
      const shown = escapedName(entry.path)
      return step === 'entry' ? shown : step === 'enter' ? `${shown}/` : `-${shown}`
    })
  }

  function entriesOf(options: Partial<LocalTreeOptions> = {}): Map<string, LocalEntry> {
    const found = new Map<string, LocalEntry>()
    for (const { entry } of treeOf(options).walk()) found.set(escapedName(entry.path), entry)
    return found
  }

  it('gives files and directories together in order of bytes', () => {
    for (const name of ['b', 'a/z', 'a/B', 'a.b', 'a0', 'é', 'Z']) scratch.file(name)
    assert.deepEqual(walk(), [...['/', 'Z', 'a/', 'a/B', 'a/z', '-a', 'a.b', 'a0', 'b', 'é', '-']])
  })

  it('keeps every name to the byte', () => {
    for (const name of awkwardNames) fs.writeFileSync(inside(scratch.path, name), '')
    const found = [...treeOf().walk()].slice(1, -1).map(({ entry }) => Buffer.from(entry.name))
    assert.deepEqual(found, [...awkwardNames].sort(compareBytes))
  })

  it('is the same for a wide directory, which is listed in parts', function () {
    this.timeout(60_000)
    const name = (i: number): string => `${'long name '.repeat(20)}${i}`
    const count = 5000
    for (let i = 0; i < count; i++) scratch.file(`wide/${name(i)}`, '')
    assert.ok(fs.statSync(scratch.at('wide')).size > 2 ** 20 || process.platform !== 'linux')
    const found = [...entriesOf().values()].filter(({ kind }) => kind === 'file')
    const names = Array.from({ length: count }, (_, i) => utf8(name(i))).sort(compareBytes)
    assert.deepEqual(
      found.map((entry) => Buffer.from(entry.name)),
      names.map((each) => Buffer.from(each)),
    )
  })

  it('gives a fingerprint that tells any change', () => {
    const path = scratch.file('a', 'x')
    const before = entriesOf().get('a')!
    assert.ok(sameFingerprint(before.fingerprint, entriesOf().get('a')!.fingerprint))
    const { mtime, atime } = fs.statSync(path)
    fs.writeFileSync(path, 'y')
    fs.utimesSync(path, atime, mtime)
    const after = entriesOf().get('a')!
    assert.ok(!sameFingerprint(before.fingerprint, after.fingerprint))
    assert.notDeepEqual(formatFingerprint(before.stats), formatFingerprint(after.stats))
  })

  it('packs a fingerprint alike from the adapter and from Node', () => {
    scratch.file('a', 'x')
    fs.utimesSync(scratch.at('a'), -5, -5.25)
    const { stats } = entriesOf().get('a')!
    const plain = fs.lstatSync(scratch.at('a'), { bigint: true })
    assert.deepEqual(formatFingerprint(stats), formatFingerprint(plain))
    const view = new DataView(formatFingerprint(plain).buffer)
    assert.equal(view.getBigUint64(0, true), plain.ino)
    assert.equal(view.getUint32(20, true), Number(plain.ctimeNs % 1_000_000_000n))
  })

  it('sees the same with the adapter and without', () => {
    scratch.file('a/file')
    fs.symlinkSync('x', scratch.at('link'))
    if (abilities.devices)
      native?.makeNode(utf8(scratch.at('d')), 0o060644, { major: 4095, minor: 2 ** 20 - 1 })
    const show = ({ kind, fingerprint, stats }: LocalEntry): unknown[] => {
      const { mode, uid, gid, nlink, rdev } = stats
      return [kind, fingerprint, mode, uid, gid, nlink, rdev]
    }
    const seen = (options: Partial<LocalTreeOptions>): unknown[] =>
      [...entriesOf(options).values()].map(show)
    assert.deepEqual(seen({ native: undefined }), seen({}))
  })

  it('numbers files of several names by the path of the first, wherever else files are', () => {
    scratch.file('m')
    fs.linkSync(scratch.at('m'), scratch.at('n'))
    scratch.folder('z')
    fs.linkSync(scratch.at('m'), scratch.at('z', 'o'))
    scratch.file('x')
    const before = entriesOf()
    const number = before.get('m')!.hardLink
    assert.ok(Number.isSafeInteger(number))
    for (const path of ['n', 'z/o']) assert.equal(before.get(path)!.hardLink, number)
    assert.equal(before.get('x')!.hardLink, undefined)
    scratch.file('a')
    fs.linkSync(scratch.at('a'), scratch.at('b'))
    const after = entriesOf()
    assert.equal(after.get('n')!.hardLink, number)
    assert.notEqual(after.get('b')!.hardLink, number)
  })

  it('reports a socket, and goes on', async () => {
    scratch.file('z')
    const server = net.createServer().listen(scratch.at('socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    assert.deepEqual(walk(), ['/', 'z', '-'])
    assert.deepEqual(notices.lines, ['socket socket'])
    await new Promise((resolve) => server.close(resolve))
  })

  it('reports what goes away or cannot be opened, and goes on', () => {
    for (const name of ['a', 'b/x', 'c/x', 'd']) scratch.file(name)
    const paths: string[] = []
    for (const { entry } of treeOf().walk()) {
      paths.push(escapedName(entry.path))
      if (paths.length !== 1) continue
      fs.rmSync(scratch.at('a'))
      fs.rmSync(scratch.at('b'), { recursive: true })
    }
    assert.deepEqual(paths, ['', 'c', 'c/x', 'c', 'd', ''])
    assert.deepEqual(notices.lines, ['vanished a', 'vanished b'])
  })

  it('goes into no link that has taken the place of a directory', () => {
    scratch.file('outside/secret')
    scratch.file('root/a/file')
    scratch.file('root/b/file')
    const tree = new LocalTree(scratch.at('root'), { report: notices.report, native })
    const paths: string[] = []
    for (const { entry } of tree.walk()) {
      paths.push(escapedName(entry.path))
      if (paths.length !== 2) continue
      fs.renameSync(scratch.at('root', 'a'), scratch.at('moved'))
      fs.symlinkSync(scratch.at('outside'), scratch.at('root', 'a'))
    }
    assert.deepEqual(paths, ['', 'a', 'a/file', 'a', 'b', 'b/file', 'b', ''])
  })

  it('goes as deep as it is told, and reports the rest', () => {
    scratch.file('1/2/3/4/file')
    assert.deepEqual(walk({ maxDepth: 2 }), ['/', '1/', '1/2/', '-1/2', '-1', '-'])
    assert.deepEqual(notices.lines, ['too-deep 1/2/3'])
  })

  it('reads paths longer than the system takes at once', () => {
    let at = fs.openSync(scratch.path, fs.constants.O_DIRECTORY)
    for (let i = 0; i < 30; i++) {
      const below = `/proc/self/fd/${at}/${'d'.repeat(200)}`
      fs.mkdirSync(below)
      const next = fs.openSync(below, fs.constants.O_DIRECTORY)
      fs.closeSync(at)
      at = next
    }
    fs.writeFileSync(`/proc/self/fd/${at}/file`, 'deep')
    fs.closeSync(at)
    const last = [...entriesOf().values()].find(({ kind }) => kind === 'file')
    assert.equal(last?.path.length, 30 * 201 + 4)
    assert.deepEqual(notices.all, [])
  })

  it('closes what it opened, also when it is left early', () => {
    scratch.file('a/b/c')
    const before = openDescriptors()
    for (const { entry } of treeOf().walk()) if (entry.kind === 'file') break
    assert.equal(openDescriptors(), before)
    walk()
    assert.equal(openDescriptors(), before)
    assert.throws(() => [...new LocalTree(scratch.at('none'), { report: notices.report }).walk()])
    assert.equal(openDescriptors(), before)
  })

  it('says once that extended attributes cannot be seen', () => {
    scratch.file('a')
    walk({ native: undefined })
    assert.deepEqual(notices.lines, ['xattrs-unseen '])
  })

  it('leaves out attributes that no entry can hold', () => {
    scratch.file('a')
    const large = {
      look: (_, name) => OpenDirectory.at(scratch.path).look(name),
      listXattrs: () => [utf8('user.large')],
      readXattr: () => new Uint8Array(maxXattrsBytes),
    } as Partial<NativeCalls> as NativeCalls
    const tree = treeOf({ native: large })
    for (const { step, entry } of tree.walk())
      if (step === 'entry') assert.equal(tree.describe(entry).meta.xattrs, undefined)
    assert.deepEqual(notices.lines, ['xattrs-too-large a'])
  })

  it('reports what the system refuses to show, and goes on', () => {
    for (const name of ['a', 'b', 'c']) scratch.file(name)
    const refusing = {
      look: (_, name) => {
        if (name[0] === 0x62) throw Object.assign(new Error('no'), { code: 'EACCES' })
        const directory = OpenDirectory.at(scratch.path)
        try {
          return directory.look(name)
        } finally {
          directory.close()
        }
      },
    } as Partial<NativeCalls> as NativeCalls
    assert.deepEqual(walk({ native: refusing }), ['/', 'a', 'c', '-'])
    assert.deepEqual(
      notices.all.map(({ code, detail }) => [code, detail]),
      [['unreadable', 'EACCES']],
    )
  })

  it('opens the very file it came to, and tells whether it changed', () => {
    scratch.file('a', 'content')
    scratch.file('b', 'content')
    const tree = treeOf()
    for (const { step, entry } of tree.walk()) {
      if (step !== 'entry') continue
      const path = scratch.at(escapedName(entry.path))
      if (entry.path[0] === 0x61) {
        const file = tree.open(entry)
        assert.equal(file.changed(), false)
        fs.appendFileSync(path, '!')
        assert.equal(file.changed(), true)
        file.close()
      } else {
        fs.renameSync(path, `${path}2`)
        fs.writeFileSync(path, 'content')
        assert.throws(
          () => tree.open(entry),
          (error) => isGridError(error, 'E_FILE_CHANGED'),
        )
      }
    }
  })

  it(`tells where a file has data${native === undefined ? ' [NOT TESTED HERE: no adapter]' : ''}`, () => {
    const fd = fs.openSync(scratch.at('a'), 'w')
    fs.writeSync(fd, 'x', 2 ** 20)
    fs.ftruncateSync(fd, 2 ** 22)
    fs.closeSync(fd)
    const tree = treeOf()
    for (const { step, entry } of tree.walk()) {
      if (step !== 'entry') continue
      const file = tree.open(entry)
      assert.deepEqual([...dataRuns(file, undefined)], [{ start: 0, end: 2 ** 22 }])
      const [run, ...others] = [...dataRuns(file, native)]
      assert.deepEqual(others, [])
      if (native !== undefined)
        assert.ok(run.start <= 2 ** 20 && run.end > 2 ** 20 && run.end < 2 ** 21)
      file.close()
    }
  })

  describe('with a selection', () => {
    it('does not go where nothing is taken', () => {
      for (const name of ['a/x', 'a/y', 'b/x', 'c']) scratch.file(name)
      const selection = excluding([parsePattern('a'), parsePattern('!a/y')])
      assert.deepEqual(walk({ selection }), ['/', 'b/', 'b/x', '-b', 'c', '-'])
    })

    it('enters a directory for what is included below it, and no other', () => {
      for (const name of ['a/b/x.c', 'a/b/y', 'a/c/y', 'd/y']) scratch.file(name)
      const selection = including([parsePattern('*.c')])
      assert.deepEqual(walk({ selection }), ['/', 'a/', 'a/b/', 'a/b/x.c', '-a/b', '-a', '-'])
    })

    it('describes a directory that was passed before something in it was taken', () => {
      scratch.file('a/b/x')
      fs.chmodSync(scratch.at('a'), 0o751)
      fs.chmodSync(scratch.at('a/b'), 0o710)
      const tree = treeOf({ selection: listing([utf8('a/b/x')]) })
      const modes = [...tree.walk()].length
      assert.equal(modes, 7)
      const again = treeOf({ selection: listing([utf8('a/b/x')]) })
      const seen: [string, number][] = []
      for (const { step, entry } of again.walk())
        if (step === 'enter') seen.push([escapedName(entry.path), again.describe(entry).mode])
      assert.deepEqual(seen.slice(1), [
        ['a', 0o751],
        ['a/b', 0o710],
      ])
    })

    it('keeps of a marked directory the mark', () => {
      scratch.file('cache/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc55\n# x')
      scratch.file('cache/a')
      scratch.file('cache/z')
      scratch.file('no/CACHEDIR.TAG', 'Signature: 8a477f597d28d172789f06886806bc56')
      scratch.file('no/a')
      scratch.file('mine/.nobackup', '')
      scratch.file('mine/a')
      scratch.folder('folder', '.nobackup')
      assert.deepEqual(walk({ marks: [cacheMark, parseMark('.nobackup')] }), [
        ...['/', 'cache/', 'cache/CACHEDIR.TAG', '-cache', 'folder/', 'folder/.nobackup/'],
        ...['-folder/.nobackup', '-folder', 'mine/', 'mine/.nobackup', '-mine'],
        ...['no/', 'no/CACHEDIR.TAG', 'no/a', '-no', '-'],
      ])
    })

    it('reads a mark with a header, and refuses one that is no name', () => {
      assert.deepEqual(parseMark('x:head:er'), { name: utf8('x'), header: utf8('head:er') })
      for (const text of ['', ':x', 'a/b', '..'])
        assert.throws(
          () => parseMark(text),
          (error) => isGridError(error, 'E_USAGE'),
        )
    })

    const devices = ['/dev', '/dev/shm'].map(
      (path) => fs.statSync(path, { throwIfNoEntry: false })?.dev,
    )
    const apart = devices[0] !== devices[1] && devices[1] !== undefined
    it(`stays on one file system${apart ? '' : ' [NOT TESTED HERE: /dev/shm is none of its own]'}`, () => {
      if (!apart) return
      const inside = fs.mkdtempSync('/dev/shm/grid-local-')
      try {
        const tree = new LocalTree('/dev', { report: notices.report, native, oneFileSystem: true })
        const paths = Array.from(tree.walk(), ({ entry }) => escapedName(entry.path))
        assert.ok(paths.includes('shm'))
        assert.ok(paths.includes('null'))
        assert.ok(!paths.some((path) => path.startsWith('shm/')))
      } finally {
        fs.rmdirSync(inside)
      }
    })
  })
})
