import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'mocha'
import { type BackupReport, runBackup } from '../../src/backup/backup.ts'
import { MemoryCacheFolder } from '../../src/backup/memory/memory-cache-folder.ts'
import { RunMemory } from '../../src/backup/memory/run-memory.ts'
import { LocalSource } from '../../src/backup/source.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import { directoryOfCap } from '../../src/tree/directory-cap.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { describeTree } from '../local/awkward.ts'
import { abilities, native, Notices, without } from '../local/scratch.ts'
import { clock, MemoryGrid } from '../node/memory-grid.ts'
import { columns } from './awkward-columns.ts'
import { restoreTo } from './restoring.ts'

const random = new SystemRandom()
const basis = new Uint8Array(32)
const possible = columns.filter(({ needs }) => needs.every((ability) => abilities[ability]))

/** A folder of this machine, backed up and restored through a grid in memory. */
class Copied {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'grid-awkward-'))
  readonly source = path.join(this.folder, 'source')
  readonly target = path.join(this.folder, 'target')
  readonly notices: Notices = new Notices()
  readonly #cache = new MemoryCacheFolder()
  readonly #grid: MemoryGrid
  readonly #caps: { admin: CapOf<'LOG-Admin'>; append: CapOf<'LOG-Append'> }

  private constructor(
    grid: MemoryGrid,
    caps: Awaited<ReturnType<MemoryGrid['grid']['logs']['create']>>,
  ) {
    this.#grid = grid
    this.#caps = caps
  }

  static async open(): Promise<Copied> {
    const grid = await MemoryGrid.of(1)
    const copied = new Copied(grid, await grid.grid.logs.create({ device: 'box' }))
    fs.mkdirSync(copied.source)
    return copied
  }

  backUp(): Promise<BackupReport> {
    const { report } = this.notices
    const memory = { random, basis, described: basis, keys: 'kept' } as const
    const facts = { host: 'h', label: '', paths: [], root: basis, tags: [], tool: 't' }
    return runBackup(
      {
        ...{ grid: this.#grid.grid, clock, random, report },
        openMemory: ({ forget }) => RunMemory.open(this.#cache, { ...memory, forget }),
        source: (told) => new LocalSource(Buffer.from(this.source), { report: told, native }),
      },
      { append: this.#caps.append, facts, signal: new AbortController().signal },
    )
  }

  async restore(target: string = this.target): Promise<void> {
    const { grid } = this.#grid
    const { notices } = await restoreTo({ grid, root: await this.#newest(), target })
    assert.deepEqual(notices.lines, [])
  }

  async #newest(): Promise<NodeName> {
    const log = this.#grid.grid.logs.reader(attenuate(this.#caps.admin, 'LOG-Read'))
    let found: NodeName | undefined
    for await (const { snapshot } of log.snapshots(await log.read()))
      if (snapshot !== undefined) found = directoryOfCap(snapshot.cap)
    assert.ok(found !== undefined)
    return found
  }
}

describe('a backup of an awkward tree and its restore', () => {
  let copied: Copied

  before(async () => {
    copied = await Copied.open()
    // what it stands in has metadata too
    const tree = path.join(copied.source, 'tree')
    fs.mkdirSync(tree)
    for (const { make } of possible) make(tree)
    await copied.backUp()
    await copied.restore()
  })

  after(() => execFileSync('rm', ['-rf', copied.folder]))

  for (const { name, needs, seen } of columns) {
    it(`keep ${name}${without(...needs)}`, function () {
      if (!needs.every((ability) => abilities[ability])) this.skip()
      const [source, target] = [copied.source, copied.target].map((root) => `${root}/tree`)
      assert.deepEqual(seen(target), seen(source))
    })
  }

  it('agree in all else, as other code sees it, and tell of nothing', () => {
    const lines = (root: string): string[] => describeTree(path.join(root, 'tree'))
    assert.deepEqual(lines(copied.target), lines(copied.source))
    assert.deepEqual(copied.notices.lines, native === undefined ? ['xattrs-unseen '] : [])
  })

  it('agree after a second run, which stores nothing', async () => {
    // what was made a moment before the first run is read again
    const { count, sentBytes, addedBytes } = await copied.backUp()
    assert.deepEqual([count.files.new, addedBytes, sentBytes], [0, 0, 0])
    const again = path.join(copied.folder, 'again')
    await copied.restore(again)
    assert.deepEqual(describeTree(`${again}/tree`), describeTree(`${copied.source}/tree`))
  })
})
