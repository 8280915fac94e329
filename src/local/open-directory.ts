/**
 * A directory held open, and what can be done to names in it. Every call goes by the open
 * directory itself (`/proc/self/fd/N/name`), never by a path from the root, so that no link put in
 * the place of a directory above leads elsewhere, and no path is too long.
 *
 * Where there is no /proc, calls go by path, after a look whether it still leads here.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { isDiskError } from '../base/disk.ts'
import type { LocalStats } from './local-stats.ts'
import { NameList } from './name-list.ts'

export interface Identity {
  device: bigint
  inode: bigint
}

/** What another thread of this process needs to work in an open directory: plain data. */
export interface DirectoryHandle {
  fd: number
  identity: Identity
  /** Its path; undefined where calls go by the descriptor. */
  path: Uint8Array | undefined
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
/** Of a directory's own size: one call for all names is faster, and takes ten times their room. */
const listedAtOnceBytes = 2 ** 20
const namesAtATime = 1024
const slash = Uint8Array.of(0x2f)
const up = Uint8Array.of(0x2e, 0x2e)
const self = Uint8Array.of(0x2e)
const hasProc = existsSync('/proc/self/fd')

export class OpenDirectory {
  readonly fd: number
  readonly identity: Identity
  readonly #prefix: Buffer
  readonly #byPath: boolean
  #closed = false

  private constructor(fd: number, path: Buffer | undefined, identity?: Identity) {
    this.fd = fd
    this.identity = identity ?? identityOf(fstatSync(fd, { bigint: true }))
    this.#byPath = path !== undefined
    this.#prefix = path === undefined ? Buffer.from(`/proc/self/fd/${fd}/`) : join(path, slash)
  }

  /** A directory that somebody else holds open, and closes after all use of this. */
  static borrowed({ fd, identity, path }: DirectoryHandle): OpenDirectory {
    return new OpenDirectory(fd, path && Buffer.from(path), identity)
  }

  get handle(): DirectoryHandle {
    const path = this.#byPath ? new Uint8Array(this.#prefix.subarray(0, -1)) : undefined
    return { fd: this.fd, identity: this.identity, path }
  }

  /** Opens what `path` leads to, through links too: it is the user's own word. */
  static at(path: string | Uint8Array): OpenDirectory {
    const given = typeof path === 'string' ? path : Buffer.from(path)
    const fd = openSync(given, O_RDONLY | O_DIRECTORY)
    return new OpenDirectory(fd, hasProc ? undefined : realpathSync(given, { encoding: 'buffer' }))
  }

  /** Opens a directory in this one. Fails with ENOTDIR or ELOOP for a link. */
  open(name: Uint8Array): OpenDirectory {
    const path = this.#at(name)
    const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    return new OpenDirectory(fd, this.#byPath ? path : undefined)
  }

  /** The same directory once more, to be closed by itself. */
  reopen(): OpenDirectory {
    return this.open(self)
  }

  /** Once more does nothing: the number may be another's by then. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.fd)
  }

  /** For calls that are not made here; good until the directory is closed. */
  pathOf(name: Uint8Array): Uint8Array {
    return this.#at(name)
  }

  /** Of the directory itself. */
  stats(): LocalStats {
    return fstatSync(this.fd, { bigint: true })
  }

  /** Of a name, a link as such; undefined if there is none. */
  look(name: Uint8Array): LocalStats | undefined {
    return lstatSync(this.#at(name), { bigint: true, throwIfNoEntry: false })
  }

  /** Whether `parent` is still the directory that this one is in. */
  isIn(parent: Pick<OpenDirectory, 'identity'>): boolean {
    const above = lstatSync(this.#at(up), { bigint: true, throwIfNoEntry: false })
    return above !== undefined && sameIdentity(identityOf(above), parent.identity)
  }

  names(): NameList {
    const names = new NameList()
    if (this.stats().size <= listedAtOnceBytes) {
      for (const name of readdirSync(this.#at(self), { encoding: 'buffer' })) names.add(name)
      return names
    }
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: namesAtATime }
    const listing = opendirSync(this.#at(self), options)
    try {
      for (let found = listing.readSync(); found !== null; found = listing.readSync()) {
        names.add(found.name as unknown as Uint8Array)
      }
    } finally {
      listing.closeSync()
    }
    return names
  }

  readLink(name: Uint8Array): Uint8Array {
    return new Uint8Array(readlinkSync(this.#at(name), { encoding: 'buffer' }))
  }

  /** Opens a name, never through a link. The caller closes it. */
  openFile(name: Uint8Array, flags: number, mode?: number): number {
    return openSync(this.#at(name), flags | O_NOFOLLOW, mode)
  }

  makeDirectory(name: Uint8Array, mode: number): void {
    mkdirSync(this.#at(name), mode)
  }

  makeSymlink(name: Uint8Array, target: Uint8Array): void {
    symlinkSync(Buffer.from(target), this.#at(name))
  }

  /** Gives what has the name `from` in `source` the further name `name` here; fails with EEXIST. */
  link(source: OpenDirectory, from: Uint8Array, name: Uint8Array): void {
    linkSync(source.#at(from), this.#at(name))
  }

  /** Replaces what has the name `to`, but for a directory. */
  rename(from: Uint8Array, to: Uint8Array): void {
    renameSync(this.#at(from), this.#at(to))
  }

  unlink(name: Uint8Array): void {
    unlinkSync(this.#at(name))
  }

  /** As `unlink`, and content with there being none. */
  discard(name: Uint8Array): void {
    try {
      this.unlink(name)
    } catch (error) {
      if (!isDiskError(error, 'ENOENT')) throw error
    }
  }

  removeDirectory(name: Uint8Array): void {
    rmdirSync(this.#at(name))
  }

  #at(name: Uint8Array): Buffer {
    if (this.#closed) throw new RangeError('directory: closed')
    if (this.#byPath) this.#checkPath()
    return join(this.#prefix, name)
  }

  #checkPath(): void {
    const found = lstatSync(this.#prefix, { bigint: true, throwIfNoEntry: false })
    if (found !== undefined && sameIdentity(identityOf(found), this.identity)) return
    throw Object.assign(new Error('the directory was moved away'), { code: 'ESTALE' })
  }
}

export function identityOf({ dev, ino }: { dev: bigint; ino: bigint }): Identity {
  return { device: dev, inode: ino }
}

export function sameIdentity(a: Identity, b: Identity): boolean {
  return a.inode === b.inode && a.device === b.device
}

function join(prefix: Uint8Array, name: Uint8Array): Buffer {
  const path = Buffer.allocUnsafe(prefix.length + name.length)
  path.set(prefix)
  path.set(name, prefix.length)
  return path
}
