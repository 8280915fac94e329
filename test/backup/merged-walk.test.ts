import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { equalBytes } from '../../src/base/bytes.ts'
import type { CachedRow, RowCursor } from '../../src/backup/memory/cache-cursor.ts'
import { type MergedStep, MergedWalk } from '../../src/backup/merged-walk.ts'
import { formatFingerprint } from '../../src/local/fingerprint.ts'
import { MemoryTree } from './memory-tree.ts'

/** Rows as a run over this tree leaves them. */
function rowsOf(tree: MemoryTree): RowCursor {
  const rows = [...tree.source().walk()].map(({ step, entry }): CachedRow => {
    const row: CachedRow = {
      step,
      name: entry.name,
      matches: (fingerprint) => row.hasFingerprint(fingerprint),
      hasFingerprint: (fingerprint) => equalBytes(fingerprint, formatFingerprint(entry.stats)),
      content: () => undefined,
      directory: () => assert.fail('not asked for'),
      kept: () => row,
    }
    return row
  })
  let at = 0
  return {
    get row() {
      return rows[at]
    },
    advance() {
      at++
    },
    skipSubtree() {
      assert.equal(rows[at].step, 'enter')
      let depth = 0
      do {
        if (rows[at].step === 'enter') depth++
        if (rows[at].step === 'leave') depth--
        at++
      } while (depth > 0)
    },
  }
}

/** What a walk told, by path. */
function told(now: MemoryTree, before: MemoryTree | undefined, stopAfter = Infinity): string[] {
  const walk = new MergedWalk(now.source().walk(), before && rowsOf(before))
  const lines: string[] = []
  const above: string[] = []
  let steps = 0
  for (const step of walk.walk()) {
    lines.push(lineOf(step, above))
    if (++steps === stopAfter) walk.stop()
  }
  assert.equal(walk.isWhole, stopAfter === Infinity)
  return lines
}

function lineOf(merged: MergedStep, above: string[]): string {
  const text = (name: Uint8Array): string =>
    [...above, Buffer.from(name).toString('latin1')].join('/')
  switch (merged.step) {
    case 'gone':
      return `gone ${text(merged.name)}`
    case 'unseen':
      return `unseen ${merged.row.step} ${Buffer.from(merged.row.name).toString('latin1')}`
    case 'enter': {
      const line = `enter ${text(merged.entry.name)} ${merged.wasThere ? 'again' : 'new'}`
      above.push(Buffer.from(merged.entry.name).toString('latin1'))
      return line
    }
    default: {
      if (merged.step === 'leave') above.pop()
      const { row, fingerprint } = merged
      const how = row === undefined ? 'new' : row.matches(fingerprint) ? 'same' : 'changed'
      return `${merged.step} ${text(merged.entry.name)} ${how}`
    }
  }
}

function treeOf(files: Readonly<Record<string, string>>): MemoryTree {
  const tree = new MemoryTree()
  for (const [path, content] of Object.entries(files)) tree.write(path, content)
  return tree
}

describe('a walk beside the rows of the last one', () => {
  it('finds everything new where there are no rows', () => {
    assert.deepEqual(told(treeOf({ 'a/b': '1' }), undefined), [
      ...['enter  new', 'enter /a new', 'entry /a/b new', 'leave /a new', 'leave  new'],
    ])
  })

  it('finds nothing changed where nothing was', () => {
    const tree = treeOf({ a: '1', 'b/c': '2', d: '3' })
    for (const line of told(tree, tree)) assert.match(line, /(same|again)$/)
  })

  it('tells what is new, changed, gone, and of another kind now', () => {
    const tree = treeOf({ a: '1', 'b/c': '2', 'b/d': '3', e: '4', 'f/g/h': '5' })
    const rows = rowsOf(tree)
    tree.remove('a')
    tree.write('b/c', 'two')
    tree.write('b/cc', 'new')
    tree.remove('e')
    tree.write('e/x', 'now a directory')
    tree.remove('f')
    tree.write('f', 'now a file')
    const lines: string[] = []
    const above: string[] = []
    for (const step of new MergedWalk(tree.source().walk(), rows).walk())
      lines.push(lineOf(step, above))
    assert.deepEqual(lines, [
      ...['enter  again', 'gone /a', 'enter /b again', 'entry /b/c changed', 'entry /b/cc new'],
      ...['entry /b/d same', 'leave /b changed', 'enter /e new', 'entry /e/x new', 'leave /e new'],
      ...['entry /f new', 'leave  changed'],
    ])
  })

  it('leaves what it was not to come to as unseen, and closes what it is in', () => {
    const tree = treeOf({ 'a/b': '1', 'a/c/d': '2', 'a/e': '3', f: '4' })
    assert.deepEqual(told(tree, tree, 3), [
      ...['enter  again', 'enter /a again', 'entry /a/b same'],
      ...['unseen enter c', 'unseen entry d', 'unseen leave c', 'unseen entry e', 'leave /a same'],
      ...['unseen entry f', 'leave  same'],
    ])
  })

  it('never loses its place, whatever came and went', () => {
    const path = fc.stringMatching(/^[abc](\/[abc]){0,3}$/)
    const change = fc.record({ path, remove: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change), fc.array(change), fc.nat(40), (first, second, stop) => {
        const tree = new MemoryTree()
        apply(tree, first)
        const before = new Map(tree.files())
        const rows = rowsOf(tree)
        apply(tree, second)
        const now = new Map(tree.files())
        const walk = new MergedWalk(tree.source().walk(), rows)
        const unseen: string[] = []
        let steps = 0
        for (const step of walk.walk()) {
          if (step.step === 'unseen' && step.row.step === 'entry') unseen.push('entry')
          if (step.step === 'entry') {
            const path = Buffer.from(step.entry.path).toString('latin1')
            const isSame = step.row?.matches(step.fingerprint) === true
            assert.equal(isSame, before.get(path) === now.get(path) && isKept(second, path))
          }
          if (++steps === stop) walk.stop()
        }
        assert.equal(rows.row, undefined)
      }),
    )
  })
})

type Change = { path: string; remove: boolean }

function apply(tree: MemoryTree, changes: readonly Change[]): void {
  for (const { path, remove } of changes) {
    if (remove) tree.remove(path)
    else tree.write(path, path)
  }
}

/** Whether no change wrote or removed the path, or one above it. */
function isKept(changes: readonly Change[], path: string): boolean {
  return !changes.some((each) => each.path === path || path.startsWith(`${each.path}/`))
}
