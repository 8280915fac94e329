/** Folders of this machine for tests to work in, and what the machine allows there. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { compareBytes, utf8 } from '../../src/base/bytes.ts'
import { escapedName } from '../../src/local/escaped-name.ts'
import { loadNative, type NativeCalls } from '../../src/local/native.ts'
import type { Notice, Report } from '../../src/local/notice.ts'

/** Undefined only where the package or the system has none: the suites say so in their titles. */
export const native: NativeCalls | undefined = await loadNative()

/** A folder of its own, made before each test and removed behind it. */
export class Scratch {
  path = ''

  /** To be called in a `describe`. */
  hooks(): this {
    beforeEach(() => {
      this.path = fs.mkdtempSync(path.join(os.tmpdir(), 'grid-local-'))
      this.begin()
    })
    afterEach(() => {
      try {
        this.end()
      } finally {
        // Node's own removal stops at paths that are too long
        if (process.getuid?.() !== 0) execFileSync('chmod', ['-R', 'u+rwX', this.path])
        execFileSync('rm', ['-rf', this.path])
      }
    })
    return this
  }

  /** What else belongs before and behind each test. */
  protected begin(): void {}
  protected end(): void {}

  at(...names: string[]): string {
    return path.join(this.path, ...names)
  }

  folder(...names: string[]): string {
    const at = this.at(...names)
    fs.mkdirSync(at, { recursive: true })
    return at
  }

  file(name: string, content: string | Uint8Array = name): string {
    const at = this.at(name)
    fs.mkdirSync(path.dirname(at), { recursive: true })
    fs.writeFileSync(at, content)
    return at
  }
}

/** What of a machine a test may need; each is tried, not guessed. */
export interface Abilities {
  /** The optional package is there. */
  native: boolean
  root: boolean
  devices: boolean
  userXattrs: boolean
  acls: boolean
  capabilities: boolean
}

/** For the title of a test: nothing, or loudly what is not tested here. */
export function without(...needed: (keyof Abilities)[]): string {
  const missing = needed.filter((ability) => !abilities[ability])
  return missing.length === 0 ? '' : ` [NOT TESTED HERE: no ${missing.join(', no ')}]`
}

export const acl: Uint8Array = aclBytes()
export const capability: Uint8Array = Uint8Array.from([
  ...[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
])

export const abilities: Abilities = tryAbilities()

function tryAbilities(): Abilities {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grid-ability-'))
  const file = path.join(folder, 'f')
  fs.writeFileSync(file, '')
  const does = (work: () => void): boolean => {
    try {
      work()
      return true
    } catch {
      return false
    }
  }
  const sets = (name: string, value: Uint8Array): boolean =>
    native !== undefined && does(() => native.writeXattr(utf8(file), utf8(name), value))
  const found = {
    native: native !== undefined,
    root: process.getuid?.() === 0,
    devices:
      native !== undefined &&
      does(() => native.makeNode(utf8(`${folder}/d`), 0o020600, { major: 1, minor: 3 })),
    userXattrs: sets('user.test', utf8('v')),
    acls: sets('system.posix_acl_access', acl),
    capabilities: sets('security.capability', capability),
  }
  fs.rmSync(folder, { recursive: true })
  return found
}

/** u::rw-, u:1000:r--, g::r--, m::r--, o::r-- as Linux keeps it. */
function aclBytes(): Uint8Array {
  const entries = [
    [0x01, 6, 0xffffffff],
    [0x02, 4, 1000],
    [0x04, 4, 0xffffffff],
    [0x10, 4, 0xffffffff],
    [0x20, 4, 0xffffffff],
  ]
  const view = new DataView(new ArrayBuffer(4 + 8 * entries.length))
  view.setUint32(0, 2, true)
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    view.setUint16(4 + 8 * i, tag, true)
    view.setUint16(6 + 8 * i, permissions, true)
    view.setUint32(8 + 8 * i, id, true)
  }
  return new Uint8Array(view.buffer)
}

/** Notices as `code path` or `code path: detail`, in the order in which they came. */
export class Notices {
  readonly all: Notice[] = []
  readonly report: Report = (notice) => {
    this.all.push(notice)
  }

  get lines(): string[] {
    return this.all.map(({ code, path: at }) => `${code} ${escapedName(at)}`)
  }
}

/** A hash of everything below a folder: names, kinds, modes, owners, times, links, content. */
export function hashTree(folder: string): string {
  const hash = createHash('sha256')
  const visit = (at: Buffer): void => {
    const { mode, uid, gid, mtimeNs, nlink, size } = fs.lstatSync(at, { bigint: true })
    hash.update(`${at.toString('hex')} ${mode} ${uid} ${gid} ${mtimeNs} ${nlink} ${size}\n`)
    const kind = Number(mode) & 0o170000
    if (kind === 0o100000) hash.update(fs.readFileSync(at))
    if (kind === 0o120000) hash.update(fs.readlinkSync(at))
    if (kind !== 0o040000) return
    for (const name of fs.readdirSync(at, { encoding: 'buffer' }).sort(compareBytes))
      visit(Buffer.concat([at, Buffer.from('/'), name]))
  }
  visit(Buffer.from(folder))
  return hash.digest('hex')
}

/** Descriptors that this process holds open. */
export function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length
}
