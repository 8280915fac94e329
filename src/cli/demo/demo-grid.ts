/** A whole grid on this machine: an introducer and storage nodes, each a process, on loopback. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { GridError } from '../../base/errors.ts'
import type { Grid } from '../../node/grid.ts'
import { makeHome, openGrid } from '../../node/open-grid.ts'
import { ChildNode, type Listening } from './child-node.ts'

const loopback = '/ip4/127.0.0.1/tcp/0'
/** Processes started together: each uses a core while it loads. */
const startedTogether = 4

export class DemoGrid {
  readonly #program: string
  readonly #directory: string
  readonly #introducer: ChildNode
  readonly #introducerAddress: string
  readonly #nodes: (ChildNode | undefined)[] = []

  private constructor(program: string, directory: string, introducer: ChildNode, address: string) {
    this.#program = program
    this.#directory = directory
    this.#introducer = introducer
    this.#introducerAddress = address
  }

  /** Starts an introducer in a directory of its own, which `close` removes; `program` is the command line's entry point. */
  static async open(program: string): Promise<DemoGrid> {
    const directory = await mkdtemp(path.join(tmpdir(), 'grid-demo-'))
    const home = path.join(directory, 'introducer')
    await makeHome(home, [setting('node.listen', [loopback]), setting('storage.enabled', false)])
    const introducer = new ChildNode(program, ['introducer', 'run'], home)
    try {
      const { addresses } = await introducer.listening
      const [address] = addresses
      if (address === undefined) throw new GridError('E_INTERNAL', 'the introducer listens nowhere')
      return new DemoGrid(program, directory, introducer, address)
    } catch (error) {
      await introducer.stop()
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  /** Starts nodes `numbers`; resolves when all of them listen, to what each said. */
  async start(numbers: readonly number[]): Promise<Listening[]> {
    const all: Listening[] = []
    for (let i = 0; i < numbers.length; i += startedTogether) {
      all.push(
        ...(await Promise.all(
          numbers.slice(i, i + startedTogether).map((number) => this.#startOne(number)),
        )),
      )
    }
    return all
  }

  /** Kills nodes `numbers` with SIGKILL; resolves to how many of them died of it. */
  async kill(numbers: readonly number[]): Promise<number> {
    const ends = await Promise.all(numbers.map(async (number) => this.#nodes[number]?.kill()))
    return ends.filter((end) => end === 'SIGKILL').length
  }

  /** Kills node `number` and starts `program` with `words` on its home. */
  async replace(number: number, program: string, words: readonly string[]): Promise<Listening> {
    await this.kill([number])
    const child = new ChildNode(program, words, this.homeOf(`node-${number}`))
    this.#nodes[number] = child
    return child.listening
  }

  /** A client with a home of its own. */
  async openClient(name = 'client'): Promise<Grid> {
    const home = this.homeOf(name)
    await makeHome(home, [
      setting('grid.introducers', [this.#introducerAddress]),
      setting('storage.enabled', false),
    ])
    return openGrid({ home })
  }

  /** The home of `client`, or of `node-` and a number: for whoever runs commands on it. */
  homeOf(name: string): string {
    return path.join(this.#directory, name)
  }

  /** Processes by number, -1 the introducer: for whoever measures them. */
  pidOf(number: number): number | undefined {
    return (number < 0 ? this.#introducer : this.#nodes[number])?.pid
  }

  /** Stops every process and removes every file. */
  async close(): Promise<void> {
    await Promise.all([...this.#nodes, this.#introducer].map(async (child) => child?.stop()))
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** Processes that still run. */
  get running(): number {
    return [...this.#nodes, this.#introducer].filter((child) => child?.running).length
  }

  async #startOne(number: number): Promise<Listening> {
    const home = this.homeOf(`node-${number}`)
    if (this.#nodes[number] === undefined) {
      await makeHome(home, [
        setting('node.listen', [loopback]),
        setting('node.nickname', `node-${number}`),
        setting('storage.enabled', true),
        setting('storage.reserve', '64MiB'),
        setting('grid.introducers', [this.#introducerAddress]),
      ])
    }
    const child = new ChildNode(this.#program, ['node', 'run'], home)
    this.#nodes[number] = child
    return child.listening
  }
}

function setting(name: string, value: unknown): { path: string; value: unknown; source: string } {
  return { path: name, value, source: 'demo' }
}
