import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { findVersion, formatVersion } from '../../src/files/file-tree.ts'
import type { Version } from '../../src/files/version-graph.ts'
import { attenuate } from '../../src/caps/attenuate.ts'
import { parsePath } from '../../src/files/path.ts'
import { resolveDirectory } from '../../src/tree/directory-reader.ts'
import { lit, nameOf } from '../tree/entries.ts'
import { contentsOf, editOf, fileOf } from './memory-trees.ts'
import { Writers } from './log-world.ts'

describe('file tree', () => {
  it('is empty at first, and then what was put last', async () => {
    const writers = await Writers.of('laptop')
    assert.deepEqual(await writers.seen(), {})
    await writers.put('laptop', ['a', '1'], ['d/b', '2'])
    await writers.put('laptop', ['a', '3'])
    assert.deepEqual(await writers.seen(), { a: '3', d: '/', 'd/b': '2' })
    const { heads, conclusion } = await writers.reader().read()
    assert.equal(heads.length, 1)
    assert.equal(conclusion.state, 'FRESH')
  })

  it('adds no version where nothing changes', async () => {
    const writers = await Writers.of('laptop')
    const files = writers.files.get('laptop')!
    assert.equal(await files.change(async () => []), undefined)
    await writers.put('laptop', ['a', '1'])
    assert.equal(await files.change(async () => [editOf('a', '1')]), undefined)
    assert.equal((await files.versions()).length, 1)
  })

  it('changes nothing where the work throws', async () => {
    const writers = await Writers.of('laptop')
    await writers.put('laptop', ['a', '1'])
    const files = writers.files.get('laptop')!
    await assert.rejects(
      files.change(async () => [editOf('a/b', '1')]),
      /a is not a directory/,
    )
    assert.equal((await files.versions()).length, 1)
  })

  it('lets two who write at once both have their way', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('laptop', ['a', '1'], ['b', '1'])
    await writers.atOnce({ laptop: [['a', '2']], desk: [['b', '2']] })
    assert.equal((await writers.reader().read()).heads.length, 2)
    assert.deepEqual(await writers.seen(), { a: '2', b: '2' })
    await writers.put('desk', ['c', '1'])
    const { heads } = await writers.reader().read()
    assert.equal(heads.length, 1)
    assert.deepEqual(await writers.seen(), { a: '2', b: '2', c: '1' })
  })

  it('keeps both of a conflict, the same for all, and once it is recorded forever', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('laptop', ['a', '1'])
    await writers.atOnce({ laptop: [['a', 'l']], desk: [['a', 'd']] })
    const both = await writers.seen()
    assert.deepEqual(Object.values(both).sort(), ['d', 'l'])
    assert.match(Object.keys(both)[1], /^a \(conflict, (laptop|desk), 2023-11-14 22\.\d\d\)$/)
    assert.deepEqual(await writers.seen('desk'), both)
    await writers.put('laptop', ['b', '1'])
    await writers.put('desk', ['c', '1'])
    assert.deepEqual(await writers.seen(), { ...both, b: '1', c: '1' })
  })

  it('goes on from two who merged the same at once', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('laptop', ['a', '1'])
    await writers.atOnce({ laptop: [['a', 'l']], desk: [['a', 'd']] })
    const both = await writers.seen()
    await writers.atOnce({ laptop: [['b', '1']], desk: [['c', '1']] })
    await writers.atOnce({ laptop: [['b', '2']], desk: [['d', '1']] })
    assert.deepEqual(await writers.seen(), { ...both, b: '2', c: '1', d: '1' })
    await writers.put('desk', [Object.keys(both)[1], undefined])
    const [a] = Object.entries(both)
    assert.deepEqual(await writers.seen(), { [a[0]]: a[1], b: '2', c: '1', d: '1' })
  })

  it('goes back to the newest versions that two have in common, and no others', async () => {
    const writers = await Writers.of('laptop', 'desk')
    for (const text of ['1', '2', '3']) await writers.put('laptop', ['a', text])
    await writers.atOnce({ laptop: [['b', '1']], desk: [['c', '1']] })
    const graph = await writers.graph()
    const seqs = (versions: readonly Version[]): number[] =>
      versions.map(({ entry }) => entry.fields.seq)
    const [first, second] = await graph.heads()
    assert.deepEqual(seqs(await graph.bases([first], second)), [3])
    assert.deepEqual(await graph.bases([first, second], second), [second])
    await writers.atOnce({ laptop: [['b', '2']], desk: [['c', '2']] })
    const crossed = await writers.graph()
    const [one, two] = await crossed.heads()
    assert.deepEqual(seqs(await crossed.bases([one], two)).sort(), [1, 4])
  })

  it('takes a version to come after the one before it in its chain, named or not', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('laptop', ['a', '1'])
    await writers.put('desk', ['a', '2'])
    const graph = await writers.graph()
    const [head] = await graph.heads()
    const snapshot = (await graph.snapshotOf(head))!
    const device = await writers.world.device('desk')
    const check = { cap: attenuate(snapshot.cap, 'DIR-CHK-Verifier'), totals: snapshot.totals }
    await device.append({ ...snapshot, parents: [new Uint8Array(32)] }, check)
    const after = await writers.graph()
    const heads = await after.heads()
    assert.equal(heads.length, 1)
    assert.deepEqual(
      (await after.parentsOf(heads[0])).map(({ key }) => key),
      [head.key],
    )
    assert.deepEqual(await writers.seen(), { a: '2' })
  })

  it('opens few snapshots of a device that has been silent for long', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('desk', ['a', '1'])
    for (let i = 0; i < 20; i++) await writers.put('laptop', ['b', String(i)])
    const files = writers.reader()
    let opened = 0
    const original = writers.world.servers.map((server) => server.readLog.bind(server))
    writers.world.peers = writers.world.servers.map((server, i) => ({
      id: server.id,
      appendEntries: server.appendEntries.bind(server),
      readLog: async (request) => {
        if (request.bodies === 'all') opened++
        return original[i](request)
      },
    }))
    const { heads } = await files.read()
    assert.equal(heads.length, 1)
    assert.ok(opened <= 4, `${opened} snapshots opened`)
  })

  it('tells the history of a path, and brings a version of it back', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('laptop', ['d/a', '1'])
    await writers.put('desk', ['other', '1'])
    await writers.put('desk', ['d/a', '2'])
    await writers.put('laptop', ['d', undefined])
    const files = writers.files.get('laptop')!
    const history = []
    for await (const each of files.history(parsePath('d/a'))) history.push(each)
    assert.deepEqual(
      history.map(({ version, entry }) => [version.device, entry?.content]),
      [
        ['laptop', undefined],
        ['desk', fileOf('2').content],
        ['laptop', fileOf('1').content],
      ],
    )
    const old = formatVersion(history[2].version.entry.id)
    const version = findVersion(await files.versions(), old)
    await files.restore(parsePath('d/a'), version)
    assert.deepEqual(await writers.seen(), { d: '/', 'd/a': '1', other: '1' })
    await files.restore(parsePath('d'), history[0].version)
    assert.deepEqual(await writers.seen(), { other: '1' })
    const view = await files.readVersion(version)
    assert.deepEqual(Object.fromEntries(await contentsOf(view.reader, view.root)), {
      d: '/',
      'd/a': '1',
    })
    assert.throws(() => findVersion([version], 'ffff'), /no such version/)
    assert.throws(() => findVersion([version, version], old), /more than one/)
  })

  it('tells what is left of a history where old versions were pruned', async () => {
    const writers = await Writers.of('laptop')
    for (const text of ['1', '2', '3']) await writers.put('laptop', ['a', text])
    const files = writers.reader('laptop', (seq) => seq < 2)
    const seqs: number[] = []
    for await (const { version } of files.history(parsePath('a')))
      seqs.push(version.entry.fields.seq)
    assert.deepEqual(seqs, [3, 2])
    await assert.rejects(writers.reader('laptop', (seq) => seq === 3).read(), /pruned/)
  })

  it('shows a conflict in the history of both names, and a merge that changes nothing in none', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('laptop', ['a', '1'])
    await writers.atOnce({ laptop: [['b', '1']], desk: [['c', '1']] })
    await writers.put('laptop', ['d', '1'])
    const count = async (path: string): Promise<number> => {
      let found = 0
      for await (const each of writers.reader().history(parsePath(path))) found += each ? 1 : 0
      return found
    }
    for (const name of ['a', 'b', 'c', 'd']) assert.equal(await count(name), 1, name)
  })

  it('writes few objects for one change in a tree of 100,000 files', async () => {
    const writers = await Writers.of('laptop')
    const files = writers.files.get('laptop')!
    const content = await writers.trees.large(
      Array.from({ length: 1000 }, (_, i) => lit(nameOf(i))),
    )
    const ref = await resolveDirectory(writers.trees, content)
    const directory = { ...lit('d'), kind: 'directory' as const, content: ref }
    const paths = Array.from({ length: 100 }, (_, i) => parsePath(`top/d${i}`))
    await files.change(async () => paths.map((path) => ({ path, entry: directory })))
    const { objects } = writers.trees
    const before = objects.writes
    await writers.put('laptop', ['top/d7/n0000500', 'changed'])
    assert.ok(objects.writes - before <= 2, `${objects.writes - before} objects`)
    const { view } = await writers.reader().read()
    const found = await view.find(parsePath('top/d7/n0000500'))
    assert.deepEqual(found?.entry?.content, fileOf('changed').content)
  })

  const path = fc.constantFrom('a', 'b', 'd/a', 'd/b')
  const change = fc.tuple(path, fc.constantFrom(undefined, '1', '2', '3'))
  const names = ['laptop', 'desk', 'phone'] as const
  const step = fc.dictionary(
    fc.constantFrom(...names),
    fc.array(change, { minLength: 1, maxLength: 2 }),
    {
      minKeys: 1,
      maxKeys: 3,
    },
  )

  it('loses no write of three devices that see each other now and then', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (steps) => {
        const writers = await Writers.of(...names)
        let serial = 0
        for (const each of steps) {
          // Every write is another, so that each can be looked for.
          const changes = Object.entries(each).map(([name, list]) => {
            const unique = list.map(([at, text]): Change => [at, text && `${text} ${serial++}`])
            return [name, unique] as const
          })
          await writers.atOnce(Object.fromEntries(changes))
          const seen = await writers.seen()
          for (const [, list] of changes)
            for (const [at, text] of new Map(list))
              if (text !== undefined) assert.ok(isThere(seen, at, text), `${at} = ${text}`)
          assert.deepEqual(await writers.seen('phone'), seen)
        }
      }),
      { numRuns: process.env.SLOW === '1' ? 300 : 6 },
    )
  }).timeout(120_000)
})

type Change = [path: string, text: string | undefined]

/** Whether `text` is at the path or at a conflict name of it. */
function isThere(tree: Record<string, string>, path: string, text: string): boolean {
  return Object.entries(tree).some(([at, found]) => at.startsWith(path) && found === text)
}
