import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Directory, type DirectoryLimits, maxLifetimeMs } from '../../src/introducer/directory.ts'
import { announcementOf, dayMs, gridName, startMs } from './nodes.ts'

function directory(limits: Partial<DirectoryLimits> = {}): Directory {
  return new Directory({
    gridName,
    maxNodes: 1000,
    maxNodesOfSource: 1000,
    keepExpiredMs: 0,
    ...limits,
  })
}

function names(entries: Iterable<{ announcement: { facts: { nickname: string } } }>): string[] {
  return [...entries].map(({ announcement }) => announcement.facts.nickname)
}

function named(name: string, changed: Parameters<typeof announcementOf>[1] = {}) {
  const { facts } = announcementOf(name)
  return announcementOf(name, { facts: { ...facts, nickname: name }, ...changed })
}

describe('directory', () => {
  it('keeps the newest announcement of each node', () => {
    const list = directory()
    assert.equal(list.accept(announcementOf('a', { seq: 5 }), 'x', startMs), 'new')
    assert.equal(list.accept(announcementOf('b', { seq: 1 }), 'x', startMs), 'new')
    const newer = announcementOf('a', { seq: 6 })
    assert.equal(list.accept(newer, 'x', startMs), 'newer')
    assert.equal(list.size, 2)
    assert.equal(list.get(newer.nodeId)?.announcement, newer)
  })

  it('server 29: a replayed announcement with an old address changes nothing', () => {
    const list = directory()
    const old = announcementOf('a', { seq: 5, addresses: ['/ip4/203.0.113.1/tcp/1'] })
    const current = announcementOf('a', { seq: 6, addresses: ['/ip4/203.0.113.2/tcp/1'] })
    list.accept(current, 'x', startMs)
    assert.equal(list.accept(old, 'y', startMs), 'older')
    assert.equal(list.get(old.nodeId)?.announcement, current)
    // and once nobody remembers the newer one, the old one has expired
    assert.equal(directory().accept(old, 'y', old.expiresAtMs), 'expired')
  })

  it('server 27: an expiry in ten years counts for seven days by our clock', () => {
    const list = directory()
    list.accept(announcementOf('a', { expiresAtMs: startMs + 3650 * dayMs }), 'x', startMs)
    list.purge(startMs + maxLifetimeMs - 1)
    assert.equal(list.size, 1)
    list.purge(startMs + maxLifetimeMs)
    assert.equal(list.size, 0)
  })

  it('refuses what has expired, to the millisecond', () => {
    const announcement = announcementOf('a', { expiresAtMs: startMs + 1 })
    assert.equal(directory().accept(announcement, 'x', startMs + 1), 'expired')
    assert.equal(directory().accept(announcement, 'x', startMs), 'new')
  })

  it('refuses an announcement for another grid', () => {
    const list = directory()
    assert.equal(
      list.accept(announcementOf('a', { gridName: 'other' }), 'x', startMs),
      'other-grid',
    )
    assert.equal(list.size, 0)
  })

  it('keeps the first of two announcements with one number', () => {
    const list = directory()
    const first = announcementOf('a', { addresses: ['/ip4/203.0.113.1/tcp/1'] })
    list.accept(first, 'x', startMs)
    const second = announcementOf('a', { addresses: ['/ip4/203.0.113.2/tcp/1'] })
    assert.equal(list.accept(second, 'y', startMs), 'known')
    assert.equal(list.get(first.nodeId)?.announcement, first)
    assert.deepEqual(list.get(first.nodeId)?.sources, ['x', 'y'])
  })

  it('tells what changed after a cursor, in order', () => {
    const list = directory()
    assert.equal(list.cursor, 0)
    for (const name of ['a', 'b', 'c']) list.accept(named(name), 'x', startMs)
    assert.deepEqual(names(list.since(0)), ['a', 'b', 'c'])
    const { cursor } = list
    assert.deepEqual(names(list.since(cursor)), [])
    list.accept(named('a', { seq: 2 }), 'x', startMs)
    list.accept(named('b'), 'x', startMs)
    assert.deepEqual(names(list.since(cursor)), ['a'])
    assert.deepEqual(names(list.since(0)), ['b', 'c', 'a'])
  })

  it('server 32: a flood fills the share of its source and no more', () => {
    const list = directory({ maxNodes: 20, maxNodesOfSource: 10 })
    const verdicts = Array.from({ length: 100 }, (_, i) =>
      list.accept(announcementOf(`sybil ${i}`), 'liar', startMs),
    )
    assert.equal(verdicts.filter((verdict) => verdict === 'new').length, 10)
    assert.equal(verdicts.filter((verdict) => verdict === 'full').length, 90)
    for (let i = 0; i < 10; i++) {
      assert.equal(list.accept(announcementOf(`honest ${i}`), 'honest', startMs), 'new')
    }
    assert.equal(list.accept(announcementOf('one more'), 'third', startMs), 'full')
    // what is known stays known, and is still brought up to date
    assert.equal(list.accept(announcementOf('honest 3', { seq: 2 }), 'honest', startMs), 'newer')
    assert.equal(list.size, 20)
  })

  it('makes room by forgetting the node that expired first', () => {
    const list = directory({ maxNodes: 3, keepExpiredMs: 90 * dayMs })
    for (const [name, hours] of [
      ['a', 3],
      ['b', 2],
      ['c', 9],
    ] as const) {
      const expiresAtMs = startMs + hours * 3600_000
      list.accept(named(name, { expiresAtMs }), 'x', startMs)
    }
    const nowMs = startMs + 4 * 3600_000
    assert.equal(list.accept(named('d'), 'x', nowMs), 'new')
    assert.deepEqual(names(list.since(0)), ['a', 'c', 'd'])
    assert.equal(list.accept(named('e'), 'x', nowMs), 'new')
    assert.equal(list.accept(named('f'), 'x', nowMs), 'full')
    assert.deepEqual(names(list.since(0)), ['c', 'd', 'e'])
  })

  it('keeps an expired node as long as it was told to', () => {
    const list = directory({ keepExpiredMs: 90 * dayMs })
    list.accept(announcementOf('a'), 'x', startMs)
    list.purge(startMs + 91 * dayMs - 1)
    assert.equal(list.size, 1)
    list.purge(startMs + 91 * dayMs)
    assert.equal(list.size, 0)
  })

  it('takes back what it kept, expired or not, but no longer than it would have kept it', () => {
    const list = directory({ keepExpiredMs: 90 * dayMs })
    const kept = { sources: ['x'], untilMs: startMs + dayMs }
    assert.equal(list.restore(announcementOf('a'), kept, startMs + 30 * dayMs), 'new')
    assert.equal(list.restore(announcementOf('b'), kept, startMs + 91 * dayMs), 'expired')
    const damaged = { sources: ['x'], untilMs: startMs + 3650 * dayMs }
    assert.equal(list.restore(announcementOf('c'), damaged, startMs + 91 * dayMs), 'expired')
  })

  it('remembers at most 16 sources of a node', () => {
    const list = directory()
    const announcement = announcementOf('a')
    for (let i = 0; i < 40; i++) list.accept(announcement, `source ${i}`, startMs)
    assert.equal(list.get(announcement.nodeId)?.sources.length, 16)
  })
})
