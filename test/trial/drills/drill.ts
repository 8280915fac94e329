/** What a drill has at hand: ten node processes, a home that has backed a tree up, and its kit. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DemoGrid } from '../../../src/cli/demo/demo-grid.ts'
import { grid, mustGrid, printedBy, program, type Ran } from '../command.ts'
import { copyRealFiles } from '../real-files.ts'
import { differences, listTree } from '../tree-listing.ts'

export const nodeNumbers: number[] = Array.from({ length: 10 }, (_, i) => i)
const fileCount = 150
const root = path.resolve(import.meta.dirname, '../../../..')

export class Drill {
  readonly directory: string = fs.mkdtempSync(path.join(tmpdir(), 'grid-drill-'))
  readonly demo: DemoGrid
  introducer = ''
  /** What was printed when the home was made. */
  kit = ''
  #commands = 0
  #listing: string[] = []

  private constructor(demo: DemoGrid) {
    this.demo = demo
  }

  /** Starts all nodes; backs the tree up. */
  static async open(): Promise<Drill> {
    const drill = new Drill(await DemoGrid.open(program))
    const { demo } = drill
    try {
      for (const [number, { addresses }] of (await demo.start(nodeNumbers)).entries())
        drill.#keepPort(number, addresses[0])
      await (await demo.openClient('any')).close()
      const config = fs.readFileSync(path.join(demo.homeOf('any'), 'config.toml'), 'utf8')
      drill.introducer = /^introducers = \["([^"]+)"\]/m.exec(config)?.[1] ?? ''
      fs.mkdirSync(drill.at('files'))
      copyRealFiles(path.join(root, 'node_modules'), drill.at('files/tree'), fileCount)
      drill.#listing = await listTree(drill.at('files/tree'))
      const init = ['backup', 'init', '--read', '--introducer', drill.introducer, '--device', 'box']
      drill.kit = await printedBy(drill.at('home'), init)
      await drill.must(['backup', drill.at('files/tree')])
      // a busy machine may have given a share up that was late
      await drill.must(['repair', '--log', 'backup'])
      return drill
    } catch (error) {
      await drill.close()
      throw error
    }
  }

  /** A path below the drill's directory, or the absolute one that is given. */
  at(...names: string[]): string {
    return path.resolve(this.directory, ...names)
  }

  nodeHome(number: number): string {
    return this.demo.homeOf(`node-${number}`)
  }

  saw(fact: string): void {
    console.log(`  saw: ${fact}`)
  }

  /** Ends nodes in order, as their operators do. */
  async stop(numbers: readonly number[]): Promise<void> {
    const left = this.demo.running - numbers.length
    for (const number of numbers) process.kill(this.demo.pidOf(number)!, 'SIGTERM')
    while (this.demo.running > left) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  /** Runs a command with the home `name`; `by` is another version of the command line. */
  run(words: readonly string[], name = 'home', input = '', by: string = program): Promise<Ran> {
    this.#commands++
    return grid(this.at(name), words, input, by)
  }

  async must(words: readonly string[], name = 'home', input = ''): Promise<Ran> {
    this.#commands++
    return mustGrid(this.at(name), words, input)
  }

  /** How many commands `work` took. */
  async counted(work: () => Promise<void>): Promise<number> {
    const before = this.#commands
    await work()
    return this.#commands - before
  }

  /** Restores the newest snapshot with the home `name`; every byte and mode must be as it was. */
  async restored(name = 'home'): Promise<void> {
    const back = this.at(`back ${this.#commands}`)
    await this.must(['restore', 'latest:tree', back], name)
    assert.deepEqual(differences(await listTree(back), this.#listing), [])
    fs.rmSync(back, { recursive: true })
  }

  /** A node that starts again listens where it did. */
  #keepPort(number: number, address: string): void {
    const file = path.join(this.nodeHome(number), 'config.toml')
    const [port = ''] = /\/tcp\/\d+/.exec(address) ?? []
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('/tcp/0', port))
  }

  async close(): Promise<void> {
    await this.demo.close()
    fs.rmSync(this.directory, { recursive: true, force: true })
  }
}
