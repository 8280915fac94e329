/**
 * What a backup must keep of a tree of awkward files, a fact each: how it is made, and whether it
 * holds. What is looked at is looked at by other code than ours where Node has the call.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { utf8 } from '../../src/base/bytes.ts'
import { type Abilities, acl, capability, native } from '../local/scratch.ts'

export interface Column {
  name: string
  /** What the machine must allow for it. */
  needs: readonly (keyof Abilities)[]
  /** Makes it in the directory `root`. */
  make: (root: string) => void
  /** What there is of it in `root`: equal where it is kept. */
  seen: (root: string) => unknown
}

const odd = (name: string): Column['make'] => {
  return (root) => fs.writeFileSync(oddPath(root, name), name, 'latin1')
}
const oddSeen = (name: string): Column['seen'] => {
  return (root) => fs.readFileSync(oddPath(root, name), 'latin1')
}
const nanoseconds = (name: string): Column['seen'] => {
  return (root) => fs.lstatSync(path.join(root, name), { bigint: true }).mtimeNs
}
const xattr = (name: string, key: string): Column['seen'] => {
  const script = `import os, sys; print(os.getxattr(sys.argv[1], sys.argv[2], follow_symlinks=False).hex())`
  return (root) => execFileSync('python3', ['-c', script, path.join(root, name), key]).toString()
}
const writeXattr = (file: string, key: string, value: Uint8Array): void =>
  native!.writeXattr(utf8(file), utf8(key), value)
const setTime = (file: string, seconds: number): void =>
  native!.setMtime(utf8(file), { seconds, nanoseconds: 123_456_789 })

/** Names are letters of a byte each. */
function oddPath(root: string, name: string): Buffer {
  return Buffer.concat([utf8(`${root}/`), Buffer.from(name, 'latin1')])
}

const [large, sparseBytes] = [randomBytes(3 * 2 ** 20 + 7), 64 * 2 ** 20]
const badName = 'latin\xe9.txt'
const longName = '\xff'.repeat(255)
const escapes = 'bell\x07 and \x1b[31mred'

/** What is in the directories that a column makes; times come last, as making things changes them. */
export const columns: readonly Column[] = [
  {
    name: 'contents, small and large',
    needs: [],
    make: (root) => {
      fs.mkdirSync(`${root}/dir`)
      fs.writeFileSync(`${root}/dir/small`, 'in')
      fs.writeFileSync(`${root}/large`, large)
    },
    seen: (root) => [
      fs.readFileSync(`${root}/dir/small`, 'utf8'),
      fs.readFileSync(`${root}/large`).equals(large),
    ],
  },
  {
    name: 'empty files',
    needs: [],
    make: (root) => fs.writeFileSync(`${root}/empty`, ''),
    seen: (root) => fs.statSync(`${root}/empty`).size,
  },
  {
    name: 'empty directories, one in another',
    needs: [],
    make: (root) => void fs.mkdirSync(`${root}/none/none`, { recursive: true }),
    seen: (root) => [fs.readdirSync(`${root}/none`), fs.readdirSync(`${root}/none/none`)],
  },
  {
    name: 'symbolic links',
    needs: [],
    make: (root) => fs.symlinkSync('dir/small', `${root}/link`),
    seen: (root) => fs.readlinkSync(`${root}/link`),
  },
  {
    name: 'dangling links, to bytes that are no UTF-8',
    needs: [],
    make: (root) => fs.symlinkSync(Buffer.from('/no/\xff', 'latin1'), `${root}/dangling`),
    seen: (root) => fs.readlinkSync(`${root}/dangling`, 'latin1'),
  },
  {
    name: 'hard links across directories',
    needs: [],
    make: (root) => {
      for (const name of ['a', 'b']) fs.mkdirSync(`${root}/${name}`)
      fs.writeFileSync(`${root}/b/one`, 'linked')
      for (const name of ['a/two', 'three']) fs.linkSync(`${root}/b/one`, `${root}/${name}`)
    },
    seen: (root) => {
      const inodes = ['b/one', 'a/two', 'three'].map((name) => fs.statSync(`${root}/${name}`).ino)
      return [new Set(inodes).size, fs.statSync(`${root}/three`).nlink]
    },
  },
  {
    name: 'holes of sparse files',
    needs: [],
    make: (root) => {
      const fd = fs.openSync(`${root}/sparse`, 'w')
      fs.writeSync(fd, 'middle', 33 * 2 ** 20 + 5)
      fs.ftruncateSync(fd, sparseBytes)
      fs.closeSync(fd)
    },
    seen: (root) => {
      const { size, blocks } = fs.statSync(`${root}/sparse`)
      const middle = fs.readFileSync(`${root}/sparse`).indexOf('middle')
      return [size, blocks * 512 < 2 ** 18, middle]
    },
  },
  {
    name: 'fifos',
    needs: ['native'],
    make: (root) => native!.makeNode(utf8(`${root}/fifo`), 0o010640, { major: 0, minor: 0 }),
    seen: (root) => fs.lstatSync(`${root}/fifo`).mode,
  },
  {
    name: 'devices',
    needs: ['devices'],
    make: (root) => {
      native!.makeNode(utf8(`${root}/null`), 0o020666, { major: 1, minor: 3 })
      native!.makeNode(utf8(`${root}/disk`), 0o060600, { major: 259, minor: 70_000 })
    },
    seen: (root) =>
      ['null', 'disk'].map((name) => {
        const { mode, rdev } = fs.lstatSync(`${root}/${name}`)
        return [mode, rdev]
      }),
  },
  { name: 'names that are no UTF-8', needs: [], make: odd(badName), seen: oddSeen(badName) },
  { name: 'names with a newline', needs: [], make: odd('new\nline'), seen: oddSeen('new\nline') },
  { name: 'names with escapes', needs: [], make: odd(escapes), seen: oddSeen(escapes) },
  { name: 'names of 255 bytes', needs: [], make: odd(longName), seen: oddSeen(longName) },
  {
    name: 'owners',
    needs: ['root'],
    make: (root) => {
      fs.writeFileSync(`${root}/owned`, 'x')
      fs.chownSync(`${root}/owned`, 1234, 4321)
      fs.symlinkSync('owned', `${root}/owned link`)
      fs.lchownSync(`${root}/owned link`, 1235, 4322)
    },
    seen: (root) =>
      ['owned', 'owned link'].map((name) => {
        const { uid, gid } = fs.lstatSync(`${root}/${name}`)
        return [uid, gid]
      }),
  },
  {
    name: 'set-id bits',
    needs: ['root'],
    make: (root) => {
      fs.writeFileSync(`${root}/set-id`, 'x')
      fs.chownSync(`${root}/set-id`, 1, 2)
      fs.chmodSync(`${root}/set-id`, 0o6755)
    },
    seen: (root) => fs.statSync(`${root}/set-id`).mode,
  },
  {
    name: 'sticky directories',
    needs: [],
    make: (root) => {
      fs.mkdirSync(`${root}/sticky`)
      fs.chmodSync(`${root}/sticky`, 0o1777)
    },
    seen: (root) => fs.statSync(`${root}/sticky`).mode,
  },
  {
    name: 'extended attributes of files',
    needs: ['userXattrs'],
    make: (root) => writeXattr(`${root}/dir/small`, 'user.bytes', Uint8Array.of(0, 255, 10)),
    seen: xattr('dir/small', 'user.bytes'),
  },
  {
    name: 'extended attributes of directories',
    needs: ['userXattrs'],
    make: (root) => writeXattr(`${root}/none`, 'user.note', utf8('of a directory')),
    seen: xattr('none', 'user.note'),
  },
  {
    name: 'ACLs',
    needs: ['acls'],
    make: (root) => writeXattr(`${root}/empty`, 'system.posix_acl_access', acl),
    seen: xattr('empty', 'system.posix_acl_access'),
  },
  {
    name: 'default ACLs of directories, which those in them need not have',
    needs: ['acls'],
    make: (root) => {
      fs.mkdirSync(`${root}/default/before`, { recursive: true })
      writeXattr(`${root}/default`, 'system.posix_acl_default', acl)
    },
    seen: xattr('default', 'system.posix_acl_default'),
  },
  {
    name: 'capabilities of programs',
    needs: ['capabilities'],
    make: (root) => {
      fs.writeFileSync(`${root}/able`, 'a program')
      writeXattr(`${root}/able`, 'security.capability', capability)
    },
    seen: xattr('able', 'security.capability'),
  },
  {
    name: 'times of files to the nanosecond, before 1970 too',
    needs: ['native'],
    make: (root) => {
      setTime(`${root}/dir/small`, 1_614_924_307)
      setTime(`${root}/large`, -86_401)
    },
    seen: (root) => [nanoseconds('dir/small')(root), nanoseconds('large')(root)],
  },
  {
    name: 'times of links',
    needs: ['native'],
    make: (root) => setTime(`${root}/link`, 1_614_924_308),
    seen: nanoseconds('link'),
  },
  {
    name: 'times of directories',
    needs: ['native'],
    make: (root) => {
      setTime(`${root}/dir`, 1_614_924_309)
      setTime(root, -1)
    },
    seen: (root) => [nanoseconds('dir')(root), nanoseconds('.')(root)],
  },
]
