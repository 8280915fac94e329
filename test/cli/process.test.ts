import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, it } from 'mocha'

const main = 'dist/src/cli/main.js'

async function exitOf(child: ChildProcess): Promise<unknown> {
  const [code] = (await once(child, 'exit')) as unknown[]
  return code
}

describe('process', () => {
  it('exits with the code of the command, its message on stderr', async () => {
    const child = spawn(process.execPath, [main, 'node', 'id', '--home', '/dev/null/x'])
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      exitOf(child),
    ])
    assert.deepEqual({ stdout, code }, { stdout: '', code: 10 })
    assert.equal(
      stderr,
      'error: there is no grid home at /dev/null/x\ntry: run: grid init, or for a server: grid node init, grid introducer init\n',
    )
  })

  it('stops in good order on the first signal', async () => {
    const child = spawn(process.execPath, [main, 'cap', 'inspect', '--cap-stdin', '-v'])
    const stderr = text(child.stderr)
    await once(child.stderr, 'readable')
    child.kill('SIGINT')
    const code = await exitOf(child)
    assert.equal(code, 130)
    assert.match(await stderr, /"event":"start".*error: stopped by SIGINT\n/s)
  })

  it('is silent when its reader goes away', async () => {
    const child = spawn(process.execPath, [main, 'help'])
    child.stdout.destroy()
    const [stderr, code] = await Promise.all([text(child.stderr), exitOf(child)])
    assert.deepEqual({ stderr, code }, { stderr: '', code: 130 })
  })
})
