/** A home with a log of backups, made without the command that makes one. */
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach } from 'mocha'
import { toBase32 } from '../../src/base/base32.ts'
import { utf8 } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { Keyring } from '../../src/backup/keys/keyring.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import type { CapOf } from '../../src/caps/cap.ts'
import type { World } from '../../src/cli/world.ts'
import type { SnapshotFacts } from '../../src/node/logs/device-log.ts'
import { homeAt } from '../../src/node/home/home.ts'
import { openGrid } from '../../src/node/open-grid.ts'
import { capOfDirectory } from '../../src/tree/directory-cap.ts'
import { storeTree } from '../backup/stored-tree.ts'
import { fakeWorld, grid, type Transcript } from './fake-world.ts'

export class BackedUp {
  directory = ''
  admin!: CapOf<'LOG-Admin'>
  #append!: CapOf<'LOG-Append'>

  /** To be called in a `describe`: a home with an empty log `backup`, and a folder `data`. */
  hooks(): this {
    beforeEach(async () => {
      this.directory = await fs.mkdtemp(path.join(os.tmpdir(), 'grid-backed-up-'))
      await this.run(['init'])
      const opened = await openGrid({ home: this.at('.grid') })
      const { admin, append } = await opened.logs.create({ device: 'box' })
      await opened.close()
      this.admin = admin
      this.#append = append
      await this.keep('backup')
      await this.file('data/a', 'first\n')
      await this.file('data/mail/b', 'second\n')
      await fs.symlink('a', this.at('data', 'link'))
    })
    afterEach(() => fs.rm(this.directory, { recursive: true, force: true }))
    return this
  }

  at(...names: string[]): string {
    return path.join(this.directory, ...names)
  }

  async file(name: string, content: string | Uint8Array): Promise<void> {
    await fs.mkdir(path.dirname(this.at(name)), { recursive: true })
    await fs.writeFile(this.at(name), content)
  }

  read(name: string): Promise<string> {
    return fs.readFile(this.at(name), 'utf8')
  }

  /** Puts the caps of the log into the home under a name. */
  async keep(name: string, withAdmin = true): Promise<void> {
    const home = homeAt(this.at('.grid'))
    const keyring = new Keyring({ home, disk: new SystemDisk(), random: new SystemRandom() })
    const read = attenuate(this.admin, 'LOG-Read')
    const admin = withAdmin ? this.admin : undefined
    await keyring.add(name, { append: this.#append, read, admin })
  }

  /** Appends a snapshot of `data`; its short id. */
  async backUp(facts: Partial<SnapshotFacts> = {}, clock?: Clock): Promise<string> {
    const opened = await openGrid({ home: this.at('.grid'), ...(clock && { clock }) })
    const account = await opened.logs.storing(this.#append)
    try {
      // the tree has one entry, `data`
      await fs.mkdir(this.at('root'), { recursive: true })
      await fs.rename(this.at('data'), this.at('root', 'data'))
      const { ref, totals } = await storeTree(opened, this.at('root'), {
        ...{ compress: true, ...(account && { account }) },
      })
      await fs.rename(this.at('root', 'data'), this.at('data'))
      const root = utf8(this.directory)
      const run = { root, tags: ['t'], startedMs: 1, addedBytes: 5, sentBytes: 50 }
      const { id } = await opened.logs.append(this.#append, {
        ...{ cap: capOfDirectory(ref), host: 'attic', label: 'daily', tool: 'test' },
        ...{ paths: [utf8(this.at('data'))], totals, partial: false, run },
        ...facts,
      })
      return toBase32(id).slice(0, 10)
    } finally {
      await opened.close()
    }
  }

  /** Takes all shares away, and leaves the log. */
  async loseShares(): Promise<void> {
    const names = await fs.readdir(this.at('.grid'), { recursive: true })
    const shares = names.filter((name) => path.basename(name) === 'shares')
    assert.ok(shares.length > 0, names.join(' '))
    for (const name of shares) await fs.rm(this.at('.grid', name), { recursive: true })
  }

  get readCap(): CapOf<'LOG-Read'> {
    return attenuate(this.admin, 'LOG-Read')
  }

  run(words: readonly string[], given: Partial<World> = {}): Promise<Transcript> {
    return grid(words, fakeWorld({ userDirectory: this.directory, ...given }))
  }
}
