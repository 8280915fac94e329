/** A tree in memory that can be backed up: what the simulation and the tests change at will. */
import { concat, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import type { BackupSource, SourceFile } from '../../src/backup/source.ts'
import type { EntryFacts, LocalKind } from '../../src/local/facts.ts'
import { fingerprintOf } from '../../src/local/fingerprint.ts'
import type { LocalEntry } from '../../src/local/local-entry.ts'
import type { LocalStep } from '../../src/local/local-tree.ts'
import type { MemoryFiles } from './memory-files.ts'
import { kindBits, type LocalStats } from '../../src/local/local-stats.ts'
import { maxMode, timestampOf } from '../../src/tree/entry.ts'

interface Inode {
  inode: bigint
  mode: number
  mtimeNs: bigint
  ctimeNs: bigint
}

export type MemoryDirectory = Inode & { kind: 'directory'; children: Map<string, MemoryNode> }
export type MemoryFile = Inode & {
  kind: 'file'
  content: Uint8Array
  /** All that it ever held, the present content last. */
  versions: Uint8Array[]
}
export type MemoryNode =
  MemoryDirectory | MemoryFile | (Inode & { kind: 'symlink'; target: string })

export interface MemorySourceOptions {
  nodes?: Map<LocalEntry, MemoryNode>
  /** Where files are opened; they are streams of what they hold if absent. */
  files?: MemoryFiles
}

const slash = Uint8Array.of(0x2f)
const nothing = new Uint8Array(0)

export class MemoryTree {
  readonly root: MemoryDirectory
  readonly #now: () => bigint
  #inode = 1n

  /** @param now - the clock of its file system, in ns; one tick for each change unless given */
  constructor(now?: () => bigint) {
    let ticks = 1_000_000_000_000_000_001n
    this.#now = now ?? (() => ticks++)
    this.root = { kind: 'directory', children: new Map(), ...this.#fresh() }
  }

  /** Writes a file, with the directories above it; names are Latin-1. */
  write(path: string, content: Uint8Array | string): void {
    const bytes = Uint8Array.from(typeof content === 'string' ? Buffer.from(content) : content)
    this.#put(path, { kind: 'file', content: bytes, versions: [bytes], ...this.#fresh() })
  }

  /** Writes into the file that is there, if one is; `keepsTime` sets its modification time back. */
  overwrite(path: string, content: Uint8Array, options: { keepsTime?: boolean } = {}): void {
    const node = this.find(path)
    if (node?.kind !== 'file') return
    node.content = content.slice()
    node.versions.push(node.content)
    this.#touch(node)
    if (options.keepsTime !== true) node.mtimeNs = node.ctimeNs
  }

  chmod(path: string, mode: number): void {
    const node = this.find(path)
    if (node === undefined) return
    node.mode = mode
    this.#touch(node)
  }

  /** Renames what is there, but not into itself. */
  move(path: string, to: string): void {
    const node = this.find(path)
    if (node === undefined || node === this.root || `${to}/`.startsWith(`${path}/`)) return
    this.remove(path)
    this.#touch(node)
    this.#put(to, node)
  }

  find(path: string): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.root
    for (const name of path.split('/')) {
      node = node?.kind === 'directory' ? node.children.get(name) : undefined
    }
    return node
  }

  /** Where it is now; undefined if it is nowhere. */
  pathOf(wanted: MemoryNode): string | undefined {
    const search = (node: MemoryNode, path: string): string | undefined => {
      if (node === wanted) return path
      if (node.kind !== 'directory') return undefined
      for (const [name, child] of node.children) {
        const found = search(child, path === '' ? name : `${path}/${name}`)
        if (found !== undefined) return found
      }
      return undefined
    }
    return search(this.root, '')
  }

  /** What the file holds now; undefined where there is none. */
  contentOf(path: string): Uint8Array | undefined {
    const node = this.find(path)
    return node?.kind === 'file' ? node.content : undefined
  }

  link(path: string, target: string): void {
    this.#put(path, { kind: 'symlink', target, ...this.#fresh() })
  }

  makeDirectory(path: string): void {
    this.#put(path, { kind: 'directory', children: new Map(), ...this.#fresh() })
  }

  remove(path: string): void {
    if (this.find(path) === undefined) return
    const [parent, name] = this.#parentOf(path)
    parent.children.delete(name)
    this.#touch(parent)
    parent.mtimeNs = parent.ctimeNs
  }

  /** Path and content of all files, sorted. */
  files(): [path: string, content: string][] {
    const found: [string, string][] = []
    const visit = (node: MemoryNode, path: string): void => {
      if (node.kind === 'file') found.push([path, shownContent(node.content)])
      if (node.kind === 'symlink') found.push([path, `-> ${node.target}`])
      if (node.kind !== 'directory') return
      for (const [name, child] of node.children)
        visit(child, path === '' ? name : `${path}/${name}`)
    }
    visit(this.root, '')
    return found.sort()
  }

  /** Of all files. */
  get sizeBytes(): number {
    const sizeOf = (node: MemoryNode): number =>
      node.kind === 'directory'
        ? [...node.children.values()].reduce((sum, child) => sum + sizeOf(child), 0)
        : node.kind === 'file'
          ? node.content.length
          : 0
    return sizeOf(this.root)
  }

  /** As it is while it is walked; what entries were found to be is added to `nodes`. */
  source(options: MemorySourceOptions = {}): BackupSource {
    const { nodes = new Map<LocalEntry, MemoryNode>(), files } = options
    return {
      walk: () => walkNode(this.root, nothing, nothing, nodes),
      describe: (entry) => describeNode(entry, nodes.get(entry)!),
      open: (entry) => openNode(nodes.get(entry)!, files),
    }
  }

  #put(path: string, node: MemoryNode): void {
    const [parent, name] = this.#parentOf(path)
    parent.children.set(name, node)
    this.#touch(parent)
    parent.mtimeNs = parent.ctimeNs
  }

  #parentOf(path: string): [MemoryDirectory, string] {
    const pieces = path.split('/')
    let at = this.root
    for (const piece of pieces.slice(0, -1)) {
      let next = at.children.get(piece)
      if (next?.kind !== 'directory') {
        next = { kind: 'directory', children: new Map(), ...this.#fresh() }
        at.children.set(piece, next)
        this.#touch(at)
      }
      at = next
    }
    return [at, pieces[pieces.length - 1]]
  }

  #fresh(): Inode {
    const ctimeNs = this.#now()
    return { inode: this.#inode++, mode: 0o644, mtimeNs: ctimeNs, ctimeNs }
  }

  #touch(node: MemoryNode): void {
    node.ctimeNs = this.#now()
  }
}

/** The bytes of a file as a text that is short enough to be shown, and differs where they do. */
export function shownContent(bytes: Uint8Array): string {
  if (bytes.length <= 32) return Buffer.from(bytes).toString('hex')
  return `${bytes.length} bytes ${toHex(sha256(bytes).subarray(0, 16))}`
}

function* walkNode(
  node: MemoryNode,
  name: Uint8Array,
  path: Uint8Array,
  nodes: Map<LocalEntry, MemoryNode>,
): Generator<LocalStep, void> {
  const entry = entryOf(node, name, path)
  nodes.set(entry, node)
  if (node.kind !== 'directory') {
    yield { step: 'entry', entry }
    return
  }
  yield { step: 'enter', entry }
  const names = [...node.children.keys()].sort((a, b) => Buffer.compare(latin1(a), latin1(b)))
  for (const each of names) {
    const below = latin1(each)
    const child = node.children.get(each)
    const at = path.length === 0 ? below : concat(path, slash, below)
    if (child !== undefined) yield* walkNode(child, below, at, nodes)
  }
  yield { step: 'leave', entry }
}

function entryOf(node: MemoryNode, name: Uint8Array, path: Uint8Array): LocalEntry {
  const kind: LocalKind = node.kind
  const sizeBytes = node.kind === 'file' ? node.content.length : 0
  const stats: LocalStats = {
    ...{ dev: 1n, ino: node.inode, mode: BigInt(kindBits[kind] | node.mode), nlink: 1n },
    ...{ uid: 0n, gid: 0n, rdev: 0n, size: BigInt(sizeBytes) },
    ...{ mtimeNs: node.mtimeNs, ctimeNs: node.ctimeNs },
  }
  return {
    path,
    name,
    kind,
    sizeBytes,
    fingerprint: fingerprintOf(stats),
    hardLink: undefined,
    stats,
  }
}

function describeNode({ name, kind, sizeBytes, stats }: LocalEntry, node: MemoryNode): EntryFacts {
  const mode = Number(stats.mode) & maxMode
  const facts = { name, kind, sizeBytes, mode, meta: { uid: 0, gid: 0 } }
  const mtime = timestampOf(stats.mtimeNs)
  if (node.kind !== 'symlink') return { ...facts, mtime }
  return { ...facts, mtime, target: latin1(node.target) }
}

function openNode(node: MemoryNode, files: MemoryFiles | undefined): SourceFile {
  if (node.kind !== 'file') throw new RangeError('only files are opened')
  const { content } = node
  if (files !== undefined) {
    const fd = files.open(node)
    return { input: { fd, sizeBytes: content.length }, close: () => files.close(fd) }
  }
  return { input: { stream: [content.slice()], sizeBytes: content.length }, close() {} }
}

export function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}
