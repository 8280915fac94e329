/** A world whose terminal is in memory and whose time moves by hand; the disk is the real one. */
import type { Clock } from '../../src/base/clock.ts'
import { SystemDisk } from '../../src/base/disk.ts'
import { GridError } from '../../src/base/errors.ts'
import { SystemRandom } from '../../src/base/random.ts'
import { dispatch } from '../../src/cli/dispatch.ts'
import type { ExitCode } from '../../src/cli/exit-codes.ts'
import { openGrid } from '../../src/node/open-grid.ts'
import type { Sink, World } from '../../src/cli/world.ts'

export class ManualClock implements Clock {
  #nowMs = 0
  #timers: { atMs: number; action: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, action }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves time on and runs what falls due, in order. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    for (;;) {
      this.#timers.sort((a, b) => a.atMs - b.atMs)
      const [next] = this.#timers
      if (next === undefined || next.atMs > endMs) break
      this.#timers.shift()
      this.#nowMs = next.atMs
      next.action()
    }
    this.#nowMs = endMs
  }

  get timerCount(): number {
    return this.#timers.length
  }
}

export class MemorySink implements Sink {
  readonly isTerminal: boolean
  readonly columns = 80
  isBroken = false
  /** Called after each write. */
  onWrite: () => void = () => {}
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(isTerminal = false) {
    this.isTerminal = isTerminal
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (this.isBroken) throw new GridError('E_INTERRUPTED', 'nobody reads the output')
    this.#bytes = Buffer.concat([this.#bytes, Buffer.from(data)])
    this.onWrite()
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  get text(): string {
    return Buffer.from(this.#bytes).toString('utf8')
  }
}

export interface FakeWorld extends World {
  clock: ManualClock
  stdout: MemorySink
  stderr: MemorySink
  logs: string[]
}

export function fakeWorld(given: Partial<World> & { isTerminal?: boolean } = {}): FakeWorld {
  const { isTerminal = false, ...rest } = given
  const logs: string[] = []
  return {
    env: {},
    userDirectory: '/nowhere',
    random: new SystemRandom(),
    disk: new SystemDisk(),
    stdin: (async function* () {})(),
    ask: undefined,
    signal: new AbortController().signal,
    openGrid: ({ home, trace }) => openGrid({ home, trace }),
    openLog: async () => (line) => void logs.push(line),
    ...rest,
    clock: new ManualClock(),
    stdout: new MemorySink(isTerminal),
    stderr: new MemorySink(isTerminal),
    logs,
  }
}

export interface Transcript {
  exit: ExitCode
  stdout: string
  stderr: string
  /** The lines of stdout as JSON. */
  readonly lines: () => Record<string, unknown>[]
}

/** Runs one command line in `world`, or in a new one. */
export async function grid(
  words: readonly string[],
  world: FakeWorld = fakeWorld(),
): Promise<Transcript> {
  const exit = await dispatch(words, world)
  const { text } = world.stdout
  return {
    exit,
    stdout: text,
    stderr: world.stderr.text,
    lines: () =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}
