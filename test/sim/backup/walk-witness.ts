/** A tree under a backup, with a witness to what one walk of it saw: what its snapshot must hold. */
import { GridError } from '../../../src/base/errors.ts'
import type { BackupSource, SourceFile } from '../../../src/backup/source.ts'
import type { LocalEntry } from '../../../src/local/local-entry.ts'
import type { LocalStep } from '../../../src/local/local-tree.ts'
import type { MemoryFiles } from '../../backup/memory-files.ts'
import type { MemoryNode, MemoryTree } from '../../backup/memory-tree.ts'

/** An entry as a walk came to it. */
export interface Seen {
  node: MemoryNode
  mode: number
  mtimeNs: bigint
  /** Of a link. */
  target: string | undefined
  /** Of a file: what it held then, and what it came to hold before the walk's tree was stored. */
  versions: Uint8Array[]
}

/** What is asked of a snapshot. */
export interface Expected {
  entries: ReadonlyMap<string, Seen>
  /** What may be there besides, in one of these versions; or must, if `isSure`. */
  kept: ReadonlyMap<string, { versions: Seen[]; isSure: boolean }>
  /** What may be missing, since it was told that it was left out. */
  left: ReadonlySet<string>
  isPartial: boolean
}

export interface WitnessOptions {
  tree: MemoryTree
  files: MemoryFiles
  /** Told before each step, with the number of those before; may change the tree. */
  onStep: (count: number) => void
  /** Told before a file is opened; may change the tree. */
  onOpen: (path: string, entry: LocalEntry) => void
}

interface Frame {
  path: string
  last: string | undefined
}

export class WalkWitness {
  readonly #options: WitnessOptions
  readonly #seen = new Map<string, Seen>()
  /** Directories that the walk is in. */
  readonly #frames: Frame[] = []
  readonly left: Set<string> = new Set<string>()
  #isWhole = false
  #steps = 0

  constructor(options: WitnessOptions) {
    this.#options = options
  }

  source(): BackupSource {
    const { tree, files, onOpen } = this.#options
    const nodes = new Map<LocalEntry, MemoryNode>()
    const source = tree.source({ nodes, files })
    return {
      walk: () => this.#walk(source.walk(), nodes),
      describe: (entry) => source.describe(entry),
      open: (entry): SourceFile => {
        const path = latin1(entry.path)
        onOpen(path, entry)
        const now = tree.find(path)
        if (now === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
        if (now !== nodes.get(entry) || now.ctimeNs !== entry.fingerprint.ctimeNs)
          throw new GridError('E_FILE_CHANGED', 'it is another file by now')
        return source.open(entry)
      },
    }
  }

  /**
   * What the snapshot of this walk must hold, now that its tree is stored.
   *
   * @param before - all that earlier walks of this machine saw
   * @param last - what the cache surely stands for, if that is known
   */
  expect(before: readonly Expected[], last: Expected | undefined): Expected {
    for (const seen of this.#seen.values()) {
      if (seen.node.kind !== 'file') continue
      const from = seen.node.versions.indexOf(seen.versions[0])
      seen.versions = seen.node.versions.slice(from)
    }
    const kept = new Map<string, { versions: Seen[]; isSure: boolean }>()
    if (!this.#isWhole) {
      for (const { entries, kept: more } of before) {
        for (const [path, seen] of entries) this.#keep(kept, path, [seen])
        for (const [path, { versions }] of more) this.#keep(kept, path, versions)
      }
      for (const [path] of last?.entries ?? []) {
        const known = kept.get(path)
        if (known !== undefined) known.isSure = last?.left.has(path) !== true
      }
    }
    return { entries: this.#seen, kept, left: this.left, isPartial: !this.#isWhole }
  }

  #keep(
    kept: Map<string, { versions: Seen[]; isSure: boolean }>,
    path: string,
    versions: readonly Seen[],
  ): void {
    if (!this.#isUnseen(path)) return
    const known = kept.get(path) ?? { versions: [], isSure: false }
    for (const seen of versions) if (!known.versions.includes(seen)) known.versions.push(seen)
    kept.set(path, known)
  }

  /** Whether the walk was ended before it came to this name. */
  #isUnseen(path: string): boolean {
    if (this.#seen.has(path)) return false
    const frame = [...this.#frames].reverse().find((each) => isBelow(path, each.path))
    if (frame === undefined) return false
    const [child] = path.slice(frame.path === '' ? 0 : frame.path.length + 1).split('/')
    return frame.last === undefined || Buffer.compare(bytes(child), bytes(frame.last)) > 0
  }

  *#walk(
    steps: Generator<LocalStep, void>,
    nodes: ReadonlyMap<LocalEntry, MemoryNode>,
  ): Generator<LocalStep, void> {
    for (;;) {
      this.#options.onStep(this.#steps++)
      const next = steps.next()
      if (next.done === true) break
      const { step, entry } = next.value
      const path = latin1(entry.path)
      if (step === 'leave') this.#frames.pop()
      else {
        const above = this.#frames.at(-1)
        if (above !== undefined) above.last = latin1(entry.name)
        this.#see(path, nodes.get(entry)!)
        if (step === 'enter') this.#frames.push({ path, last: undefined })
      }
      yield next.value
    }
    this.#isWhole = true
  }

  #see(path: string, node: MemoryNode): void {
    const { mode, mtimeNs } = node
    const target = node.kind === 'symlink' ? node.target : undefined
    const versions = node.kind === 'file' ? [node.content] : []
    if (path !== '') this.#seen.set(path, { node, mode, mtimeNs, target, versions })
  }
}

function isBelow(path: string, directory: string): boolean {
  return directory === '' || path.startsWith(`${directory}/`)
}

function latin1(name: Uint8Array): string {
  return Buffer.from(name).toString('latin1')
}

function bytes(name: string): Buffer {
  return Buffer.from(name, 'latin1')
}
