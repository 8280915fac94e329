/**
 * A home that may only add, with a grid of one folder and a tree; and its owner elsewhere, who
 * has the kit and so knows which keys each snapshot has.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach } from 'mocha'
import { SystemClock } from '../../src/base/clock.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import { readKit } from '../../src/backup/keys/recovery-kit.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import type { World } from '../../src/cli/world.ts'
import type { Grid } from '../../src/node/grid.ts'
import { openGrid } from '../../src/node/open-grid.ts'
import { directoryOfCap } from '../../src/tree/directory-cap.ts'
import { listDirectory } from '../../src/tree/directory-reader.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { fakeWorld, type Transcript } from '../cli/fake-world.ts'

/** To which what was written a moment ago was written long ago: then fingerprints are trusted at once. */
class LateClock extends SystemClock {
  override nowMs(): number {
    return super.nowMs() + 3_600_000
  }
}

/** Of one snapshot: read keys in hexadecimal by what they open, and roots of whole objects. */
export interface SnapshotKeys {
  keys: Map<string, string>
  roots: Map<string, Uint8Array>
}

export class WatchedHome {
  directory = ''
  admin!: CapOf<'LOG-Admin'>
  #kit = ''

  /** To be called in a `describe`. */
  hooks(): this {
    beforeEach(async () => {
      this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'grid-watched-'))
      for (const name of ['disk', 'data']) fs.mkdirSync(this.at(name))
      const one = ['--k', '1', '--happy', '1', '--n', '1', '--device', 'box']
      const { stdout } = await this.run(['backup', 'init', '--disks', this.at('disk'), ...one])
      this.#kit = stdout
      const { cap } = readKit(stdout)
      assert.ok(cap.type === 'LOG-Admin')
      this.admin = cap
    })
    afterEach(() => fs.rmSync(this.directory, { recursive: true, force: true }))
    return this
  }

  at(...names: string[]): string {
    return path.join(this.directory, ...names)
  }

  get home(): string {
    return this.at('home')
  }

  write(name: string, content: string | Uint8Array): void {
    fs.mkdirSync(path.dirname(this.at('data', name)), { recursive: true })
    fs.writeFileSync(this.at('data', name), content)
  }

  remove(...names: string[]): void {
    for (const name of names) fs.rmSync(this.at('data', name), { recursive: true })
  }

  keepNoKeys(): void {
    const config = this.at('home/config.toml')
    const text = fs.readFileSync(config, 'utf8')
    const changed = text.replace(/^#? ?keys = "all"$/m, 'keys = "none"')
    assert.notEqual(changed, text)
    fs.writeFileSync(config, changed)
  }

  /** Backs up; its exit code must be 0. */
  async backUp(): Promise<void> {
    const { exit, stderr } = await this.run(['backup', this.at('data')])
    assert.equal(exit, 0, stderr)
  }

  /** Backs up, and fails when all is stored and the log is to be told. */
  async failToBackUp(): Promise<void> {
    const openFailing: World['openGrid'] = async ({ home, trace }) => {
      const grid = await openGrid({ home, trace })
      grid.logs.append = () => Promise.reject(new Error('the machine went down'))
      return grid
    }
    const { exit, stderr } = await this.run(['backup', this.at('data')], { openGrid: openFailing })
    assert.equal(exit, 1, stderr)
  }

  /** A copy of all that is in the home now. */
  steal(): string {
    const stolen = fs.mkdtempSync(this.at('stolen-'))
    fs.cpSync(this.home, stolen, { recursive: true })
    return stolen
  }

  async run(
    words: readonly string[],
    given: Partial<World> = {},
    home: string = this.home,
  ): Promise<Transcript> {
    const fake = fakeWorld({ userDirectory: this.directory, ...given })
    const exit = await dispatch([...words, '--home', home], { ...fake, clock: new LateClock() })
    const { stdout, stderr } = fake
    return { exit, stdout: stdout.text, stderr: stderr.text, lines: () => [] }
  }

  /** What `work` gives with the grid, as the owner opens it elsewhere. */
  async asOwner<T>(work: (grid: Grid) => Promise<T>): Promise<T> {
    const home = this.at('owner')
    if (!fs.existsSync(home)) {
      const kit = Buffer.from(this.#kit)
      const stdin = (async function* (): AsyncGenerator<Uint8Array> {
        yield kit
      })()
      const { exit, stderr } = await this.run(['recover'], { stdin }, home)
      assert.equal(exit, 0, stderr)
    }
    const grid = await openGrid({ home })
    try {
      return await work(grid)
    } finally {
      await grid.close()
    }
  }

  /** Keys of every snapshot, in their order. */
  snapshotKeys(): Promise<SnapshotKeys[]> {
    return this.asOwner(async (grid) => {
      const log = grid.logs.reader(attenuate(this.admin, 'LOG-Read'))
      const all: SnapshotKeys[] = []
      for await (const { snapshot } of log.snapshots(await log.read())) {
        assert.ok(snapshot !== undefined)
        const found: SnapshotKeys = { keys: new Map(), roots: new Map() }
        const top = directoryOfCap(snapshot.cap)
        found.keys.set(`directory ${hex(top.readKey)}`, hex(top.readKey))
        await collect(grid, top, '', found)
        all.push(found)
      }
      return all
    })
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function collect(
  grid: Grid,
  directory: NodeName,
  above: string,
  found: SnapshotKeys,
): Promise<void> {
  for await (const entry of listDirectory(grid.trees, directory)) {
    const name = `${above}/${Buffer.from(entry.name).toString()}`
    if (entry.kind === 'file') found.keys.set(name, hex(entry.content.readKey))
    if (entry.kind === 'tree') {
      found.keys.set(`${name}, its node`, hex(entry.content.readKey))
      let index = 0
      for await (const { readKey, object } of grid.trees.extents(entry.content)) {
        found.keys.set(`${name}, extent ${index}`, hex(readKey))
        found.roots.set(`${name}, extent ${index++}`, object.root)
      }
    }
    if (entry.kind === 'directory') {
      // another version of a directory is another stream
      const key = hex(entry.content.readKey)
      found.keys.set(`${name}, directory ${key.slice(0, 6)}`, key)
      await collect(grid, entry.content, name, found)
    }
  }
}
