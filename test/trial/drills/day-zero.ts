/** A node's machine is lost, but for its share directory and a copy of its home from the day it was made. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { program } from '../command.ts'
import type { Drill } from './drill.ts'

/** What `grid node init` makes. */
const dayZero = ['config.toml', 'format', 'private']
const number = 4
const patienceMs = 60_000

export async function nodeRestored(drill: Drill): Promise<void> {
  const home = drill.nodeHome(number)
  const copy = drill.at('copy of day 0')
  fs.mkdirSync(copy, { mode: 0o700 })
  for (const name of dayZero) fs.cpSync(path.join(home, name), path.join(copy, name), { recursive: true })
  const before = await drill.must(['node', 'id'], path.basename(copy))
  await drill.demo.kill([number])
  fs.renameSync(path.join(home, 'storage'), drill.at('storage that is left'))
  fs.rmSync(home, { recursive: true })
  fs.cpSync(copy, home, { recursive: true })
  fs.renameSync(drill.at('storage that is left'), path.join(home, 'storage'))
  const [{ peerId }] = await drill.demo.start([number])
  assert.equal(peerId, before.end.peerId)
  const { end } = await drill.must(['check', '--log', 'backup', '--verify'])
  assert.deepEqual([end.healthy, end.leastServers, end.hidden], [end.objects, 10, 0])
  drill.saw('a node back under its name, with all its shares, from a copy of day 0 and its share directory')

  // the copy is started too, on another machine, as an operator may by mistake
  const config = path.join(copy, 'config.toml')
  const text = fs.readFileSync(config, 'utf8')
  fs.writeFileSync(config, text.replace(/^listen = .*$/m, 'listen = ["/ip4/127.0.0.1/tcp/0"]'))
  const warned = await warningOf(copy)
  assert.match(warned, /another node runs with the key of this one/)
  drill.saw('and a warning where two nodes run one key')
}

/** Runs the node of `home` until it warns or the first one does. */
async function warningOf(home: string): Promise<string> {
  const child = spawn(process.execPath, [program, 'node', 'run', '--json', '--home', home], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    return await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no warning')), patienceMs)
      child.once('exit', () => reject(new Error('it ended')))
      createInterface(child.stdout).on('line', (line) => {
        const { type, message } = JSON.parse(line) as Record<string, unknown>
        if (type !== 'warning') return
        clearTimeout(timer)
        resolve(String(message))
      })
    })
  } finally {
    child.removeAllListeners('exit')
    child.kill('SIGTERM')
    await new Promise((resolve) => child.once('exit', resolve))
  }
}
