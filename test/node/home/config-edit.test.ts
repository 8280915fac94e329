import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { isGridError } from '../../../src/base/errors.ts'
import { withSettings } from '../../../src/node/home/config-edit.ts'
import { configText } from '../../../src/node/home/config-file.ts'
import { type Override, parseConfig } from '../../../src/node/home/config.ts'

function set(path: string, value: unknown): Override {
  return { path, value, source: 'test' }
}

describe('editing a config', () => {
  it('changes what it is told in a file as init writes it, and nothing else', () => {
    const before = configText()
    const after = withSettings(before, [set('grid.name', 'family'), set('client.k', 3)].slice(0, 1))
    const lines = before.split('\n')
    const changed = after.split('\n').filter((line, i) => line !== lines[i])
    assert.deepEqual(changed, ['name = "family"'])
    assert.equal(parseConfig(after, [], '/').grid.name, 'family')
  })

  it('leaves comments, and puts in what is missing', () => {
    const before = '# mine\n[node]\nnickname = "attic" # upstairs\n'
    const after = withSettings(before, [
      set('node.domain', 'home'),
      set('grid.name', 'family'),
      set('grid.members', []),
    ])
    assert.ok(after.startsWith('# mine\n[node]\ndomain = "home"\nnickname = "attic" # upstairs\n'))
    const { node, grid } = parseConfig(after, [], '/')
    assert.deepEqual([node.nickname, node.domain, grid.name], ['attic', 'home', 'family'])
  })

  it('takes settings that are commented out', () => {
    const all = [set('client.k', 2), set('client.happy', 3), set('client.n', 4)]
    const after = withSettings(configText(), all)
    assert.deepEqual(parseConfig(after, [], '/').client.redundancy, { k: 2, happy: 3, n: 4 })
  })

  it('refuses a file that lines cannot change, and says what to set', () => {
    for (const text of [
      'grid.name = "a"\n[grid]\n',
      '[grid]\nintroducers = [\n  "x",\n]\n',
      'grid = { name = "a" }\n',
    ]) {
      assert.throws(
        () => withSettings(text, [set('grid.introducers', []), set('grid.name', 'b')]),
        (error) =>
          isGridError(error, 'E_CONFIG') && error.hint?.includes('grid.name = "b"') === true,
        text,
      )
    }
  })
})
