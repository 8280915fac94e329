import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'mocha'
import { fromBase32 } from '../../src/base/base32.ts'
import { parseCap } from '../../src/caps/parse.ts'
import { filesBelow } from '../trial/secrets-in.ts'
import { Burglar } from './burglar.ts'
import { type SnapshotKeys, WatchedHome } from './watched-home.ts'

/** More than an extent has at most. */
const large = (): Uint8Array => randomBytes(4.5 * 2 ** 20)
const text = (name: string): string => `${name} ${'of some length '.repeat(20)}`
const goneWords = 'a few words that went away'
const keptWords = 'a few words that stayed'

/** Names of what a home opens, of all that any snapshot has. */
function namesOpened({ opened }: Burglar, snapshots: readonly SnapshotKeys[]): string[] {
  const names = new Set<string>()
  for (const { keys } of snapshots)
    for (const [name, key] of keys) if (opened.has(key)) names.add(name)
  return [...names].sort()
}

const namesOf = ({ keys }: SnapshotKeys): string[] => [...keys.keys()].sort()
const without = (all: SnapshotKeys, rest: SnapshotKeys): string[] => {
  const there = new Set(rest.keys.values())
  return [...all.keys].flatMap(([name, key]) => (there.has(key) ? [] : [name]))
}

describe('a stolen home', () => {
  const home = new WatchedHome().hooks()
  const rob = (stolen: string): Burglar => new Burglar(stolen, home.at('disk')).rob()

  /** Two snapshots: of the first much is gone in the second, and a little more after it. */
  async function live(): Promise<SnapshotKeys[]> {
    home.write('kept/a', text('a'))
    home.write('kept/large', large())
    home.write('kept/lit', keptWords)
    home.write('changed', text('before'))
    home.write('gone/b', text('b'))
    home.write('gone/lit', goneWords)
    home.write('gone/large', large())
    await home.backUp()
    home.remove('gone')
    home.write('changed', text('after'))
    home.write('since/c', text('c'))
    await home.backUp()
    home.remove('since')
    return home.snapshotKeys()
  }

  it('opens what the last run saw, and nothing that was gone before it', async () => {
    const [first, second] = await live()
    const burglar = rob(home.steal())
    const lost = without(first, second)
    // directories above what changed, the changed file, and all in the one that went away
    assert.ok(lost.includes('/data/gone/b') && lost.includes('/data/gone/large, extent 1'))
    assert.ok(lost.includes('/data/changed'))
    // what is kept is opened: that is what a thief gets; files removed since are among it
    assert.ok(namesOf(second).includes('/data/since/c'))
    assert.deepEqual(namesOpened(burglar, [first, second]), namesOf(second))
    assert.ok(burglar.holds(Buffer.from(keptWords)))
    assert.ok(!burglar.holds(Buffer.from(goneWords)))
  })

  it('names no object that only older snapshots stand on', async () => {
    const [first, second] = await live()
    const burglar = rob(home.steal())
    const there = new Set([...second.roots.keys()])
    for (const [name, root] of [...first.roots, ...second.roots])
      assert.equal(burglar.holds(root), there.has(name), name)
  })

  it('opens nothing at all where no keys are kept', async () => {
    home.keepNoKeys()
    const snapshots = await live()
    const burglar = rob(home.steal())
    assert.deepEqual(namesOpened(burglar, snapshots), [])
    assert.equal(burglar.opened.size, 0)
    for (const words of [keptWords, goneWords]) assert.ok(!burglar.holds(Buffer.from(words)))
  })

  it('opens nothing that came between, once a run has ended', async () => {
    home.write('kept', text('kept'))
    await home.backUp()
    home.write('between', large())
    await home.backUp()
    home.remove('between')
    await home.backUp()
    const snapshots = await home.snapshotKeys()
    const burglar = rob(home.steal())
    assert.deepEqual(namesOpened(burglar, snapshots), namesOf(snapshots[2]))
  })

  describe('after a run that was cut short', () => {
    /** What was gone before the last whole run, what it saw, what runs after it stored. */
    async function liveOn(): Promise<void> {
      home.write('gone', large())
      home.write('kept', text('kept'))
      await home.backUp()
      home.remove('gone')
      await home.backUp()
      home.write('stored', large())
      await home.failToBackUp()
      home.remove('stored', 'kept')
      home.write('new', text('new'))
      await home.failToBackUp()
    }

    it('opens what the last whole run saw and what was stored since, and nothing older', async () => {
      await liveOn()
      const burglar = rob(home.steal())
      const [first, second] = await home.snapshotKeys()
      assert.deepEqual(namesOpened(burglar, [first, second]), namesOf(second))
      const known = new Set([...second.keys.values()])
      const others = [...burglar.opened.keys()].filter((key) => !known.has(key))
      // two extents at least and the node of `stored`, and `new`
      assert.ok(others.length >= 4, String(others.length))
      const gone = new Set(without(first, second).map((name) => first.keys.get(name)))
      assert.ok(others.every((key) => !gone.has(key)))
    })

    it('opens nothing of them once a run has ended', async () => {
      await liveOn()
      const before = rob(home.steal())
      await home.backUp()
      const snapshots = await home.snapshotKeys()
      const after = rob(home.steal())
      assert.deepEqual(namesOpened(after, snapshots), namesOf(snapshots[2]))
      const kept = new Set(snapshots[2].keys.values())
      for (const key of before.opened.keys()) assert.equal(after.opened.has(key), kept.has(key))
    })

    it('opens nothing at all where no keys are kept', async () => {
      home.keepNoKeys()
      await liveOn()
      assert.equal(rob(home.steal()).opened.size, 0)
    })
  })

  it('has no seed that reads the log', async () => {
    await live()
    const stolen = home.steal()
    const { logId } = home.admin
    let tried = 0
    await home.asOwner(async (grid) => {
      for (const readSeed of seedsIn(stolen)) {
        const log = grid.logs.reader({ type: 'LOG-Read', readSeed, logId })
        for await (const { snapshot } of log.snapshots(await log.read()))
          assert.equal(snapshot, undefined)
        tried++
      }
    })
    // of the append cap two, of the home two, of the cache one
    assert.ok(tried >= 5, String(tried))
  })

  it('is refused whatever reads or rules', async () => {
    await live()
    const file = path.join(home.home, 'private/backups/backup')
    assert.equal(parseCap(fs.readFileSync(file, 'utf8').trim()).type, 'LOG-Append')
    for (const words of [
      ['snapshots'],
      ['restore', 'latest', home.at('out')],
      ['ls', 'latest:'],
      ['cat', 'latest:data/changed'],
      ['diff', 'latest', 'latest'],
      ['restore-test'],
      ['snapshots', '--read-cap-file', file],
      ['log', 'read', '--cap-file', file],
      ['log', 'audit', '--cap-file', file],
      ['log', 'grant', '--device', 'thief', '--cap-file', file],
      ['log', 'revoke', 'box', '--cap-file', file],
      ...['LOG-Admin', 'LOG-Read', 'LOG-Verify'].map((type) => {
        return ['cap', 'attenuate', '--to', type, '--cap-file', file]
      }),
    ]) {
      const { exit, stderr } = await home.run(words)
      assert.equal(exit, 8, `${words.join(' ')}: ${stderr}`)
    }
  })
})

/** Whatever in a home may be a seed: 32 bytes in a file of their own, or in base32. */
function seedsIn(folder: string): Uint8Array[] {
  return filesBelow(folder).flatMap((file) => {
    const content = fs.readFileSync(file)
    const words = content.toString('latin1').match(/\b[a-z2-7]{52}\b/g) ?? []
    const seeds = words.flatMap((word) => fromBase32(word) ?? [])
    return content.length === 32 ? [new Uint8Array(content), ...seeds] : seeds
  })
}
