/** Files and backups that are stored and read, one after the other, while something else happens. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type Ran } from '../command.ts'
import { differences, listTree } from '../tree-listing.ts'
import type { Drill } from './drill.ts'
import { SmallFiles } from './small-files.ts'

/** Between commands: the nodes of the drill share the machine with them. */
const pauseMs = 500

export class Load {
  readonly #drill: Drill
  readonly #programs: readonly string[]
  readonly #files: SmallFiles
  readonly #growing: string
  readonly #working: Promise<PromiseSettledResult<void>[]>
  /** Codes of what failed. */
  readonly #failures: string[] = []
  #backups = 0
  #turn = 0
  #stopped = false

  private constructor(drill: Drill, programs: readonly string[]) {
    this.#drill = drill
    this.#programs = programs
    this.#files = new SmallFiles(drill.at('load'))
    this.#growing = drill.at('files/growing')
    fs.mkdirSync(this.#growing)
    this.#working = Promise.allSettled([this.#putAndGet(), this.#backUp()])
  }

  /** Starts; commands are run by each of `programs`, versions of the command line, in turn. */
  static async start(drill: Drill, programs: readonly string[]): Promise<Load> {
    await drill.must(['init', '--introducer', drill.introducer], 'loader')
    return new Load(drill, programs)
  }

  /** Ends it; returns what was seen once no command runs. Throws where one failed in a way that tells nobody why. */
  async stop(): Promise<{ puts: number; backups: number; failures: readonly string[] }> {
    this.#stopped = true
    for (const end of await this.#working) if (end.status === 'rejected') throw end.reason
    return { puts: this.#files.count, backups: this.#backups, failures: this.#failures }
  }

  /** All that was acknowledged must come back, each byte as it was. */
  async expectAll(): Promise<void> {
    await this.#files.mustGetAll((words, input) => this.#run('loader', words, input))
    await this.#drill.restored()
    const back = this.#drill.at('growing back')
    await this.#drill.must(['restore', 'latest:growing', back])
    assert.deepEqual(differences(await listTree(back), await listTree(this.#growing)), [])
    fs.rmSync(back, { recursive: true })
  }

  async #putAndGet(): Promise<void> {
    const run = (words: readonly string[], input?: string): Promise<Ran> =>
      this.#run('loader', words, input)
    while (!this.#stopped) {
      this.#note(await this.#files.put(run))
      if (this.#files.count > 0) this.#note(await this.#files.get(run))
      await pause()
    }
  }

  /** Each with a file more than the one before; the last one is made when all is quiet. */
  async #backUp(): Promise<void> {
    for (let i = 0, last = false; !last; i++) {
      last = this.#stopped
      fs.writeFileSync(`${this.#growing}/${i}`, `the file ${i}\n`.repeat(5000 + i))
      const ran = await this.#run('home', ['backup', this.#drill.at('files/tree'), this.#growing])
      if (last) assert.equal(ran.exit, 0, JSON.stringify(ran.end))
      this.#note(ran)
      if (ran.exit === 0) this.#backups++
      await pause()
    }
  }

  #run(home: string, words: readonly string[], input?: string): Promise<Ran> {
    const by = this.#programs[this.#turn++ % this.#programs.length]
    return this.#drill.run(words, home, input, by)
  }

  /** What fails says why, in a code that is not a bug's. */
  #note({ exit, end }: Ran): void {
    if (exit === 0) return
    assert.equal(end.type, 'error', JSON.stringify(end))
    assert.match(String(end.code), /^E_(?!INTERNAL)/, JSON.stringify(end))
    this.#failures.push(String(end.code))
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs))
}
