/** What whoever wrote a snapshot may try against whoever restores it; a canary stands beside each target. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, it } from 'mocha'
import { compareBytes, utf8 } from '../../src/base/bytes.ts'
import type { EntryFacts } from '../../src/local/facts.ts'
import { escapedName } from '../../src/local/escaped-name.ts'
import { homeGuard } from '../../src/local/startup-guard.ts'
import type { TargetDirectory } from '../../src/local/target-directory.ts'
import { contentOf, fileFacts, folderFacts, linkFacts, Restoring } from '../local/restoring.ts'
import { abilities, native, without } from '../local/scratch.ts'

const evil = contentOf('evil')
const good = contentOf('good')

function evilFile(name: string | Uint8Array, more: Partial<EntryFacts> = {}): EntryFacts {
  return fileFacts(name, 'evil', more)
}

/** What is left after a collection. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

describe('a hostile snapshot', () => {
  const restoring = new Restoring().hooks()
  const outside = (): string => restoring.at('canary')

  async function placeGood(root: TargetDirectory): Promise<void> {
    assert.equal(await root.place(fileFacts('~good', 'good'), good), 'made')
    root.finish(folderFacts(''))
    assert.equal(restoring.read('~good'), 'good')
  }

  for (const name of ['../canary/x', '/etc/grid-was-here', 'a/../../canary/x']) {
    it(`restore 1, 2, 3: a name that is a path is refused, and the rest restored: ${name}`, async () => {
      const root = restoring.open({ overwrite: 'always' })
      assert.equal(await root.place(evilFile(name), evil), 'refused')
      assert.equal(root.directory(folderFacts(name)), undefined)
      await placeGood(root)
      assert.deepEqual(restoring.notices.lines, [`name ${name}`, `name ${name}`])
      assert.deepEqual(restoring.names(), ['~good'])
    })
  }

  it('restore 1: the names . and .. are refused', async () => {
    const root = restoring.open()
    for (const name of ['.', '..']) {
      assert.equal(await root.place(evilFile(name), evil), 'refused')
      assert.equal(root.directory(folderFacts(name)), undefined)
    }
    await placeGood(root)
  })

  it('restore 4: nothing is written through a link that the snapshot made itself', async () => {
    for (const overwrite of ['never', 'newer', 'always'] as const) {
      const root = restoring.open({ overwrite })
      await root.place(linkFacts('d', outside()), evil)
      // the same name once more, as a directory: out of order
      assert.equal(root.directory(folderFacts('d')), undefined)
      root.finish()
      // and in a second snapshot, where it comes first
      const again = restoring.open({ overwrite })
      const below = again.directory(folderFacts('d'))
      await below?.place(evilFile('secret'), evil)
      below?.finish(folderFacts('d'))
      again.finish()
      restoring.checkCanary()
    }
    assert.ok(restoring.notices.lines.includes('order d'))
    assert.ok(restoring.notices.lines.includes('link-in-the-way d'))
    assert.ok(fs.lstatSync(restoring.at('target', 'd')).isDirectory())
  })

  it('restore 5: a chain of two links and a hard link lead nowhere', async () => {
    const root = restoring.open({ overwrite: 'always' })
    await root.place(linkFacts('a', '..'), evil)
    await root.place(linkFacts('b', 'a/canary'), evil)
    const shared = { meta: { hardLink: 1 } }
    await root.place({ ...linkFacts('c', 'b/secret'), ...shared }, evil)
    await root.place(evilFile('d', shared), evil)
    await root.place(evilFile('e', shared), evil)
    await placeGood(root)
    assert.ok(fs.lstatSync(restoring.at('target', 'd')).isFile())
    assert.deepEqual(restoring.notices.lines, ['hard-link-not-kept d', 'hard-link-not-kept e'])
  })

  it('restore 6: a hard link goes to what this restore made, or to nothing', async () => {
    fs.mkdirSync(restoring.at('target'))
    const root = restoring.open({ overwrite: 'always' })
    const shared = { meta: { hardLink: 7 } }
    const below = root.directory(folderFacts('a'))!
    assert.equal(await below.place(evilFile('secret', shared), evil), 'made')
    below.finish(folderFacts('a'))
    // someone puts a link in the place of the directory, and one in the place of the file
    fs.renameSync(restoring.at('target', 'a'), restoring.at('moved'))
    fs.symlinkSync(outside(), restoring.at('target', 'a'))
    assert.equal(await root.place(evilFile('b', shared), evil), 'made')
    assert.equal(fs.lstatSync(restoring.at('target', 'b')).nlink, 1)
    assert.deepEqual(restoring.notices.lines, ['hard-link-not-kept b'])
    root.finish()
  })

  it('restore 6: a file that was swapped for another one since is not linked to', async () => {
    const root = restoring.open()
    const shared = { meta: { hardLink: 7 } }
    assert.equal(await root.place(evilFile('a', shared), evil), 'made')
    fs.rmSync(restoring.at('target', 'a'))
    fs.linkSync(restoring.at('canary', 'secret'), restoring.at('target', 'a'))
    restoring.rememberCanary()
    assert.equal(await root.place(evilFile('b', shared), evil), 'made')
    root.finish()
    assert.equal(restoring.read('b'), 'evil')
    assert.deepEqual(restoring.notices.lines, ['hard-link-not-kept b'])
  })

  it('restore 6: a file in the target that is linked to one outside is replaced, not written to', async () => {
    fs.mkdirSync(restoring.at('target'))
    fs.linkSync(restoring.at('canary', 'secret'), restoring.at('target', 'secret'))
    restoring.rememberCanary()
    const root = restoring.open({ overwrite: 'always' })
    const { size, mtimeNs } = fs.statSync(restoring.at('canary', 'secret'), { bigint: true })
    const mtime = {
      seconds: Number(mtimeNs / 1_000_000_000n),
      nanoseconds: Number(mtimeNs % 1_000_000_000n),
    }
    const same = evilFile('secret', { mtime, sizeBytes: Number(size), mode: 0o777 })
    assert.equal(await root.place(same, evil), 'finished')
    root.finish()
    restoring.checkCanary()
    const next = restoring.open({ overwrite: 'always' })
    assert.equal(await next.place(evilFile('secret'), evil), 'replaced')
    next.finish()
    assert.equal(restoring.read('secret'), 'evil')
    assert.equal(fs.readFileSync(restoring.at('canary', 'secret'), 'utf8'), 'do not touch')
    fs.rmSync(restoring.at('target', 'secret'))
    fs.linkSync(restoring.at('canary', 'secret'), restoring.at('target', 'secret'))
  })

  for (const overwrite of ['never', 'newer', 'always'] as const) {
    it(`restore 7: a link that stands in the target is never followed, ${overwrite} to be overwritten`, async () => {
      fs.mkdirSync(restoring.at('target'))
      fs.symlinkSync(outside(), restoring.at('target', 'folder'))
      fs.symlinkSync(restoring.at('canary', 'secret'), restoring.at('target', 'secret'))
      const root = restoring.open({ overwrite, delete: true })
      const below = root.directory(folderFacts('folder'))
      assert.equal(below === undefined, overwrite !== 'always')
      await below?.place(evilFile('secret'), evil)
      below?.finish(folderFacts('folder'))
      const outcome = await root.place(evilFile('secret', { mode: 0o777 }), evil)
      assert.equal(outcome, overwrite === 'always' ? 'replaced' : 'kept')
      await placeGood(root)
      restoring.checkCanary()
    })
  }

  it('restore 8: a directory that becomes a link meanwhile is not gone through', async () => {
    const root = restoring.open({ overwrite: 'always' })
    const a = root.directory(folderFacts('a'))!
    const b = a.directory(folderFacts('b'))!
    assert.equal(await b.place(evilFile('1'), evil), 'made')
    fs.renameSync(restoring.at('target', 'a'), restoring.at('target', 'z'))
    fs.symlinkSync(outside(), restoring.at('target', 'a'))
    assert.equal(await b.place(evilFile('2'), evil), 'made')
    b.finish(folderFacts('b', { mode: 0o700 }))
    a.finish(folderFacts('a', { mode: 0o700 }))
    await placeGood(root)
    assert.deepEqual(restoring.names(), ['a', 'z', 'z/b', 'z/b/1', 'z/b/2', '~good'])
  })

  it('restore 8: nothing more is written to a directory that was moved out of the target', async () => {
    const root = restoring.open({ overwrite: 'always', delete: true })
    const below = root.directory(folderFacts('a'))!
    fs.renameSync(restoring.at('target', 'a'), restoring.at('moved'))
    assert.equal(await below.place(evilFile('1'), evil), 'refused')
    assert.equal(below.directory(folderFacts('2')), undefined)
    below.finish(folderFacts('a'))
    await placeGood(root)
    assert.deepEqual(restoring.notices.lines, ['moved a/1', 'moved a/2', 'moved a'])
    assert.deepEqual(fs.readdirSync(restoring.at('moved')), [])
  })

  const specials: EntryFacts[] = [
    { ...evilFile('fifo'), kind: 'fifo', sizeBytes: 0 },
    {
      ...evilFile('mem'),
      kind: 'char-device',
      sizeBytes: 0,
      meta: { device: { major: 1, minor: 1 } },
    },
    {
      ...evilFile('vda'),
      kind: 'block-device',
      sizeBytes: 0,
      meta: { device: { major: 254, minor: 0 } },
    },
  ]

  it('restore 9: devices, fifos, set-id and sticky bits, owners and system attributes are left out', async () => {
    const root = restoring.open()
    const xattrs = ['security.capability', 'system.posix_acl_access', 'trusted.x'].map((name) => ({
      name: utf8(name),
      value: Uint8Array.of(1),
    }))
    for (const special of specials) assert.equal(await root.place(special, evil), 'refused')
    const meta = { uid: 12_345, gid: 54_321, xattrs }
    assert.equal(await root.place(evilFile('wuid', { mode: 0o7755, meta }), evil), 'made')
    const below = root.directory(folderFacts('xtmp', { mode: 0o3777 }))!
    below.finish(folderFacts('xtmp', { mode: 0o3777 }))
    await placeGood(root)
    assert.deepEqual(restoring.notices.lines, [
      ...['special fifo', 'special mem', 'special vda', 'owner-not-kept wuid'],
      ...['xattr-not-kept wuid', 'xattr-not-kept wuid', 'xattr-not-kept wuid'],
      ...['mode-not-kept wuid', 'mode-not-kept xtmp'],
    ])
    const { mode, uid } = fs.statSync(restoring.at('target', 'wuid'))
    assert.deepEqual([mode & 0o7777, uid], [0o755, process.getuid?.()])
    assert.equal(fs.statSync(restoring.at('target', 'xtmp')).mode & 0o7777, 0o777)
    assert.deepEqual(native?.listXattrs(utf8(restoring.at('target', 'wuid'))) ?? [], [])
  })

  it(`restore 9: from one’s own snapshot they come back${without('root', 'devices')}`, async () => {
    const root = restoring.open({ trusted: true, numericIds: true })
    if (abilities.devices) {
      for (const special of specials) assert.equal(await root.place(special, evil), 'made')
    }
    if (abilities.root) {
      const meta = { uid: 12_345, gid: 54_321 }
      await root.place(evilFile('wuid', { mode: 0o6755, meta }), evil)
      const { mode, uid, gid } = fs.statSync(restoring.at('target', 'wuid'))
      assert.deepEqual([mode & 0o7777, uid, gid], [0o6755, 12_345, 54_321])
    }
    await placeGood(root)
    assert.deepEqual(restoring.notices.lines, [])
  })

  it('restore 9: set-id bits go to no owner but the one that the entry names', async () => {
    const root = restoring.open({ trusted: true })
    // the number that tells the system to leave the owner as it is
    const meta = { uid: 2 ** 32 - 1, gid: 2 ** 32 - 1 }
    assert.equal(await root.place(evilFile('suid', { mode: 0o6755, meta }), evil), 'made')
    root.finish()
    assert.equal(fs.statSync(restoring.at('target', 'suid')).mode & 0o7777, 0o755)
    assert.deepEqual(restoring.notices.lines, ['owner-not-kept suid', 'mode-not-kept suid'])
  })

  const oddNames: [name: string, shown: string][] = [
    ['a\nb', 'a\\x0ab'],
    ['c\x1b]0;x\x07', 'c\\x1b]0;x\\x07'],
    ['d\u202etxt.exe', 'd\\xe2\\x80\\xaetxt.exe'],
    ['e\\x0a', 'e\\\\x0a'],
    ['f\xff\xfe', 'f\\xff\\xfe'],
    ['g'.repeat(255), 'g'.repeat(255)],
    ['h é 😀', 'h é 😀'],
  ]

  it('restore 10: bytes of names are kept, and shown escaped', async () => {
    const root = restoring.open()
    const raw = (name: string): Uint8Array =>
      new Uint8Array(name.startsWith('f') ? Buffer.from(name, 'latin1') : Buffer.from(name))
    for (const [name, shown] of oddNames) {
      assert.equal(await root.place(evilFile(raw(name)), evil), 'made')
      assert.equal(escapedName(raw(name)), shown)
    }
    root.finish()
    const found = fs.readdirSync(restoring.at('target'), { encoding: 'buffer' }).sort(compareBytes)
    assert.deepEqual(found, oddNames.map(([name]) => Buffer.from(raw(name))).sort(compareBytes))
  })

  it('restore 10: a name with a zero or a slash, or of more bytes than there may be, is refused', async () => {
    const root = restoring.open()
    for (const name of ['', 'a\0b', 'b/c', 'c'.repeat(1025)])
      assert.equal(await root.place(evilFile(name), evil), 'refused')
    assert.equal(await root.place(evilFile('d'.repeat(256)), evil), 'refused')
    await placeGood(root)
    assert.deepEqual(
      restoring.notices.all.map(({ code, detail }) => detail ?? code),
      ['name', 'name', 'name', 'name', 'ENAMETOOLONG'],
    )
  })

  it('restore 11: names that are one to the file system do not overwrite each other', async () => {
    const root = restoring.open({ foldsNames: true, overwrite: 'always' })
    const names = ['A', 'a', 'e\u0301', '\u00e9', '\u00c9']
    const outcomes = []
    for (const name of names) outcomes.push(await root.place(evilFile(name), evil))
    assert.deepEqual(outcomes, ['made', 'refused', 'made', 'refused', 'refused'])
    root.finish()
    assert.deepEqual(
      restoring.notices.all.map(({ code }) => code),
      ['collision', 'collision', 'order'],
    )
  })

  it('restore 11: names that Windows would change are refused there', async () => {
    const root = restoring.open({ windowsNames: true })
    for (const name of ['CON', 'aux.txt', 'com1', 'dot.', 'ends ', 'f:stream', 'nul', 'q?'].sort())
      assert.equal(await root.place(evilFile(name), evil), 'refused')
    assert.equal(await root.place(evilFile('~console'), evil), 'made')
    await placeGood(root)
  })

  it('restore 12: __proto__ and constructor are names like others', async () => {
    const root = restoring.open({ home: restoring.at('target'), foldsNames: true })
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const below = root.directory(folderFacts(name))!
      assert.equal(await below.place(evilFile('polluted'), evil), 'made')
      below.finish(folderFacts(name))
    }
    await placeGood(root)
    assert.equal(Object.getOwnPropertyDescriptor(Object.prototype, 'polluted'), undefined)
    assert.equal(restoring.read('__proto__/polluted'), 'evil')
  })

  it('restore 13: directories without end come to one at a depth of 255', async () => {
    const root = restoring.open()
    const open = [root]
    for (let next = root.directory(folderFacts('d')); next !== undefined;) {
      open.push(next)
      assert.ok(open.length < 1000)
      next = next.directory(folderFacts('d'))
    }
    assert.equal(open.length, 256)
    for (const directory of open.slice(1).reverse()) directory.finish(folderFacts('d'))
    await placeGood(root)
    assert.deepEqual(
      restoring.notices.all.map(({ code }) => code),
      ['too-deep'],
    )
  })

  it('restore 14: a file that claims more than there is ends where its bytes end', async () => {
    const root = restoring.open({ beyondFree: true })
    const huge = { sizeBytes: 10 * 2 ** 40 }
    assert.equal(await root.place(evilFile('a', huge), evil), 'refused')
    assert.equal(await root.place(evilFile('b', { sizeBytes: 3 }), evil), 'refused')
    assert.equal(await root.place(evilFile('c'), contentOf('ev', 'il', '!')), 'refused')
    await placeGood(root)
    assert.deepEqual(restoring.notices.lines, ['size a', 'size b', 'size c'])
    assert.deepEqual(restoring.names(), ['~good'])
  })

  it('restore 14: a file larger than all free space is not begun unless that is asked for', async () => {
    const root = restoring.open()
    let asked = false
    const content = (): AsyncIterable<Uint8Array> => {
      asked = true
      return evil()
    }
    assert.equal(await root.place(evilFile('a', { sizeBytes: 2 ** 52 }), content), 'refused')
    assert.equal(asked, false)
    await placeGood(root)
    assert.deepEqual(restoring.notices.lines, ['no-space a'])
  })

  it('restore 15: of a name that comes twice the first stands, and names must ascend', async () => {
    const root = restoring.open({ overwrite: 'always' })
    await root.place(fileFacts('b', 'good'), good)
    for (const name of ['b', 'a']) assert.equal(await root.place(evilFile(name), evil), 'refused')
    assert.equal(root.directory(folderFacts('b')), undefined)
    await placeGood(root)
    assert.deepEqual(restoring.notices.lines, ['order b', 'order a', 'order b'])
    assert.equal(restoring.read('b'), 'good')
  })

  it('restore 16: what is there stays unless it may be overwritten, and is whole at any moment', async () => {
    restoring.file('target/a', 'mine')
    const root = restoring.open()
    assert.equal(await root.place(evilFile('a'), evil), 'kept')
    root.finish()
    assert.deepEqual(restoring.notices.lines, ['exists a'])
    assert.equal(restoring.read('a'), 'mine')
    const next = restoring.open({ overwrite: 'always' })
    const seen: string[] = []
    const watched = async function* (): AsyncGenerator<Uint8Array, void> {
      yield utf8('ev')
      seen.push(restoring.read('a'))
      yield utf8('il')
    }
    assert.equal(await next.place(evilFile('a'), watched), 'replaced')
    next.finish()
    assert.deepEqual(seen, ['mine'])
    assert.equal(restoring.read('a'), 'evil')
    assert.deepEqual(restoring.names(), ['a'])
  })

  it('restore 16: a name that is taken while the content comes is not overwritten either', async () => {
    const root = restoring.open()
    const slow = async function* (): AsyncGenerator<Uint8Array, void> {
      yield utf8('ev')
      restoring.file('target/a', 'mine')
      yield utf8('il')
    }
    assert.equal(await root.place(evilFile('a'), slow), 'refused')
    await placeGood(root)
    assert.equal(restoring.read('a'), 'mine')
    assert.deepEqual(restoring.notices.lines, ['exists a'])
  })

  it('restore 17: what a login would run is not written to a home unless that is asked for', async () => {
    const home = restoring.folder('target')
    const root = restoring.open({ home })
    for (const name of Object.keys(homeGuard).sort()) {
      if (homeGuard[name] !== true) continue
      assert.equal(await root.place(evilFile(name), evil), 'refused')
    }
    root.finish()
    const folders = restoring.open({ home, overwrite: 'always' })
    const config = folders.directory(folderFacts('.config'))!
    assert.equal(config.directory(folderFacts('autostart')), undefined)
    assert.equal(config.directory(folderFacts('systemd')), undefined)
    config.finish(folderFacts('.config'))
    assert.equal(folders.directory(folderFacts('.ssh')), undefined)
    await placeGood(folders)
    assert.ok(restoring.notices.all.every(({ code }) => code === 'startup'))
    assert.deepEqual(restoring.names(), ['.config', '~good'])
    const consented = restoring.open({ home, startup: true })
    assert.equal(await consented.place(evilFile('.bashrc'), evil), 'made')
    consented.finish()
  })

  it('restore 17: a home is known wherever in the target it is', async () => {
    const home = restoring.folder('target', 'home', 'user')
    const root = restoring.open({ home })
    const above = root.directory(folderFacts('home'))!
    const user = above.directory(folderFacts('user'))!
    assert.equal(user.directory(folderFacts('.ssh')), undefined)
    const other = above.directory(folderFacts('zoe'))!
    assert.equal(await other.place(evilFile('.profile'), evil), 'made')
    for (const each of [other, user, above]) each.finish()
    await placeGood(root)
    assert.deepEqual(restoring.notices.lines, ['startup home/user/.ssh'])
  })

  it('restore 18: a directory of a million entries goes through in constant memory', async function () {
    this.timeout(120_000)
    const root = restoring.open({ dryRun: true })
    const used: number[] = []
    for (let i = 0; i < 1_000_000; i++) {
      const facts = evilFile(utf8(String(i).padStart(7, '0')))
      if ((await root.place(facts, evil)) !== 'made') assert.fail(`entry ${i}`)
      if (i % 250_000 === 249_999) used.push(heldBytes())
    }
    const growth = used[used.length - 1] - used[0]
    assert.ok(growth < 4 * 2 ** 20, `${growth} bytes more`)
    assert.deepEqual(fs.existsSync(restoring.at('target')), false)
  })
})
