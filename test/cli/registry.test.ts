import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { findCommand } from '../../src/cli/find-command.ts'
import { longFlag } from '../../src/cli/global-options.ts'
import { registry } from '../../src/cli/registry.ts'
import { fakeWorld, grid } from './fake-world.ts'

const commandsPage = readFileSync('docs/commands.md', 'utf8')

describe('registry', () => {
  for (const { name, summary, load } of registry) {
    it(`has in ${name} all that a command needs`, async () => {
      const command = await load()
      assert.match(name, /^[a-z]+(-[a-z]+)?( [a-z]+)?$/)
      assert.match(summary, /^[a-z].*[^.]$/)
      assert.ok(command.examples.length > 0, 'an example')
      for (const [line, does] of command.examples) {
        assert.match(line, new RegExp(`grid ${name}( |$)`))
        assert.ok(does.length > 0)
      }
      for (const option of Object.values(command.options)) assert.match(longFlag(option), /^--/)
      const optional = command.arguments.map((argument) => argument.optional === true)
      assert.deepEqual(optional, [...optional].sort(), 'what may be left out comes last')
      assert.ok(command.arguments.slice(0, -1).every(({ many }) => many !== true))
    })

    it(`explains ${name}, with an example and --json`, async () => {
      const words = name.split(' ')
      const { exit, stdout, stderr } = await grid([...words, '--help'])
      assert.equal(exit, 0)
      assert.equal(stderr, '')
      for (const part of [`grid ${name}`, summary, 'Examples:', '--json']) {
        assert.ok(stdout.includes(part), `${part} in:\n${stdout}`)
      }
      assert.ok((await grid(['help', ...words])).stdout.includes(stdout.trimEnd()))
    })

    it(`ends ${name} --json with exactly one summary or error`, async () => {
      const world = fakeWorld({ userDirectory: '/dev/null' })
      const { exit, lines } = await grid([...name.split(' '), '--json', '--unknown'], world)
      assert.equal(exit, 2)
      const [{ v, type, code, exit: told } = {}, ...more] = lines()
      assert.deepEqual(
        { v, type, code, told, more },
        { v: 1, type: 'error', code: 'E_USAGE', told: 2, more: [] },
      )
      assert.equal(world.stderr.text, '')
    })

    it(`has ${name} in docs/commands.md`, () => {
      assert.ok(commandsPage.includes(`\`grid ${name}`), name)
    })
  }

  it('names no command twice', () => {
    const names = registry.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
  })

  it('finds a command of two words beside one of its first, where they stand together', () => {
    const [{ load }] = registry
    const commands = ['back', 'back init'].map((name) => ({ name, summary: '', load }))
    const found = (...argv: string[]): unknown[] => {
      const { entry, rest } = findCommand(commands, argv)
      return [entry.name, ...rest]
    }
    assert.deepEqual(found('back', 'init', 'x'), ['back init', 'x'])
    assert.deepEqual(found('--json', 'back', 'init'), ['back init', '--json'])
    assert.deepEqual(found('back', './init'), ['back', './init'])
    assert.deepEqual(found('back', '--name', 'init', 'x'), ['back', '--name', 'init', 'x'])
    assert.deepEqual(found('back'), ['back'])
  })
})
