/** A process of the demo: `grid node run` or `grid introducer run` in a home of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { GridError } from '../../base/errors.ts'

/** What such a process says once it listens. */
export interface Listening {
  pid: number
  peerId: string
  addresses: string[]
}

const startTimeoutMs = 20_000
const stopTimeoutMs = 5_000
/** Lines of complaints kept, to show if it does not start. */
const keptLines = 20

export class ChildNode {
  readonly #process: ChildProcess
  readonly #exited: Promise<NodeJS.Signals | number | null>
  readonly #complaints: string[] = []
  readonly listening: Promise<Listening>

  /** Starts `program`, the command line's entry point, with the command `words`, in `home`. */
  constructor(program: string, words: readonly string[], home: string) {
    const child = spawn(process.execPath, [program, ...words, '--json', '--home', home], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code))
      child.once('error', () => resolve(null))
    })
    createInterface(child.stderr).on('line', (line) => {
      this.#complaints.push(line)
      if (this.#complaints.length > keptLines) this.#complaints.shift()
    })
    this.listening = this.#firstWord(child)
  }

  /** Whether the process has not ended. */
  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Ends it without a chance to clean up; resolves to how it ended. */
  kill(): Promise<NodeJS.Signals | number | null> {
    this.#process.kill('SIGKILL')
    return this.#exited
  }

  /** Asks it to stop, and makes it stop if it does not. */
  async stop(): Promise<void> {
    this.#process.kill('SIGTERM')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), stopTimeoutMs)
    await this.#exited
    clearTimeout(timer)
  }

  #firstWord(child: ChildProcess): Promise<Listening> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        const complaints = this.#complaints.join('; ')
        reject(new GridError('E_INTERNAL', `a process of the demo ${why}: ${complaints}`))
      }
      const timer = setTimeout(() => fail('did not start in time'), startTimeoutMs)
      void this.#exited.then((code) => {
        clearTimeout(timer)
        fail(`ended with ${code}`)
      })
      if (child.stdout === null) return
      createInterface(child.stdout).on('line', (line) => {
        const { type, event, peerId, addresses } = JSON.parse(line) as Record<string, unknown>
        if (type !== 'item' || event !== 'listening') return
        clearTimeout(timer)
        resolve({ pid: child.pid ?? 0, peerId: peerId as string, addresses: addresses as string[] })
      })
    })
  }
}
