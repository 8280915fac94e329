import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'mocha'

/** Everything that is loaded before the command is known: what is imported other than by a call. */
function loadedAtStart(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  if (!file.endsWith('.js')) return seen
  const text = readFileSync(file, 'utf8')
  for (const [, target = ''] of text.matchAll(
    /^(?:import|export) (?:[^'"]* from )?['"]([^'"]+)['"]/gm,
  )) {
    loadedAtStart(target.startsWith('.') ? path.join(path.dirname(file), target) : target, seen)
  }
  return seen
}

describe('start-up', () => {
  it('loads no package and no command, so that help comes at once', () => {
    const loaded = [...loadedAtStart('dist/src/cli/main.js')]
    const packages = loaded.filter((name) => !name.endsWith('.js') && !name.startsWith('node:'))
    assert.deepEqual(packages, [])
    assert.ok(loaded.some((name) => name.endsWith('registry.js')))
    assert.deepEqual(
      loaded.filter((name) => name.includes('/commands/')),
      [],
    )
  })
})
