/**
 * What a disk holds, twice: as the running system sees it, and as it would be found after a power
 * cut. Between the two stand the writes and the entry changes that no sync has made durable yet.
 *
 * The model is the weakest that POSIX allows a file system to be: without a sync any part of a
 * write may be lost, in any order, an entry may come before its file's bytes or never, and a new
 * directory goes with all that is in it. A rename is atomic, and belongs to the directory it leads to.
 */
import type { SimRandom } from './sim-random.ts'

export interface FileNode {
  readonly kind: 'file'
  /** The bytes as the system sees them, in the first `size` of these. */
  live: Uint8Array
  size: number
  /** The bytes that are surely on the medium. */
  durable: Uint8Array
  /** Writes since the last sync, in order. */
  pending: { position: number; bytes: Uint8Array }[]
}

export interface DirectoryNode {
  readonly kind: 'directory'
  live: Map<string, DiskNode>
  durable: Map<string, DiskNode>
}

export type DiskNode = FileNode | DirectoryNode

interface EntryChange {
  /** The directory whose sync makes the change durable. */
  readonly home: DirectoryNode
  readonly entries: readonly {
    directory: DirectoryNode
    name: string
    node: DiskNode | undefined
  }[]
}

const sectorBytes = [512, 4096] as const

export class DiskImage {
  readonly root: DirectoryNode = newDirectory()
  /** Told of a file that loses its name, whose bytes a medium may still hold. */
  onGone: ((file: FileNode) => void) | undefined
  #changes: EntryChange[] = []

  /** The node at `path`, or undefined where there is none. */
  find(path: string): DiskNode | undefined {
    const names = namesOf(path)
    return this.#follow(names, names.length)
  }

  /** The directory that holds `path`, and the last name of it. */
  locate(path: string): { directory: DirectoryNode; name: string } | undefined {
    const names = namesOf(path)
    const name = names.at(-1)
    const directory = this.#follow(names, names.length - 1)
    return name !== undefined && directory?.kind === 'directory' ? { directory, name } : undefined
  }

  /** Every file that has a name, with its path, in the order of the names. */
  *files(): Generator<{ path: string; file: FileNode }> {
    yield* filesBelow(this.root, '')
  }

  /** Changes of entries, and named files with writes, that a power cut now may undo. */
  get unsyncedCount(): number {
    const written = [...this.files()].filter(({ file }) => file.pending.length > 0)
    return this.#changes.length + written.length
  }

  /** Bytes of all named files at or below `path`, each rounded up to whole blocks; 0 where nothing is. */
  usedBytes(blockBytes: number, path = ''): number {
    const directory = path === '' ? this.root : this.find(path)
    return directory?.kind === 'directory' ? usedBelow(directory, blockBytes) : 0
  }

  /** Puts `node` (undefined: nothing) under a name. */
  setEntry(directory: DirectoryNode, name: string, node: DiskNode | undefined): void {
    this.#change({ home: directory, entries: [{ directory, name, node }] })
  }

  /** Moves what is under one name to another, in one step. */
  moveEntry(
    from: { directory: DirectoryNode; name: string },
    to: { directory: DirectoryNode; name: string },
  ): void {
    const node = from.directory.live.get(from.name)
    this.#change({
      home: to.directory,
      entries: [
        { ...from, node: undefined },
        { ...to, node },
      ],
    })
  }

  /** Takes a name off the medium as well. */
  forget(path: string): void {
    const place = this.locate(path)
    if (place === undefined) return
    this.setEntry(place.directory, place.name, undefined)
    this.syncDirectory(place.directory)
  }

  /** The node that the first `depth` names lead to. */
  #follow(names: readonly string[], depth: number): DiskNode | undefined {
    let node: DiskNode | undefined = this.root
    for (let i = 0; i < depth; i++) {
      if (node?.kind !== 'directory') return undefined
      node = node.live.get(names[i])
    }
    return node
  }

  #change(change: EntryChange): void {
    for (const { directory, name, node } of change.entries) {
      const before = directory.live.get(name)
      const isMoved = change.entries.some((other) => other.node === before)
      if (before?.kind === 'file' && !isMoved) this.onGone?.(before)
      setName(directory.live, name, node)
    }
    this.#changes.push(change)
  }

  /** What a power cut now would surely leave under `path`, or undefined for no file. */
  durableFile(path: string): Uint8Array | undefined {
    let node: DiskNode | undefined = this.root
    for (const name of namesOf(path)) {
      node = node?.kind === 'directory' ? node.durable.get(name) : undefined
    }
    return node?.kind === 'file' ? node.durable : undefined
  }

  /** Makes every change of the directory durable, and what those build on. */
  syncDirectory(directory: DirectoryNode): void {
    const wanted = new Set(this.#changes.filter(({ home }) => home === directory))
    for (const change of [...this.#changes].reverse()) {
      if (wanted.has(change)) continue
      const later = this.#changes.slice(this.#changes.indexOf(change) + 1)
      if (later.some((other) => wanted.has(other) && overlap(change, other))) wanted.add(change)
    }
    for (const change of this.#changes) if (wanted.has(change)) makeDurable(change)
    this.#changes = this.#changes.filter((change) => !wanted.has(change))
  }

  /** All that has a name, as the system sees it, to be restored later. */
  snapshot(): DirectoryNode {
    return copied(this.root)
  }

  /** The medium holds what it held when `snapshot` was made, and nothing else. */
  restore(snapshot: DirectoryNode): void {
    const { live, durable } = copied(snapshot)
    this.#changes = []
    this.root.live = live
    this.root.durable = durable
  }

  /** Names that a power cut now would surely leave in the directory `path`, and what is under them. */
  durableEntries(path: string): ReadonlyMap<string, DiskNode> {
    let node: DiskNode | undefined = this.root
    for (const name of namesOf(path)) {
      node = node?.kind === 'directory' ? node.durable.get(name) : undefined
    }
    return node?.kind === 'directory' ? node.durable : new Map()
  }

  /** The power goes: each un-synced change is kept or lost as the seed has it; the system sees what is left. */
  cutPower(random: SimRandom): void {
    const keep = keeper(random, this.#changes.length)
    this.#changes.filter((_, index) => keep(index)).forEach(makeDurable)
    this.#changes = []
    restart(this.root, random)
  }
}

export function newFile(): FileNode {
  return {
    kind: 'file',
    live: new Uint8Array(0),
    size: 0,
    durable: new Uint8Array(0),
    pending: [],
  }
}

export function newDirectory(): DirectoryNode {
  return { kind: 'directory', live: new Map(), durable: new Map() }
}

/** Takes over a copy of `bytes`. */
export function writeFile(file: FileNode, position: number, bytes: Uint8Array): void {
  const end = position + bytes.length
  if (end > file.live.length) {
    const grown = new Uint8Array(Math.max(end, 2 * file.live.length))
    grown.set(file.live.subarray(0, file.size))
    file.live = grown
  }
  file.live.set(bytes, position)
  file.size = Math.max(file.size, end)
  file.pending.push({ position, bytes: bytes.slice() })
}

export function syncFile(file: FileNode): void {
  file.durable = withWrites(file.durable, file.pending)
  file.pending = []
}

/**
 * A sync that failed, as Linux does it: the pages are marked clean, so they are still read back,
 * the next sync has nothing to do and succeeds, and what they held never reaches the medium.
 */
export function failSync(file: FileNode): void {
  file.pending = []
}

/** Sets the bytes of a file as the medium now gives them: rot, or a cut. */
export function replaceBytes(file: FileNode, bytes: Uint8Array): void {
  file.live = bytes.slice()
  file.size = bytes.length
  file.durable = bytes.slice()
  file.pending = []
}

/** The same few paths are asked for again and again. */
const knownNames = new Map<string, readonly string[]>()
const maxKnownNames = 20_000

function namesOf(path: string): readonly string[] {
  const known = knownNames.get(path)
  if (known !== undefined) return known
  if (knownNames.size >= maxKnownNames) knownNames.clear()
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  knownNames.set(path, names)
  return names
}

function* filesBelow(
  directory: DirectoryNode,
  path: string,
): Generator<{ path: string; file: FileNode }> {
  for (const name of [...directory.live.keys()].sort()) {
    const node = directory.live.get(name)
    if (node?.kind === 'file') yield { path: `${path}/${name}`, file: node }
    else if (node !== undefined) yield* filesBelow(node, `${path}/${name}`)
  }
}

function usedBelow(directory: DirectoryNode, blockBytes: number): number {
  let used = 0
  for (const node of directory.live.values()) {
    if (node.kind === 'directory') used += usedBelow(node, blockBytes)
    else used += Math.ceil(node.size / blockBytes) * blockBytes
  }
  return used
}

function setName(names: Map<string, DiskNode>, name: string, node: DiskNode | undefined): void {
  if (node === undefined) names.delete(name)
  else names.set(name, node)
}

function makeDurable(change: EntryChange): void {
  for (const { directory, name, node } of change.entries) setName(directory.durable, name, node)
}

/** The same directory with all below it, every byte durable. */
function copied(directory: DirectoryNode): DirectoryNode {
  const live = new Map<string, DiskNode>()
  for (const [name, node] of directory.live) {
    if (node.kind === 'directory') live.set(name, copied(node))
    else {
      const file = newFile()
      replaceBytes(file, node.live.subarray(0, node.size))
      live.set(name, file)
    }
  }
  return { kind: 'directory', live, durable: new Map(live) }
}

function overlap(a: EntryChange, b: EntryChange): boolean {
  return a.entries.some((x) =>
    b.entries.some((y) => x.directory === y.directory && x.name === y.name),
  )
}

/** Which of `count` changes survive: all, none, the first few, or any. */
function keeper(random: SimRandom, count: number): (index: number) => boolean {
  const few = random.below(count + 1)
  return random.pick([
    () => true,
    () => false,
    (index: number) => index < few,
    () => random.chance(0.5),
  ])
}

/** Brings a directory and all below it back as the medium has them. */
function restart(directory: DirectoryNode, random: SimRandom): void {
  directory.live = new Map(directory.durable)
  for (const name of [...directory.durable.keys()].sort()) {
    const node = directory.durable.get(name)
    if (node?.kind === 'directory') restart(node, random)
    else if (node !== undefined) replaceBytes(node, afterPowerCut(node, random))
  }
}

function afterPowerCut(file: FileNode, random: SimRandom): Uint8Array {
  if (file.pending.length === 0) return file.durable
  const full = withWrites(file.durable, file.pending)
  return random.pick([
    () => file.durable,
    () => full,
    () => withWrites(file.durable, firstBytes(file.pending, random)),
    () => torn(file.durable, full, random),
  ])()
}

function withWrites(bytes: Uint8Array, writes: FileNode['pending']): Uint8Array {
  const size = writes.reduce((most, w) => Math.max(most, w.position + w.bytes.length), bytes.length)
  const out = new Uint8Array(size)
  out.set(bytes)
  for (const write of writes) out.set(write.bytes, write.position)
  return out
}

function firstBytes(writes: FileNode['pending'], random: SimRandom): FileNode['pending'] {
  let left = random.below(writes.reduce((sum, { bytes }) => sum + bytes.length, 1))
  return writes.flatMap(({ position, bytes }) => {
    const kept = bytes.subarray(0, left)
    left -= kept.length
    return kept.length > 0 ? [{ position, bytes: kept }] : []
  })
}

/** The new length, each sector new or old by itself; one that was never there is zeros or left-over bytes. */
function torn(before: Uint8Array, after: Uint8Array, random: SimRandom): Uint8Array {
  const step = random.pick(sectorBytes)
  const out = new Uint8Array(after.length)
  for (let at = 0; at < out.length; at += step) {
    const end = Math.min(at + step, out.length)
    if (random.chance(0.7)) out.set(after.subarray(at, end), at)
    else if (at < before.length) out.set(before.subarray(at, end), at)
    else if (random.chance(0.2)) out.set(random.bytes(end - at), at)
  }
  return out
}
