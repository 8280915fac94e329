import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { mergeTrees } from '../../src/files/merge.ts'
import { Scratch } from '../../src/files/scratch.ts'
import type { Edit } from '../../src/files/edit-tree.ts'
import type { NodeName } from '../../src/tree/node-ref.ts'
import { bundled, keys, lit, nameOf } from '../tree/entries.ts'
import { contentsOf, editOf, fileOf, MemoryTrees } from './memory-trees.ts'
import { parsePath } from '../../src/files/path.ts'

const mark = { device: 'laptop', clientMs: Date.UTC(2026, 10, 25, 18, 30) }
type Tree = Record<string, string>
type Change = [path: string, text: string | undefined]

/** The merge of base after two lists of changes, as paths and contents. */
async function merged(
  base: Tree,
  first: readonly Change[],
  second: readonly Change[],
): Promise<Tree> {
  const trees = new MemoryTrees()
  const root = await trees.tree(base)
  const edited = (changes: readonly Change[]): Promise<NodeName> =>
    trees.edited(
      root,
      changes.map(([path, text]) => editOf(path, text)),
    )
  const scratch = new Scratch(trees, keys)
  const ways = { base: root, first: await edited(first), second: await edited(second) }
  const result = await mergeTrees(scratch, ways, mark)
  return Object.fromEntries(await contentsOf(scratch, result))
}

describe('merge', () => {
  it('takes what either side added, changed and removed', async () => {
    const base = { a: '1', b: '1', c: '1', d: '/', 'd/e': '1' }
    const first: Change[] = [
      ['a', '2'],
      ['b', undefined],
      ['new', '1'],
    ]
    const second: Change[] = [
      ['c', undefined],
      ['d/e', '2'],
      ['d/f', '1'],
    ]
    const expected = { a: '2', d: '/', 'd/e': '2', 'd/f': '1', new: '1' }
    assert.deepEqual(await merged(base, first, second), expected)
    assert.deepEqual(await merged(base, second, first), expected)
  })

  it('keeps both of two changes of one file, the second under a clear name', async () => {
    assert.deepEqual(await merged({ 'a.txt': '1' }, [['a.txt', '2']], [['a.txt', '3']]), {
      'a.txt': '2',
      'a (conflict, laptop, 2026-11-25 18.30).txt': '3',
    })
    assert.deepEqual(await merged({}, [['a', '2']], [['a', '3']]), {
      a: '2',
      'a (conflict, laptop, 2026-11-25 18.30)': '3',
    })
  })

  it('finds another name where that one is taken, and makes no second copy of one', async () => {
    const name = 'a (conflict, laptop, 2026-11-25 18.30)'
    const taken = await merged({ a: '1', [name]: '9' }, [['a', '2']], [['a', '3']])
    const second = 'a (conflict, laptop, 2026-11-25 18.30, 2)'
    assert.deepEqual(taken, { a: '2', [name]: '9', [second]: '3' })
    const there = await merged({ a: '1', [name]: '3' }, [['a', '2']], [['a', '3']])
    assert.deepEqual(there, { a: '2', [name]: '3' })
  })

  it('makes no conflict of one change made twice', async () => {
    assert.deepEqual(await merged({ a: '1' }, [['a', '2']], [['a', '2']]), { a: '2' })
    assert.deepEqual(await merged({ a: '1' }, [['a', undefined]], [['a', undefined]]), {})
  })

  it('keeps a change against a removal, in a removed directory too', async () => {
    assert.deepEqual(await merged({ a: '1' }, [['a', undefined]], [['a', '2']]), { a: '2' })
    const base = { d: '/', 'd/a': '1', 'd/b': '1', 'd/e': '/', 'd/e/f': '1' }
    const gone: Change[] = [['d', undefined]]
    const expected = { d: '/', 'd/a': '2' }
    assert.deepEqual(await merged(base, gone, [['d/a', '2']]), expected)
    assert.deepEqual(await merged(base, [['d/a', '2']], gone), expected)
    assert.deepEqual(await merged(base, gone, [['d/a', undefined]]), {})
  })

  it('keeps a directory and a file that want one name', async () => {
    const base = { d: '/', 'd/a': '1', 'd/b': '1' }
    const file: Change[] = [['d', 'file']]
    const copy = 'd (conflict, laptop, 2026-11-25 18.30)'
    assert.deepEqual(await merged(base, file, [['d/a', '2']]), {
      d: 'file',
      [copy]: '/',
      [`${copy}/a`]: '2',
    })
    assert.deepEqual(await merged(base, [['d/a', '2']], file), {
      d: '/',
      'd/a': '2',
      [copy]: 'file',
    })
    assert.deepEqual(await merged(base, [['d/a', undefined]], file), { d: 'file' })
  })

  it('sees no change where the same content is stored elsewhere', async () => {
    const trees = new MemoryTrees()
    const stored = bundled('f', 1)
    const moved = { ...stored, content: { ...stored.content, offset: 0 } }
    const base = await trees.large([stored])
    const first = await trees.large([moved])
    const second = await trees.edited(base, [editOf('f', 'new')])
    for (const ways of [
      { base, first, second },
      { base, first: second, second: first },
    ]) {
      const scratch = new Scratch(trees, keys)
      const root = await mergeTrees(scratch, ways, mark)
      assert.deepEqual([...(await contentsOf(scratch, root))], [['f', 'new']])
    }
  })

  it('takes the later of two changes of time or mode alone', async () => {
    const trees = new MemoryTrees()
    const base = await trees.tree({ a: '1' })
    const at = (seconds: number, mode: number): Edit => {
      const entry = { ...fileOf('1'), mode, mtime: { seconds, nanoseconds: 0 } }
      return { path: parsePath('a'), entry }
    }
    const first = await trees.edited(base, [at(3000, 0o600)])
    const second = await trees.edited(base, [at(2000, 0o400)])
    for (const ways of [
      { base, first, second },
      { base, first: second, second: first },
    ]) {
      const scratch = new Scratch(trees, keys)
      const root = await mergeTrees(scratch, ways, mark)
      assert.deepEqual([...(await contentsOf(scratch, root)).keys()], ['a'])
    }
  })

  it('reads and writes only what differs of large directories', async () => {
    const trees = new MemoryTrees()
    const base = await trees.large(Array.from({ length: 100_000 }, (_, i) => lit(nameOf(i))))
    const first = await trees.edited(base, [editOf(nameOf(10), 'changed')])
    const second = await trees.edited(base, [editOf(nameOf(90_000), 'changed')])
    const before = trees.objects.reads
    const scratch = new Scratch(trees, keys)
    const root = await mergeTrees(scratch, { base, first, second }, mark)
    assert.ok(trees.objects.reads - before < 60, `${trees.objects.reads - before} reads`)
    const found = [10, 90_000].map((i) => [nameOf(i), 'changed'])
    const contents = await contentsOf(scratch, root)
    for (const [name, text] of found) assert.equal(contents.get(name), text)
    assert.equal(contents.size, 100_000)
  }).timeout(60_000)

  const part = fc.constantFrom('a', 'b', 'c.txt')
  const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
  const change = fc.tuple(path, fc.constantFrom(undefined, '1', '2', '3', '/'))
  const changes = fc.array(change, { maxLength: 6 })

  it('loses no update of either side, and undoes none', async () => {
    await fc.assert(
      fc.asyncProperty(changes, changes, changes, async (start, left, right) => {
        const trees = new MemoryTrees()
        const apply = (base: NodeName | undefined, list: readonly Change[]): Promise<NodeName> =>
          editedBySteps(trees, base, list)
        const base = await apply(undefined, start)
        const [first, second] = [await apply(base, left), await apply(base, right)]
        const scratch = new Scratch(trees, keys)
        const root = await mergeTrees(scratch, { base, first, second }, mark)
        const [was, one, two, now] = await Promise.all(
          [base, first, second, root].map((tree) => contentsOf(scratch, tree)),
        )
        for (const [side, other] of [
          [one, two],
          [two, one],
        ]) {
          for (const [at, text] of side) {
            if (was.get(at) === text) continue
            assert.ok(isKept(now, at, text), `${at} = ${text} of ${JSON.stringify([...now])}`)
          }
          for (const [at, text] of was) {
            if (text === '/' || side.has(at) || other.get(at) !== text) continue
            assert.ok(!now.has(at), `${at} is back`)
          }
        }
        for (const [at, text] of was)
          if (one.get(at) === text && two.get(at) === text) assert.equal(now.get(at), text)
        const invented = [...now.values()].filter(
          (text) => ![...one.values(), ...two.values()].includes(text),
        )
        assert.deepEqual(invented, [])
      }),
      { numRuns: process.env.SLOW === '1' ? 3000 : 150 },
    )
  })

  it('is the other side where one did nothing, and itself where both did the same', async () => {
    await fc.assert(
      fc.asyncProperty(changes, changes, async (start, list) => {
        const trees = new MemoryTrees()
        const base = await editedBySteps(trees, undefined, start)
        const side = await editedBySteps(trees, base, list)
        const scratch = new Scratch(trees, keys)
        const expected = await contentsOf(trees, side)
        for (const [first, second] of [
          [base, side],
          [side, base],
          [side, side],
        ]) {
          const root = await mergeTrees(scratch, { base, first, second }, mark)
          assert.deepEqual(await contentsOf(scratch, root), expected)
        }
      }),
      { numRuns: 60 },
    )
  })
})

/** Edits one after another; what is below a file is left out. */
async function editedBySteps(
  trees: MemoryTrees,
  base: NodeName | undefined,
  list: readonly Change[],
): Promise<NodeName> {
  let root = base ?? (await trees.tree({}))
  for (const [path, text] of list) {
    root = await trees.edited(root, [editOf(path, text)]).catch(() => root)
  }
  return root
}

/** Whether `text` is at the path, or at one of conflict names on the way. */
function isKept(tree: ReadonlyMap<string, string>, path: string, text: string): boolean {
  const pattern = path
    .split('/')
    .map((name) => {
      const [stem, ending] = name.endsWith('.txt') ? [name.slice(0, -4), '\\.txt'] : [name, '']
      return `${stem}( \\(conflict, [^)]*\\))?${ending}`
    })
    .join('/')
  const at = new RegExp(`^${pattern}$`)
  return [...tree].some(([name, found]) => at.test(name) && found === text)
}
