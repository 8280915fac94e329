/** A tree of what file systems allow, and a description of one by other code than ours. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { utf8 } from '../../src/base/bytes.ts'
import { abilities, acl, capability, native, type Scratch } from './scratch.ts'

/** Names that are text nowhere but here: each byte a letter. */
export const awkwardNames: Buffer[] = [
  'plain',
  ' leading and trailing ',
  'new\nline',
  'escape\x1b[31m',
  '\xff\xfe no UTF-8',
  '\xe2\x80\xae turned',
  '-rf',
  '..x',
  '...',
  '__proto__',
  'constructor',
  'back\\slash',
  'quote"\'`$(x)',
  '*?[a]',
  'n'.repeat(255),
].map((name) => Buffer.from(name, 'latin1'))

export function makeAwkwardTree(scratch: Scratch, name: string): string {
  const root = scratch.folder(name)
  for (const each of awkwardNames) fs.writeFileSync(inside(root, each), `content of ${each.length}`)
  scratch.file(`${name}/empty`, '')
  scratch.folder(name, 'empty folder')
  scratch.folder(name, 'deep', 'a', 'b', 'c')
  scratch.file(`${name}/deep/a/b/c/file`)
  fs.linkSync(`${root}/plain`, `${root}/deep/link of plain`)
  fs.linkSync(`${root}/plain`, `${root}/another link`)
  fs.symlinkSync('plain', `${root}/symbolic`)
  fs.symlinkSync('/nowhere/at all', `${root}/dangling`)
  fs.symlinkSync(Buffer.from('\xff\xfe', 'latin1'), `${root}/symbolic bytes`)
  makeSparse(`${root}/sparse`)
  fs.chmodSync(`${root}/empty`, 0o444)
  fs.chmodSync(`${root}/deep/a`, 0o555)
  if (native !== undefined) decorate(root)
  setTimes(root)
  return root
}

function makeSparse(path: string): void {
  const fd = fs.openSync(path, 'w')
  fs.writeSync(fd, 'begin', 0)
  fs.writeSync(fd, 'middle', 3 * 2 ** 20 + 17)
  fs.ftruncateSync(fd, 8 * 2 ** 20)
  fs.closeSync(fd)
}

function decorate(root: string): void {
  const calls = native!
  calls.makeNode(utf8(`${root}/fifo`), 0o010640, { major: 0, minor: 0 })
  if (abilities.devices) {
    calls.makeNode(utf8(`${root}/null`), 0o020666, { major: 1, minor: 3 })
    calls.makeNode(utf8(`${root}/disk`), 0o060600, { major: 259, minor: 70_000 })
  }
  if (abilities.root) {
    fs.chownSync(`${root}/deep`, 1234, 5678)
    fs.lchownSync(`${root}/symbolic`, 4321, 8765)
    fs.writeFileSync(`${root}/set-id`, 'x')
    fs.chownSync(`${root}/set-id`, 1, 2)
    fs.chmodSync(`${root}/set-id`, 0o6755)
    fs.chmodSync(`${root}/empty folder`, 0o3777)
  }
  if (abilities.userXattrs) {
    calls.writeXattr(utf8(`${root}/plain`), utf8('user.z'), utf8('last'))
    calls.writeXattr(utf8(`${root}/plain`), utf8('user.a'), new Uint8Array(0))
    calls.writeXattr(utf8(`${root}/deep`), utf8('user.bytes'), Uint8Array.of(0, 255, 10))
  }
  if (abilities.acls) calls.writeXattr(utf8(`${root}/...`), utf8('system.posix_acl_access'), acl)
  if (abilities.capabilities)
    calls.writeXattr(utf8(`${root}/-rf`), utf8('security.capability'), capability)
}

/** Of everything, to the nanosecond, what is deep first; some before 1970. */
function setTimes(at: string | Buffer, depth = 0): void {
  const path = Buffer.from(at)
  if (fs.lstatSync(path).isDirectory()) {
    for (const name of fs.readdirSync(path, { encoding: 'buffer' }))
      setTimes(inside(path, name), depth + 1)
  }
  const nanoseconds = 123_456_001 + path.length
  native?.setMtime(new Uint8Array(path), {
    seconds: depth === 2 ? -86_401 : 1_700_000_000,
    nanoseconds,
  })
}

export function inside(folder: string | Buffer, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), name])
}

/** For Python 3: lists the tree at its argument. */
export const listingScript = `
import os, stat, sys, hashlib
root = os.fsencode(sys.argv[1])
links = {}
def show(path, shown):
    s = os.lstat(path)
    x = sorted((n, os.getxattr(path, n, follow_symlinks=False).hex()) for n in os.listxattr(path, follow_symlinks=False))
    line = [shown, oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns, x]
    if stat.S_ISREG(s.st_mode):
        with open(path, 'rb') as f: line += [s.st_size, hashlib.sha256(f.read()).hexdigest()]
    if stat.S_ISLNK(s.st_mode): line.append(os.readlink(path))
    if stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode): line += [os.major(s.st_rdev), os.minor(s.st_rdev)]
    if not stat.S_ISDIR(s.st_mode) and s.st_nlink > 1: line.append(('same as', links.setdefault((s.st_dev, s.st_ino), shown)))
    print(line)
    if stat.S_ISDIR(s.st_mode):
        for name in sorted(os.listdir(path)): show(path + b'/' + name, shown + b'/' + name)
show(root, b'')
`

/** A line for each name, by Python. */
export function describeTree(root: string): string[] {
  return execFileSync('python3', ['-c', listingScript, root], { encoding: 'utf8' })
    .trim()
    .split('\n')
}
