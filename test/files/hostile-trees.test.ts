/** Trees and logs that somebody made who should not have. */
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../src/base/errors.ts'
import { formatName, parseName, parsePath } from '../../src/files/path.ts'
import { TreeView } from '../../src/files/tree-view.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { resolveDirectory } from '../../src/tree/directory-reader.ts'
import { lit } from '../tree/entries.ts'
import { Writers } from './log-world.ts'
import { attributes, contentsOf, MemoryTrees } from './memory-trees.ts'
import fc from 'fast-check'
import { maxNameBytes } from '../../src/tree/entry.ts'

/** A tree of so many directories, each in the one before. */
async function deep(trees: MemoryTrees, levels: number): Promise<NodeName> {
  let inner = await trees.large([lit('end')])
  for (let i = 0; i < levels; i++) {
    const content = await resolveDirectory(trees, inner)
    inner = await trees.large([{ ...lit('d'), kind: 'directory', content }])
  }
  return inner
}

async function count(walk: AsyncIterable<unknown>): Promise<number> {
  let items = 0
  for await (const item of walk) items += item === undefined ? 0 : 1
  return items
}

const isMalformed = (error: unknown): boolean => isGridError(error, 'E_NODE')

describe('hostile trees', () => {
  it('are walked 255 directories deep, and no further', async () => {
    const trees = new MemoryTrees()
    const within = await deep(trees, 254)
    assert.equal(await count(new TreeView(trees, within).walk(within)), 255)
    const beyond = await deep(trees, 300)
    await assert.rejects(count(new TreeView(trees, beyond).walk(beyond)), isMalformed)
  })

  it('hold up nobody who goes through the same directory in many ways', async () => {
    const trees = new MemoryTrees()
    let inner = await trees.large([lit('end')])
    for (let i = 0; i < 200; i++) {
      const content = await resolveDirectory(trees, inner)
      const both = ['a', 'b'].map((name) => ({ ...lit(name), kind: 'directory' as const, content }))
      inner = await trees.large(both)
    }
    const view = new TreeView(trees, inner)
    const stop = new AbortController()
    let seen = 0
    const walk = async (): Promise<void> => {
      for await (const { path } of view.walk(inner, { signal: stop.signal })) {
        assert.ok(path.length <= 255)
        if (++seen === 1000) stop.abort(new Error('enough'))
      }
    }
    await assert.rejects(walk(), /enough/)
    assert.equal(seen, 1000)
  })

  it('hold up no merge of what is beside them', async () => {
    const writers = await Writers.of('laptop', 'desk')
    const bomb = await resolveDirectory(writers.trees, await deep(writers.trees, 300))
    await writers.put('laptop', ['a', '1'])
    const files = writers.files.get('laptop')!
    await files.change(async () => [
      {
        path: parsePath('bomb'),
        entry: { ...lit('bomb'), ...attributes, kind: 'directory', content: bomb },
      },
    ])
    await writers.atOnce({ laptop: [['a', '2']], desk: [['b', '1']] })
    const { view } = await writers.reader().read()
    const names: string[] = []
    for await (const { name } of view.list([])) names.push(formatName(name))
    assert.deepEqual(names, ['a', 'b', 'bomb'])
  })

  it('of entries that are no snapshots are passed over', async () => {
    const writers = await Writers.of('laptop', 'desk')
    await writers.put('desk', ['b', '1'])
    await writers.put('laptop', ['a', '1'])
    const evil = await writers.world.writer('desk')
    await evil.append('snapshot', () => new Uint8Array(3000))
    await evil.append('snapshot', () => new Uint8Array(0))
    assert.deepEqual(await writers.seen(), { a: '1', b: '1' })
    await writers.put('laptop', ['c', '1'])
    assert.deepEqual(await writers.seen(), { a: '1', b: '1', c: '1' })
    assert.equal(await count(writers.reader().history(parsePath('a'))), 1)
  })
})

describe('names as text', () => {
  it('come back whatever they are', () => {
    const byte = fc.integer({ min: 1, max: 255 }).filter((each) => each !== 0x2f)
    const name = fc
      .array(byte, { minLength: 1, maxLength: 40 })
      .map((bytes) => Uint8Array.from(bytes))
      .filter((bytes) => !bytes.every((each) => each === 0x2e))
    fc.assert(
      fc.property(name, (bytes) => {
        const text = formatName(bytes)
        // eslint-disable-next-line no-control-regex -- none of these may come through
        assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
        assert.deepEqual(parseName(text), bytes)
      }),
    )
  })

  it('are refused where they are none', () => {
    for (const text of [
      '.',
      '..',
      'a\\',
      'a\\x0',
      'a\\x00b',
      'a\\x2fb',
      'a\ufffd',
      'x'.repeat(maxNameBytes + 1),
    ])
      assert.throws(() => parsePath(text), /no path in a tree/, JSON.stringify(text.slice(0, 9)))
    assert.throws(() => parsePath('a/'.repeat(256)), /more than 255 names/)
    assert.deepEqual(parsePath('//a///b/').map(formatName), ['a', 'b'])
  })

  it('keep what any language writes', async () => {
    const trees = new MemoryTrees()
    const root = await trees.tree({
      'Straße/日本語 😀.txt': '1',
      constructor: '2',
      __proto__x: '3',
    })
    const found = [...(await contentsOf(trees, root)).keys()]
    assert.deepEqual(found, ['Straße', 'Straße/日本語 😀.txt', '__proto__x', 'constructor'])
  })
})
