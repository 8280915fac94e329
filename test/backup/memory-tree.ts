/** A tree in memory that can be backed up: what the simulation and the tests change at will. */
import { concat, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import type { BackupSource, SourceFile } from '../../src/backup/source.ts'
import type { EntryFacts, LocalKind } from '../../src/local/facts.ts'
import { fingerprintOf } from '../../src/local/fingerprint.ts'
import type { LocalEntry } from '../../src/local/local-entry.ts'
import type { LocalStep } from '../../src/local/local-tree.ts'
import { kindBits, type LocalStats } from '../../src/local/local-stats.ts'
import { timestampOf } from '../../src/tree/entry.ts'

export type MemoryNode =
  | { kind: 'directory'; children: Map<string, MemoryNode>; inode: bigint; ctimeNs: bigint }
  | { kind: 'file'; content: Uint8Array; inode: bigint; ctimeNs: bigint }
  | { kind: 'symlink'; target: string; inode: bigint; ctimeNs: bigint }

const slash = Uint8Array.of(0x2f)
const nothing = new Uint8Array(0)

export class MemoryTree {
  readonly root: Extract<MemoryNode, { kind: 'directory' }>
  #inode = 1n
  /** Of its file system: one tick for each change. */
  #nowNs = 1_000_000_000_000_000_001n

  constructor() {
    this.root = { kind: 'directory', children: new Map(), ...this.#fresh() }
  }

  /** Writes a file, with the directories above it; names are Latin-1. */
  write(path: string, content: Uint8Array | string): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    this.#put(path, { kind: 'file', content: Uint8Array.from(bytes), ...this.#fresh() })
  }

  link(path: string, target: string): void {
    this.#put(path, { kind: 'symlink', target, ...this.#fresh() })
  }

  makeDirectory(path: string): void {
    this.#put(path, { kind: 'directory', children: new Map(), ...this.#fresh() })
  }

  remove(path: string): void {
    const [parent, name] = this.#parentOf(path)
    parent.children.delete(name)
    this.#touch(parent)
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

  /** As it is while it is walked. */
  source(): BackupSource {
    const nodes = new Map<LocalEntry, MemoryNode>()
    return {
      walk: () => walkNode(this.root, nothing, nothing, nodes),
      describe: (entry) => describeNode(entry, nodes.get(entry)!),
      open: (entry) => openNode(nodes.get(entry)!),
    }
  }

  #put(path: string, node: MemoryNode): void {
    const [parent, name] = this.#parentOf(path)
    parent.children.set(name, node)
    this.#touch(parent)
  }

  #parentOf(path: string): [Extract<MemoryNode, { kind: 'directory' }>, string] {
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

  #fresh(): { inode: bigint; ctimeNs: bigint } {
    return { inode: this.#inode++, ctimeNs: this.#nowNs++ }
  }

  #touch(node: MemoryNode): void {
    node.ctimeNs = this.#nowNs++
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
    ...{ dev: 1n, ino: node.inode, mode: BigInt(kindBits[kind] | 0o644), nlink: 1n },
    ...{ uid: 0n, gid: 0n, rdev: 0n, size: BigInt(sizeBytes) },
    ...{ mtimeNs: node.ctimeNs, ctimeNs: node.ctimeNs },
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
  const facts = { name, kind, sizeBytes, mode: 0o644, meta: { uid: 0, gid: 0 } }
  const mtime = timestampOf(stats.mtimeNs)
  if (node.kind !== 'symlink') return { ...facts, mtime }
  return { ...facts, mtime, target: latin1(node.target) }
}

function openNode(node: MemoryNode): SourceFile {
  if (node.kind !== 'file') throw new RangeError('only files are opened')
  const { content } = node
  return { input: { stream: [content.slice()], sizeBytes: content.length }, close() {} }
}

export function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}
