/**
 * The disk port of one process on a simulated host. A call takes effect when it ends, not when it
 * starts: calls made at once happen in any order, and a caller who reuses a borrowed buffer too
 * early is found out. When the process has died no call ever ends.
 */
import type { Clock } from '../../src/base/clock.ts'
import type { Disk, DiskEntry, DiskFile } from '../../src/base/disk.ts'
import {
  failSync,
  newDirectory,
  newFile,
  syncFile,
  writeFile,
  type DirectoryNode,
  type FileNode,
} from './disk-image.ts'
import { blockBytes, type DiskCall, type SimDisk } from './sim-disk.ts'

interface Call<T> {
  name: DiskCall
  path: string
  effect: () => T
  /** What happens all the same when the call fails. */
  damage?: () => void
}

/** A file as a caller has it who waits for no call, as the page cache of a system answers. */
export interface FileNow {
  readonly sizeBytes: number
  read(position: number, length: number): Uint8Array
  write(bytes: Uint8Array, position: number): void
  sync(): Promise<void>
  close(): void
}

export class MountedDisk implements Disk {
  readonly #disk: SimDisk
  readonly #clock: Clock
  readonly #underWay = new Set<() => unknown>()
  #alive = true
  openFiles = 0

  constructor(disk: SimDisk, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  openRead(path: string): Promise<DiskFile> {
    return this.call({ name: 'openRead', path, effect: () => this.#open(path, this.#file(path)) })
  }

  create(path: string): Promise<DiskFile> {
    const effect = (): DiskFile => this.#open(path, this.#create(path))
    return this.call({ name: 'create', path, effect })
  }

  /** As `openRead`, at once. */
  openNow(path: string): FileNow {
    const effect = (): FileNow => this.#open(path, this.#file(path)).now
    return this.callNow({ name: 'openRead', path, effect }, nothing)
  }

  /** As `create`, at once. */
  createNow(path: string): FileNow {
    const effect = (): FileNow => this.#open(path, this.#create(path)).now
    return this.callNow({ name: 'create', path, effect }, nothing)
  }

  rename(from: string, to: string): Promise<void> {
    const effect = (): void => {
      this.#file(from)
      this.#disk.image.moveEntry(this.#place(from), this.#place(to))
    }
    return this.call({ name: 'rename', path: from, effect })
  }

  unlink(path: string): Promise<void> {
    const effect = (): void => {
      this.#file(path)
      const { directory, name } = this.#place(path)
      this.#disk.image.setEntry(directory, name, undefined)
    }
    return this.call({ name: 'unlink', path, effect })
  }

  makeDirectory(path: string): Promise<void> {
    const effect = (): void => {
      const names = path.split('/')
      for (let depth = 1; depth <= names.length; depth++) {
        const above = names.slice(0, depth).join('/')
        const node = this.#disk.image.find(above)
        if (node?.kind === 'file') throw diskError('EEXIST', 'makeDirectory', above)
        if (node !== undefined) continue
        const { directory, name } = this.#place(above)
        this.#disk.image.setEntry(directory, name, newDirectory())
      }
    }
    return this.call({ name: 'makeDirectory', path, effect })
  }

  fileSize(path: string): Promise<number> {
    return this.call({ name: 'fileSize', path, effect: () => this.#file(path).size })
  }

  entry(path: string): Promise<DiskEntry> {
    const effect = (): DiskEntry => {
      const node = this.#disk.image.find(path)
      if (node === undefined) throw diskError('ENOENT', 'entry', path)
      const sizeBytes = node.kind === 'file' ? node.size : 0
      const diskBytes = Math.ceil(sizeBytes / blockBytes) * blockBytes
      return { isDirectory: node.kind === 'directory', sizeBytes, diskBytes }
    }
    return this.call({ name: 'entry', path, effect })
  }

  readDirectory(path: string): Promise<string[]> {
    const effect = (): string[] =>
      this.#disk.random.shuffled([...this.#directory(path).live.keys()].sort())
    return this.call({ name: 'readDirectory', path, effect })
  }

  syncDirectory(path: string): Promise<void> {
    const effect = (): void => this.#disk.image.syncDirectory(this.#directory(path))
    return this.call({ name: 'syncDirectory', path, effect })
  }

  space(path: string): Promise<{ freeBytes: number; totalBytes: number }> {
    const effect = () => ({ freeBytes: this.#disk.freeBytes, totalBytes: this.#disk.totalBytes })
    return this.call({ name: 'space', path, effect })
  }

  /** Carries a call out some time from now, unless a fault lies in wait for it. */
  call<T>({ name, path, effect, damage }: Call<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#alive) return
      this.#underWay.add(effect)
      this.#clock.after(this.#disk.durationMs(this.#clock.monotonicMs()), () => {
        if (!this.#alive) return
        this.#underWay.delete(effect)
        const code = this.#disk.strike(name)
        try {
          if (code === undefined) return resolve(effect())
          damage?.()
          throw diskError(code, name, path)
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** Carries a call out at once. What a dead process asks for has no effect, and is `whenDead`. */
  callNow<T>({ name, path, effect, damage }: Call<T>, whenDead: T): T {
    if (!this.#alive) return whenDead
    const code = this.#disk.strike(name)
    if (code === undefined) return effect()
    damage?.()
    throw diskError(code, name, path)
  }

  /** Each call under way happens or does not; nobody hears of it. */
  die(): void {
    this.#alive = false
    for (const effect of this.#underWay) {
      if (this.#disk.random.chance(0.5)) attempt(effect)
    }
    this.#underWay.clear()
    this.openFiles = 0
  }

  #create(path: string): FileNode {
    const { directory, name } = this.#place(path)
    if (directory.live.has(name)) throw diskError('EEXIST', 'create', path)
    if (this.#disk.freeBytes < blockBytes) throw diskError('ENOSPC', 'create', path)
    const file = newFile()
    this.#disk.image.setEntry(directory, name, file)
    return file
  }

  #open(path: string, file: FileNode): MountedFile {
    this.openFiles++
    return new MountedFile(this, this.#disk, path, file)
  }

  #file(path: string): FileNode {
    const node = this.#disk.image.find(path)
    if (node === undefined) throw diskError('ENOENT', 'open', path)
    if (node.kind === 'directory') throw diskError('EISDIR', 'open', path)
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#disk.image.find(path)
    if (node === undefined) throw diskError('ENOENT', 'open', path)
    if (node.kind === 'file') throw diskError('ENOTDIR', 'open', path)
    return node
  }

  #place(path: string): { directory: DirectoryNode; name: string } {
    const place = this.#disk.image.locate(path)
    if (place === undefined) throw diskError('ENOENT', 'open', path)
    return place
  }
}

class MountedFile implements DiskFile {
  readonly #mount: MountedDisk
  readonly #disk: SimDisk
  readonly #path: string
  readonly #file: FileNode
  #open = true

  constructor(mount: MountedDisk, disk: SimDisk, path: string, file: FileNode) {
    this.#mount = mount
    this.#disk = disk
    this.#path = path
    this.#file = file
  }

  size(): Promise<number> {
    return this.#call('size', () => this.#file.size)
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return this.#call('read', () =>
      this.#file.live.slice(position, Math.min(position + length, this.#file.size)),
    )
  }

  write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    const half = pieces.slice(0, pieces.length >> 1)
    return this.#call(
      'write',
      () => this.#write(pieces, position),
      () => this.#write(half, position),
    )
  }

  sync(): Promise<void> {
    return this.#call(
      'sync',
      () => syncFile(this.#file),
      () => failSync(this.#file),
    )
  }

  close(): Promise<void> {
    const effect = (): void => {
      this.#open = false
      this.#mount.openFiles--
    }
    return this.#call('close', effect, effect)
  }

  /** The same file for one who does not wait. */
  get now(): FileNow {
    const file = this.#file
    const callNow = <T>(name: DiskCall, effect: () => T, whenDead: T, damage?: () => void): T => {
      if (!this.#open) throw diskError('EBADF', name, this.#path)
      return this.#mount.callNow({ name, path: this.#path, effect, damage }, whenDead)
    }
    return {
      get sizeBytes() {
        return file.size
      },
      read: (position, length) => {
        const end = Math.min(position + length, file.size)
        return callNow('read', () => file.live.slice(position, end), new Uint8Array(0))
      },
      write: (bytes, position) => {
        const half = bytes.subarray(0, bytes.length >> 1)
        callNow(
          'write',
          () => this.#write([bytes], position),
          undefined,
          () => this.#write([half], position),
        )
      },
      sync: () => this.sync(),
      close: () => {
        if (this.#open) this.#mount.openFiles--
        this.#open = false
      },
    }
  }

  #call<T>(name: DiskCall, effect: () => T, damage?: () => void): Promise<T> {
    if (!this.#open) return Promise.reject(diskError('EBADF', name, this.#path))
    return this.#mount.call({ name, path: this.#path, effect, damage })
  }

  /** Writes as much as the disk has room for, in whole blocks, as a real one does. */
  #write(pieces: readonly Uint8Array[], position: number): void {
    let at = position
    for (const piece of pieces) {
      const growth = Math.max(0, at + piece.length - this.#file.size)
      const slack = (blockBytes - (this.#file.size % blockBytes)) % blockBytes
      const room = slack + this.#disk.freeBytes
      writeFile(this.#file, at, piece.subarray(0, piece.length - Math.max(0, growth - room)))
      if (growth > room) throw diskError('ENOSPC', 'write', this.#path)
      at += piece.length
    }
  }
}

/** What a dead process is given. */
const nothing: FileNow = {
  sizeBytes: 0,
  read: () => new Uint8Array(0),
  write: () => {},
  sync: () => new Promise(() => {}),
  close: () => {},
}

function diskError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${call} '${path}'`), { code })
}

function attempt(effect: () => unknown): void {
  try {
    effect()
  } catch {
    // it would have failed, and nobody is left to be told
  }
}
