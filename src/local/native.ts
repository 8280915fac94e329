/**
 * The few calls of Linux that Node lacks, through one optional package (koffi). Whoever is given
 * no `NativeCalls` goes on without, and says what was not kept.
 *
 * A `path` never ends in a link that is followed. Failures are errors with the system's `code`.
 */
import { readFileSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import type { LibraryHandle } from 'koffi'
import { concat } from '../base/bytes.ts'
import type { Timestamp } from '../tree/entry.ts'
import { type DeviceNumber, joinDevice } from './device-number.ts'
import type { LocalStats } from './local-stats.ts'
import { StatxStats, statxBytes } from './statx-stats.ts'

export interface NativeCalls {
  /** As lstat, of a name in an open directory; undefined if there is none. Thrice as fast as Node's. */
  look(directory: number, name: Uint8Array): LocalStats | undefined
  /** Names of the extended attributes, in no order; none where the file system has no such thing. */
  listXattrs(at: number | Uint8Array): Uint8Array[]
  /** Undefined if there is none of that name. */
  readXattr(at: number | Uint8Array, name: Uint8Array): Uint8Array | undefined
  /** `at` is an open file or a path. */
  writeXattr(at: number | Uint8Array, name: Uint8Array, value: Uint8Array): void
  /** Sets the modification time to the nanosecond, and leaves the access time alone. */
  setMtime(at: number | Uint8Array, mtime: Timestamp): void
  /** Makes a fifo or a device; `mode` has the bits of its kind, and the process's mask applies. */
  makeNode(path: Uint8Array, mode: number, device: DeviceNumber): void
  /**
   * Renames, and fails with EEXIST where `to` is there; false where the system or the file system
   * has no such call.
   */
  renameNew(from: Uint8Array, to: Uint8Array): boolean
  /** Where data begins at or after `offset`; undefined where only a hole is left. */
  nextData(fd: number, offset: number): number | undefined
  /** Where the next hole begins at or after `offset`; the end of the file at the latest. */
  nextHole(fd: number, offset: number): number | undefined
  /**
   * Has large blocks of memory come from the system and go back to it by themselves. Otherwise the
   * C library keeps them between small ones, up to a third more than is in use. Nothing where it has no such choice.
   */
  separateLargeBlocks(): void
  /** Has the C library give back to the system what it holds and nobody uses. Nothing where it cannot. */
  giveBackFreeMemory(): void
  /**
   * Takes the pages of a mapped file out of this process's memory; those of it that are wanted again are
   * mapped again. The file's bytes stay in the system's cache. Only for files that are mapped to read.
   */
  forgetMapped(path: string): void
}

const atFdcwd = -100
const atSymlinkNofollow = 0x100
const utimeOmit = 0x3ffffffe
const atNoAutomount = 0x800
const basicStats = 0x7ff
const renameNoReplace = 1
const seekData = 3
const seekHole = 4
const mallocMmapThreshold = -3
const dontNeed = 4
const largeBlockBytes = 256 * 1024
/** What Linux takes at most, of all names and of one value. */
const maxXattrBytes = 65_536
/** Where a `long` and a `time_t` have 64 bits, the lowest byte first. */
const architectures = ['x64', 'arm64', 'riscv64', 'loong64']

let loaded: Promise<NativeCalls | undefined> | undefined

/** The adapter, one for a thread, or undefined where the package or the system has none. */
export function loadNative(): Promise<NativeCalls | undefined> {
  return (loaded ??= load())
}

async function load(): Promise<NativeCalls | undefined> {
  if (process.platform !== 'linux' || !architectures.includes(process.arch)) return undefined
  try {
    const { default: koffi } = await import('koffi')
    return new LinuxCalls(koffi.load(null), () => koffi.errno())
  } catch {
    return undefined
  }
}

type Call = (...values: unknown[]) => number

class LinuxCalls implements NativeCalls {
  readonly #library: LibraryHandle
  readonly #errno: () => number
  readonly #calls = new Map<string, Call>()
  readonly #room = new Uint8Array(maxXattrBytes)
  readonly #stats = new Uint8Array(statxBytes)
  #canRenameNew = true

  constructor(library: LibraryHandle, errno: () => number) {
    this.#library = library
    this.#errno = errno
  }

  look(directory: number, name: Uint8Array): LocalStats | undefined {
    const look = this.#call('int statx(int, const void *, int, unsigned int, void *)')
    const stats = this.#stats
    const flags = atSymlinkNofollow | atNoAutomount
    if (look(directory, ended(name), flags, basicStats, stats) >= 0) return new StatxStats(stats)
    const error = this.#error('statx')
    if (error.code === 'ENOENT') return undefined
    throw error
  }

  listXattrs(at: number | Uint8Array): Uint8Array[] {
    const list =
      typeof at === 'number'
        ? this.#call('intptr_t flistxattr(int, void *, size_t)')
        : this.#call('intptr_t llistxattr(const void *, void *, size_t)')
    const used = list(place(at), this.#room, maxXattrBytes)
    if (used < 0) {
      const error = this.#error('llistxattr')
      if (error.code === 'ENOTSUP' || error.code === 'EOPNOTSUPP') return []
      throw error
    }
    const names: Uint8Array[] = []
    for (let start = 0; start < used;) {
      const end = this.#room.indexOf(0, start)
      names.push(this.#room.slice(start, end))
      start = end + 1
    }
    return names
  }

  readXattr(at: number | Uint8Array, name: Uint8Array): Uint8Array | undefined {
    const get =
      typeof at === 'number'
        ? this.#call('intptr_t fgetxattr(int, const void *, void *, size_t)')
        : this.#call('intptr_t lgetxattr(const void *, const void *, void *, size_t)')
    const used = get(place(at), ended(name), this.#room, maxXattrBytes)
    if (used >= 0) return this.#room.slice(0, used)
    const error = this.#error('lgetxattr')
    if (error.code === 'ENODATA') return undefined
    throw error
  }

  writeXattr(at: number | Uint8Array, name: Uint8Array, value: Uint8Array): void {
    const rest = 'const void *, const void *, size_t, int'
    const set =
      typeof at === 'number'
        ? this.#call(`int fsetxattr(int, ${rest})`)
        : this.#call(`int lsetxattr(const void *, ${rest})`)
    this.#check('setxattr', set(place(at), ended(name), value, value.length, 0))
  }

  setMtime(at: number | Uint8Array, { seconds, nanoseconds }: Timestamp): void {
    const times = BigInt64Array.of(0n, BigInt(utimeOmit), BigInt(seconds), BigInt(nanoseconds))
    if (typeof at === 'number') {
      this.#check('futimens', this.#call('int futimens(int, const void *)')(at, times))
      return
    }
    const set = this.#call('int utimensat(int, const void *, const void *, int)')
    this.#check('utimensat', set(atFdcwd, ended(at), times, atSymlinkNofollow))
  }

  makeNode(path: Uint8Array, mode: number, device: DeviceNumber): void {
    const make = this.#call('int mknodat(int, const void *, uint32_t, uint64_t)')
    this.#check('mknodat', make(atFdcwd, ended(path), mode, joinDevice(device)))
  }

  renameNew(from: Uint8Array, to: Uint8Array): boolean {
    if (!this.#canRenameNew) return false
    let rename: Call
    try {
      rename = this.#call('int renameat2(int, const void *, int, const void *, unsigned int)')
    } catch {
      this.#canRenameNew = false // an older C library
      return false
    }
    if (rename(atFdcwd, ended(from), atFdcwd, ended(to), renameNoReplace) >= 0) return true
    const error = this.#error('renameat2')
    if (error.code === 'EINVAL' || error.code === 'ENOSYS') return false
    throw error
  }

  nextData(fd: number, offset: number): number | undefined {
    return this.#seek(fd, offset, seekData)
  }

  nextHole(fd: number, offset: number): number | undefined {
    return this.#seek(fd, offset, seekHole)
  }

  separateLargeBlocks(): void {
    try {
      this.#call('int mallopt(int, int)')(mallocMmapThreshold, largeBlockBytes)
    } catch {
      // musl has no mallopt, and keeps none
    }
  }

  giveBackFreeMemory(): void {
    try {
      this.#call('int malloc_trim(size_t)')(0)
    } catch {
      // musl has none
    }
  }

  forgetMapped(path: string): void {
    for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
      const [, start, end, file] =
        /^([0-9a-f]+)-([0-9a-f]+) r-\S+ \S+ \S+ \S+ +(.*)$/.exec(line) ?? []
      if (start === undefined || end === undefined || file !== path) continue
      const [from, to] = [BigInt(`0x${start}`), BigInt(`0x${end}`)]
      const forget = this.#call('int madvise(uintptr_t, size_t, int)')
      this.#check('madvise', forget(from, to - from, dontNeed))
    }
  }

  #seek(fd: number, offset: number, whence: number): number | undefined {
    const at = this.#call('int64_t lseek(int, int64_t, int)')(fd, offset, whence)
    if (at >= 0) return at
    const error = this.#error('lseek')
    if (error.code === 'ENXIO') return undefined
    throw error
  }

  /** Calls are bound when they are first made: a restore needs few of them. */
  #call(declaration: string): Call {
    let call = this.#calls.get(declaration)
    if (call === undefined) {
      call = this.#library.func(declaration) as Call
      this.#calls.set(declaration, call)
    }
    return call
  }

  #check(name: string, result: number): void {
    if (result < 0) throw this.#error(name)
  }

  #error(name: string): NodeJS.ErrnoException {
    const code = getSystemErrorName(-this.#errno())
    return Object.assign(new Error(`${code}: ${name}`), { code, syscall: name })
  }
}

const end = new Uint8Array(1)

/** As C takes it. */
function ended(bytes: Uint8Array): Uint8Array {
  return concat(bytes, end)
}

function place(at: number | Uint8Array): number | Uint8Array {
  return typeof at === 'number' ? at : ended(at)
}
