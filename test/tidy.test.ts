/** House rules that a machine can hold: layers, file sizes, no barrels. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'mocha'

/** Which folder may import which, and why the folder stands where it does. `src/index.ts` may import all. */
const layers: Record<string, { imports: string[]; why: string }> = {
  base: { imports: [], why: 'bytes and ports know nothing of shares' },
  caps: { imports: ['base'], why: 'strings and key derivation, no network and no disk' },
  encoding: { imports: ['base', 'caps'], why: 'bytes to shares and back, needs the keys' },
  tree: {
    imports: ['base', 'caps', 'encoding'],
    why: 'nodes are sealed streams; where objects live is not its business',
  },
  log: {
    imports: ['base', 'caps', 'encoding'],
    why: 'chains and their rules over a peer passed in; no network and no disk',
  },
  local: {
    imports: ['base', 'tree'],
    why: 'files of this machine as entries and back; what is stored of them is not its business',
  },
  wire: { imports: ['base'], why: 'requests over a channel; what they ask is not its business' },
  storage: {
    imports: ['base', 'caps', 'encoding', 'log', 'wire'],
    why: 'a server checks shares, and never holds a read key',
  },
  members: {
    imports: ['base', 'caps', 'log', 'wire', 'storage'],
    why: 'who may take part, and how one becomes a member; it decides what storage asks of it',
  },
  introducer: {
    imports: ['base', 'caps', 'encoding', 'wire'],
    why: 'announcements only; trust is decided above',
  },
  node: {
    imports: [
      ...['base', 'caps', 'encoding', 'wire', 'tree', 'log', 'local', 'storage', 'introducer'],
      'members',
    ],
    why: 'a participant is assembled here',
  },
  files: {
    imports: ['base', 'caps', 'encoding', 'tree', 'log', 'local', 'node'],
    why: 'a file system over trees and logs, an application on Grid; it knows no terminal',
  },
  backup: {
    imports: ['base', 'caps', 'encoding', 'tree', 'log', 'local', 'node'],
    why: 'snapshots of local trees in logs, an application on Grid; it knows no terminal',
  },
  keeper: {
    imports: ['base', 'caps', 'node'],
    why: 'a janitor with verify caps, an application on Grid; what it must not be able to do is read',
  },
  cli: {
    imports: [
      ...['base', 'caps', 'encoding', 'wire', 'tree', 'log', 'local', 'storage', 'introducer'],
      'members',
      'node',
      'files',
      'backup',
      'keeper',
    ],
    why: 'argv and the terminal, over everything',
  },
}

/** Likewise for the rooms of `src/node`; what lies in none of them may use all. */
const rooms: Record<string, { imports: string[]; why: string }> = {
  placement: { imports: [], why: 'which server for which share: pure' },
  home: { imports: ['placement'], why: 'what lies in the folder of a node, no network' },
  net: {
    imports: [],
    why: 'connections and their limits; what is said over them is not its business',
  },
  peers: { imports: ['placement', 'home'], why: 'whom a client may ask, however they are reached' },
  logs: { imports: ['placement', 'home', 'peers'], why: 'chains over peers' },
  objects: { imports: ['placement', 'peers'], why: 'one object to servers and back' },
  check: {
    imports: ['placement', 'peers', 'logs', 'objects'],
    why: 'with verify caps: it must not be able to read',
  },
  encoder: { imports: [], why: 'worker threads that turn bytes into shares' },
  content: {
    imports: ['placement', 'peers', 'logs', 'objects', 'check', 'encoder'],
    why: 'files and directories as objects',
  },
  repair: {
    imports: ['placement', 'peers', 'objects', 'check', 'content'],
    why: 'what a check found missing, made anew',
  },
  running: {
    imports: ['placement', 'home', 'net', 'peers'],
    why: 'a node that serves others, and its owner over a socket; it keeps no files of its own',
  },
}

const source = path.resolve(import.meta.dirname, '../../src')
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.includes('assembly'))
  .filter((name) => statSync(path.join(source, name)).isFile())

function importsOf(name: string): string[] {
  const text = readFileSync(path.join(source, name), 'utf8')
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)]
  return found.map(([, target = '']) => path.normalize(path.join(path.dirname(name), target)))
}

function folderOf(name: string): string {
  return name.includes(path.sep) ? name.slice(0, name.indexOf(path.sep)) : ''
}

describe('tidy', () => {
  it('finds the source', () => {
    assert.ok(files.length > 10)
  })

  it('has every folder in the layer table', () => {
    for (const name of files) {
      const folder = folderOf(name)
      assert.ok(folder === '' || folder in layers, `${name}: folder not in the table of layers`)
    }
  })

  it('imports only from lower layers', () => {
    for (const name of files) {
      const folder = folderOf(name)
      if (folder === '') continue
      for (const target of importsOf(name)) {
        const lower = folderOf(target)
        const allowed = lower === folder || layers[folder]?.imports.includes(lower)
        assert.ok(
          allowed,
          `src/${name} imports src/${target}: ${folder} may not use ${lower || 'the index'}`,
        )
      }
    }
  })

  it('imports from the rooms of a node as its table says', () => {
    const roomOf = (name: string): string | undefined => /^node\/([^/]+)\//.exec(name)?.[1]
    for (const name of files) {
      const room = roomOf(name)
      if (room === undefined) continue
      for (const target of importsOf(name).filter((target) => folderOf(target) === 'node')) {
        const lower = roomOf(target)
        const allowed = lower === room || rooms[room]?.imports.includes(lower ?? '')
        assert.ok(allowed, `src/${name} imports src/${target}: ${room} may not use it`)
      }
    }
  })

  it('has no import cycle', () => {
    const done = new Set<string>()
    const visit = (name: string, path: string[]): void => {
      assert.ok(!path.includes(name), `import cycle: ${[...path, name].join(' → ')}`)
      if (done.has(name)) return
      for (const target of importsOf(name)) visit(target, [...path, name])
      done.add(name)
    }
    for (const name of files) visit(name, [])
  })

  it('keeps files short enough for one noun', () => {
    for (const name of files) {
      if (name.endsWith('.wasm.ts')) continue
      const lines = readFileSync(path.join(source, name), 'utf8').split('\n').length
      assert.ok(lines <= 320, `src/${name} has ${lines} lines: could one noun become two?`)
    }
  })

  it('has no drawer for odds and ends', () => {
    for (const name of files) {
      assert.doesNotMatch(name, /(^|\/)(utils?|common|helpers?|misc)(\.|\/)/, `src/${name}`)
    }
  })

  it('starts every entry point with the shim', () => {
    const entries = files.filter((name) => /(^|\/)(main|[a-z-]*worker|index)\.ts$/.test(name))
    for (const name of entries) {
      const [first] = importsOf(name)
      assert.equal(first, path.normalize('base/shim.ts'), `src/${name} must import the shim first`)
    }
  })

  it('never gives a path of a machine or a registry', () => {
    for (const name of files) {
      const text = readFileSync(path.join(source, name), 'utf8')
      assert.doesNotMatch(
        text,
        /(^|[^\w.])\/(home|root)\/[a-z]|https?:\/\/registry\./,
        `src/${name}`,
      )
    }
  })
})
