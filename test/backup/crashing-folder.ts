/**
 * A folder whose process or machine dies at a call of the test's choice, and what may be found after
 * that. Without a sync a write may be lost, and so may a change of names, each by itself.
 */
import { GridError } from '../../src/base/errors.ts'
import type { CacheFile, CacheFolder } from '../../src/backup/memory/cache-folder.ts'
import { concat } from '../../src/base/bytes.ts'

interface Inode {
  live: Uint8Array
  durable: Uint8Array
}

type Names = Map<string, Inode>

/** Thrown by the call at which all ends, and by all after it. */
export class Crash extends Error {}

/** Un-synced changes of names that are tried in all combinations. */
const maxCombined = 4

export class CrashingFolder implements CacheFolder {
  readonly #live: Names
  readonly #durable: Names
  #changes: ((names: Names) => void)[] = []
  /** Calls that change something, so far. */
  calls = 0
  /** The call at which all ends, from 1, and whether it is carried out. */
  crash: { call: number; isDone: boolean } | undefined

  constructor(files: Names = new Map()) {
    this.#live = new Map(files)
    this.#durable = new Map(files)
  }

  async list(): Promise<string[]> {
    return [...this.#live.keys()]
  }

  open(name: string): CacheFile | undefined {
    const inode = this.#live.get(name)
    return inode && this.#fileOf(inode)
  }

  create(name: string): CacheFile {
    if (this.#live.has(name)) throw new GridError('E_IO', 'it is there')
    const inode = { live: new Uint8Array(0), durable: new Uint8Array(0) }
    this.#call(() => this.#change((names) => names.set(name, inode)))
    return this.#fileOf(inode)
  }

  async wipe(name: string): Promise<void> {
    const inode = this.#live.get(name)
    this.#call(() => {
      if (inode === undefined) return
      inode.live = new Uint8Array(inode.live.length)
      inode.durable = inode.live
    })
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#live.get(from)
    if (inode === undefined) throw new GridError('E_IO', 'it is not there')
    this.#call(() =>
      this.#change((names) => {
        names.delete(from)
        names.set(to, inode)
      }),
    )
  }

  async remove(name: string): Promise<void> {
    this.#call(() => this.#change((names) => names.delete(name)))
  }

  async sync(): Promise<void> {
    this.#call(() => {
      this.#durable.clear()
      for (const [name, inode] of this.#live) this.#durable.set(name, inode)
      this.#changes = []
    })
  }

  /** What the next process may find: all that was done, or what a power cut may leave of it. */
  *survivors(): Generator<CrashingFolder> {
    yield new CrashingFolder(copied(this.#live, (inode) => inode.live))
    const combinations = 2 ** Math.min(this.#changes.length, maxCombined)
    for (let chosen = 0; chosen < combinations; chosen++) {
      const names = new Map(this.#durable)
      for (const [i, change] of this.#changes.entries()) {
        const isKept = i < maxCombined ? (chosen & (1 << i)) !== 0 : chosen === combinations - 1
        if (isKept) change(names)
      }
      yield new CrashingFolder(copied(names, (inode) => inode.durable))
      yield new CrashingFolder(copied(names, (inode) => inode.live))
      yield new CrashingFolder(copied(names, (inode) => torn(inode)))
    }
  }

  /** All that is in it, as the system sees it. */
  contents(): Map<string, Uint8Array> {
    return new Map([...this.#live].map(([name, { live }]) => [name, live]))
  }

  #fileOf(inode: Inode): CacheFile {
    return {
      get sizeBytes() {
        return inode.live.length
      },
      read: (position, length) => inode.live.slice(position, position + length),
      append: (bytes) => this.#call(() => (inode.live = concat(inode.live, bytes))),
      sync: async () => this.#call(() => (inode.durable = inode.live)),
      close: () => undefined,
    }
  }

  #change(change: (names: Names) => void): void {
    change(this.#live)
    this.#changes.push(change)
  }

  #call(work: () => void): void {
    const { crash } = this
    const call = ++this.calls
    if (crash !== undefined && call > crash.call) throw new Crash()
    if (call !== crash?.call) return work()
    if (crash.isDone) work()
    throw new Crash()
  }
}

function copied(names: Names, bytesOf: (inode: Inode) => Uint8Array): Names {
  const copy: Names = new Map()
  for (const [name, inode] of names) {
    const bytes = bytesOf(inode)
    copy.set(name, { live: bytes, durable: bytes })
  }
  return copy
}

/** Half of what no sync made durable. */
function torn({ live, durable }: Inode): Uint8Array {
  return live.slice(0, Math.floor((live.length + durable.length) / 2))
}
