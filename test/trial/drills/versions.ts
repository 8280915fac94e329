/** Nodes are upgraded, set back and upgraded again while others work with the grid. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { grid, type Ran } from '../command.ts'
import type { Drill } from './drill.ts'

const upgraded = [1, 5, 8]

export async function versions(drill: Drill): Promise<void> {
  const load = new Load(drill)
  const working = load.run()
  try {
    for (const number of upgraded) {
      const home = drill.nodeHome(number)
      await drill.demo.kill([number])
      // a later version was here: it has changed what lies in the home in a way of its own
      fs.writeFileSync(path.join(home, 'format'), '2\n')
      fs.appendFileSync(path.join(home, 'config.toml'), '\n[a_section_to_come]\nsetting = 1\n')
      const before = contentOf(home)
      const refused = await grid(home, ['node', 'run'])
      assert.deepEqual([refused.exit, refused.end.code], [1, 'E_VERSION'], JSON.stringify(refused.end))
      assert.match(String(refused.end.hint), /upgrade/i)
      assert.deepEqual(contentOf(home), before)
      // the later version goes back by one, as it must be able to
      fs.writeFileSync(path.join(home, 'format'), '1\n')
      const config = fs.readFileSync(path.join(home, 'config.toml'), 'utf8')
      fs.writeFileSync(path.join(home, 'config.toml'), config.replace(/\n\[a_section_to_come\][^]*$/, '\n'))
      await drill.demo.start([number])
    }
  } finally {
    load.stop()
  }
  const done = await working
  assert.ok(done.length > 0)
  for (const { exit, end } of done) assert.equal(exit, 0, JSON.stringify(end))
  drill.saw(`a home of a later version is refused politely, and nothing in it is touched; ${done.length} commands went on meanwhile`)
  await drill.must(['repair', '--log', 'backup'])
  await drill.restored()
  drill.saw('set back, the same nodes serve the same shares')
}

/** Puts and gets of small files, one after the other. */
class Load {
  readonly #drill: Drill
  #stopped = false

  constructor(drill: Drill) {
    this.#drill = drill
  }

  async run(): Promise<Ran[]> {
    const done: Ran[] = []
    for (let i = 0; !this.#stopped; i++) {
      const file = this.#drill.at(`load ${i}`)
      fs.writeFileSync(file, `some text of ${i}\n`.repeat(100))
      const put = await this.#drill.run(['put', file])
      done.push(put)
      const cap = String(put.lines.find((line) => line.cap !== undefined)?.cap)
      done.push(await this.#drill.run(['get', '--cap-stdin', this.#drill.at(`got ${i}`)], 'home', cap))
    }
    return done
  }

  stop(): void {
    this.#stopped = true
  }
}

/** Every file below, but sockets and locks, by its bytes. */
function contentOf(home: string): Record<string, string> {
  const content: Record<string, string> = {}
  for (const entry of fs.readdirSync(home, { recursive: true, withFileTypes: true })) {
    const at = path.join(entry.parentPath, entry.name)
    if (entry.isFile() && !/\.(lock|sock)$/.test(entry.name) && !at.includes('/index/'))
      content[path.relative(home, at)] = fs.readFileSync(at).toString('base64')
  }
  return content
}
