/** The log of a file system on the servers of a grid. */
import { type Clock, sleep } from '../base/clock.ts'
import { toHex } from '../base/bytes.ts'
import { publicKeyOfSeed } from '../base/ed25519.ts'
import { GridError, isGridError } from '../base/errors.ts'
import type { CapOf } from '../caps/cap.ts'
import type { ReadHeader } from '../log/entry.ts'
import type { LogView } from '../log/log-view.ts'
import type { AppendReport } from '../log/quorum-append.ts'
import type { Snapshot } from '../log/snapshot-body.ts'
import type { DeviceLog } from '../node/logs/device-log.ts'
import type { Grid } from '../node/grid.ts'
import type { ReadableLog } from '../node/logs/readable-log.ts'
import type { VersionLog } from './version-log.ts'

export interface GridLogParts {
  logs: Grid['logs']
  read: CapOf<'LOG-Read'>
  append: CapOf<'LOG-Append'> | undefined
  clock: Clock
}

interface Options {
  signal?: AbortSignal
}

/** How long another process of this home is waited for, and how often it is asked. */
const patienceMs = 30_000
const againMs = 50

export class GridLog implements VersionLog {
  readonly #parts: GridLogParts
  readonly #log: ReadableLog
  #view: LogView | undefined

  constructor(parts: GridLogParts) {
    this.#parts = parts
    this.#log = parts.logs.reader(parts.read)
  }

  async read(options: Options): Promise<LogView> {
    return (this.#view = await this.#log.read(options))
  }

  writing<T>(
    work: (view: LogView, append: (snapshot: Snapshot) => Promise<AppendReport>) => Promise<T>,
    options: Options,
  ): Promise<T> {
    const { logs } = this.#parts
    const cap = this.#cap()
    return inTurn(logs, cap, async () => {
      const device = await this.#device(options)
      const unfinished = await device.retry(options)
      if (unfinished !== undefined && unfinished.outcome !== 'committed') throw notDurable()
      // What is acknowledged has then been seen by this reading too.
      await device.refresh(options)
      const view = await this.read(options)
      checkQuorum(view)
      let seq = device.seq
      return work(view, async (snapshot) => {
        if (device.seq !== seq) throw new GridError('E_BUSY', 'this chain was written meanwhile')
        const report = await logs.append(cap, snapshot, options)
        seq = report.seq
        return report
      })
    })
  }

  async open(entry: ReadHeader, options: Options): Promise<Snapshot> {
    return this.#log.open(this.#view ?? (await this.read(options)), entry, options)
  }

  /** Waits for another process that writes the same chain: one at a time may. */
  async #device(options: Options): Promise<DeviceLog> {
    const { logs, clock } = this.#parts
    const startedMs = clock.monotonicMs()
    for (;;) {
      try {
        return await logs.device(this.#cap(), options)
      } catch (error) {
        const isOver = clock.monotonicMs() - startedMs >= patienceMs
        if (isOver || !isGridError(error, 'E_LOCKED')) throw error
        await sleep(clock, againMs, options)
      }
    }
  }

  #cap(): CapOf<'LOG-Append'> {
    const { append } = this.#parts
    if (append !== undefined) return append
    throw new GridError(
      'E_CAP_WEAK',
      'this tree can only be read: to change it takes a LOG-Append cap',
      {
        hint: 'whoever holds the LOG-Admin cap of its log can grant one: grid log grant',
        facts: { needed: 'LOG-Append' },
      },
    )
  }
}

/** Last work under way, by the chain, of each grid. */
const turns = new WeakMap<Grid['logs'], Map<string, Promise<unknown>>>()

/** One work at a time for each chain. */
function inTurn<T>(
  logs: Grid['logs'],
  { deviceSeed }: CapOf<'LOG-Append'>,
  work: () => Promise<T>,
): Promise<T> {
  const chains = turns.get(logs) ?? new Map<string, Promise<unknown>>()
  turns.set(logs, chains)
  const key = toHex(publicKeyOfSeed(deviceSeed))
  const turn = (chains.get(key) ?? Promise.resolve()).then(work, work)
  const settled = turn.catch(() => undefined)
  chains.set(key, settled)
  return turn
}

function checkQuorum({ conclusion: { answered, quorum } }: LogView): void {
  if (answered >= quorum) return
  throw new GridError(
    'E_NOT_ENOUGH_SERVERS',
    `${answered} log servers answer, and ${quorum} are needed to make a change`,
    { hint: 'see `grid status` for the servers', facts: { stored: answered, happy: quorum } },
  )
}

function notDurable(): GridError {
  return new GridError('E_NOT_DURABLE', 'the change before is on fewer log servers than a quorum', {
    hint: 'see `grid status` for the servers; it is offered again before the next change',
  })
}
