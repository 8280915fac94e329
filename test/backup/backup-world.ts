/** A machine with a tree, a memory of its backups, and a grid with a log to back up into. */
import assert from 'node:assert/strict'
import { type BackupOptions, type BackupReport, runBackup } from '../../src/backup/backup.ts'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import { RunMemory } from '../../src/backup/memory/run-memory.ts'
import { SystemRandom } from '../../src/base/random.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { Notice } from '../../src/local/notice.ts'
import type { LogSnapshot } from '../../src/node/logs/readable-log.ts'
import { directoryOfCap } from '../../src/tree/directory-cap.ts'
import { listDirectory } from '../../src/tree/directory-reader.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import type { FileContent } from '../../src/node/content/file-content.ts'
import { clock, MemoryGrid } from '../node/memory-grid.ts'
import { MemoryTree, shownContent } from './memory-tree.ts'

const random = new SystemRandom()
const basis = new Uint8Array(32).fill(7)
const facts = { host: 'h', label: 'l', paths: [], root: new Uint8Array(0), tags: [], tool: 't' }

export class BackupWorld {
  readonly tree: MemoryTree = new MemoryTree()
  folder: MemoryCacheFolder = new MemoryCacheFolder()
  readonly notices: Notice[] = []
  keys: 'kept' | 'none' = 'kept'
  described: Uint8Array = basis
  readonly grid: MemoryGrid
  readonly admin: CapOf<'LOG-Admin'>
  readonly append: CapOf<'LOG-Append'>

  private constructor(
    grid: MemoryGrid,
    caps: { admin: CapOf<'LOG-Admin'>; append: CapOf<'LOG-Append'> },
  ) {
    this.grid = grid
    this.admin = caps.admin
    this.append = caps.append
  }

  static async open(servers = 1): Promise<BackupWorld> {
    const grid = await MemoryGrid.of(servers)
    return new BackupWorld(grid, await grid.grid.logs.create({ device: 'laptop' }))
  }

  run(options: Partial<BackupOptions> = {}): Promise<BackupReport> {
    return runBackup(
      {
        ...{ grid: this.grid.grid, clock, random },
        openMemory: ({ forget }) =>
          RunMemory.open(this.folder, {
            ...{ random, basis, described: this.described, keys: this.keys, forget },
          }),
        source: () => this.tree.source(),
        report: (notice) => this.notices.push(notice),
      },
      { append: this.append, facts, signal: new AbortController().signal, ...options },
    )
  }

  async snapshots(): Promise<LogSnapshot[]> {
    const log = this.grid.grid.logs.reader(attenuate(this.admin, 'LOG-Read'))
    const found: LogSnapshot[] = []
    for await (const snapshot of log.snapshots(await log.read())) found.push(snapshot)
    return found
  }

  /** Path and content of all files of the newest snapshot, as `MemoryTree.files` gives them. */
  async stored(): Promise<[path: string, content: string][]> {
    const newest = (await this.snapshots()).at(-1)
    assert.ok(newest?.snapshot)
    const found: [string, string][] = []
    await this.#list(directoryOfCap(newest.snapshot.cap), '', found)
    return found.sort()
  }

  async #list(directory: NodeName, above: string, found: [string, string][]): Promise<void> {
    const { trees } = this.grid.grid
    for await (const entry of listDirectory(trees, directory)) {
      const path = `${above}${Buffer.from(entry.name).toString('latin1')}`
      if (entry.kind === 'directory') await this.#list(entry.content, `${path}/`, found)
      else if (entry.kind === 'symlink')
        found.push([path, `-> ${Buffer.from(entry.content).toString('latin1')}`])
      else {
        const pieces: Uint8Array[] = []
        for await (const piece of trees.readContent(entry as FileContent)) pieces.push(piece)
        found.push([path, shownContent(Buffer.concat(pieces))])
      }
    }
  }
}
